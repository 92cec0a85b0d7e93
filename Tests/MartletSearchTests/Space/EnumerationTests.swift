// Finite spaces with conditions: how many points they have, and which.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct EnumerationTests {
  /// All points by brute force: every combination, with what has no value left out, each once.
  private func all(_ space: Space) -> Set<Point> {
    let cube = UnitCube(space)
    var points: Set<Point> = []
    func go(_ coordinates: [Double]) {
      guard coordinates.count < cube.axes.count else {
        points.insert(cube.point(at: coordinates))
        return
      }
      for coordinate in cube.values(on: coordinates.count, atMost: 1000) ?? [] {
        go(coordinates + [coordinate])
      }
    }
    go([])
    return points
  }

  private static let spaces: [[Parameter]] = [
    [Parameter("a", .integers(min: 1, max: 3)), Parameter("b", .categorical([true, false]))],
    [
      // The child stands before its parent.
      Parameter("depth", .integers(min: 1, max: 5), when: .isOne(of: ["tree", "forest"], "kind")),
      Parameter("kind", .categorical(["line", "tree", "forest", "net"])),
      Parameter("trees", .ordinal([10, 100, 1000]), when: .isOne(of: ["forest"], "kind")),
      Parameter(
        "prune", .categorical([true, false]), when: .all([.atLeast(3, "depth"), .atMost(4, "depth")])),
      Parameter("layers", .integers(min: 1, max: 4), when: .isOne(of: ["net"], "kind")),
      Parameter(
        "skip", .categorical([0, 1]), when: .all([.atLeast(3, "layers"), .isOne(of: ["net"], "kind")])),
      Parameter("seed", .integers(min: 0, max: 2)), Parameter("fixed", .constant(1)),
    ],
    [
      Parameter("a", .categorical([1, 2])), Parameter("b", .categorical([1, 2]), when: .isOne(of: [1], "a")),
      Parameter("c", .categorical([1, 2]), when: .isOne(of: [1], "b")),
      Parameter("d", .categorical([1, 2]), when: .isOne(of: [2], "c")),
    ],
  ]

  @Test(arguments: spaces) func everyPointHasOneNumber(parameters: [Parameter]) throws {
    let space = try Space(parameters)
    let expected = all(space)
    let count = try #require(space.cardinality)
    #expect(count == expected.count)
    let numbered = (0..<count).compactMap(space.point)
    #expect(numbered.count == count)
    #expect(Set(numbered) == expected)
    #expect(space.point(at: count) == nil)
  }

  @Test func manyBranchesAreCountedWithoutListingThem() throws {
    // 20 switches, each with a parameter of its own of 1,000 values: (1 + 1000)^20 overflows, six of them do not.
    func space(_ count: Int) throws -> Space {
      try Space(
        (0..<count).flatMap { index in
          [
            Parameter("on\(index)", .categorical([true, false])),
            Parameter(
              "value\(index)", .integers(min: 1, max: 1000), when: .isOne(of: [true], "on\(index)")),
          ]
        })
    }
    #expect(try space(6).cardinality == 1_006_015_020_015_006_001)
    #expect(try space(20).cardinality == Int.max)
    let six = try space(6)
    #expect(six.point(at: 1_006_015_020_015_006_000)?.values.count == 6)
    #expect(six.point(at: 0)?.values.count == 12)
  }
}
