// Crossover and mutation: what comes from whom, and how far it goes.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

@Suite struct VariationTests {
  private func variation(_ space: Space, _ options: JSONObject) throws -> Variation {
    var reader = OptionReader(options, of: "ga")
    return try Variation(UnitCube(space), &reader, crossover: .sbx, mutation: .polynomial)
  }

  @Test(arguments: ["sbx", "blx", "uniform"]) func childrenLieBetweenAndAroundTheirParents(crossover: String)
    throws
  {
    let variation = try variation(
      Fixtures.reals(1), ["crossover": .string(crossover), "crossover_rate": 1, "mutation_rate": 0])
    var generator = Xoshiro256(seed: 1)
    let children = (0..<4000).map { _ in variation.child([0.4], [0.6], using: &generator)[0] }
    // All three are as likely on one side as on the other.
    let mean = children.reduce(0, +) / 4000
    #expect((mean - 0.5).magnitude < 0.01)
    switch crossover {
    case "uniform": #expect(Set(children) == [0.4, 0.6])
    case "blx":
      #expect(children.allSatisfy { $0 >= 0.3 && $0 <= 0.7 })
      #expect(children.contains { $0 < 0.32 } && children.contains { $0 > 0.68 })
    default:
      // With η = 20 nearly all are near a parent, and half are one.
      #expect(children.count { ($0 - 0.5).magnitude > 0.05 && ($0 - 0.5).magnitude < 0.15 } > 3800)
      #expect((1700...2300).contains(children.count { $0 == 0.4 || $0 == 0.6 }))
    }
  }

  @Test func polynomialMutationIsSmallAndStaysInside() throws {
    let variation = try variation(Fixtures.reals(1), ["mutation_rate": 1])
    var generator = Xoshiro256(seed: 2)
    for place in [0, 0.03, 0.5, 1] {
      let moved = (0..<2000).map { _ in variation.mutated(0, place, &generator) }
      #expect(moved.allSatisfy { $0 >= 0 && $0 <= 1 })
      let distance = moved.reduce(0) { $0 + ($1 - place).magnitude } / 2000
      #expect(distance > 0.01 && distance < 0.08)
    }
  }

  /// A step is the least an ordered axis moves; a category is drawn from its prior.
  @Test func mutationChangesSteps() throws {
    let space = try Space([
      Parameter("i", .integers(min: 0, max: 4)),
      Parameter("c", .categorical(["a", "b", "c"], probabilities: [0.5, 0.5, 0])),
    ])
    let variation = try variation(space, [:])
    var generator = Xoshiro256(seed: 3)
    for place in [0.1, 0.3, 0.9] {
      for _ in 0..<200 {
        let moved = variation.cube.canonical([variation.mutated(0, place, &generator), 0])
        #expect((moved[0] - place).magnitude > 0.1)
      }
    }
    #expect(Set((0..<200).map { _ in variation.mutated(1, 0, &generator) }) == [0, 1])
  }

  /// Where one parent has no value the other's is taken.
  @Test func inactiveNumbersComeFromTheOther() throws {
    let variation = try variation(Fixtures.mixed(), ["crossover_rate": 1, "mutation_rate": 0])
    var generator = Xoshiro256(seed: 4)
    let first = variation.cube.canonical([0.5, 0, 0.5, 0.5, 0, 0.5, 0.5])
    let second = variation.cube.canonical([0.5, 1, 0.5, 0.5, 0, 0.9, 0.25])
    #expect(first[5].isNaN && first[6].isNaN && !second[6].isNaN)
    var kinds: Set<Double> = []
    for _ in 0..<100 {
      let child = variation.child(first, second, using: &generator)
      kinds.insert(child[1])
      if child[1] == 1 { #expect(child[5] == second[5] && child[6] == second[6]) }
    }
    #expect(kinds == [0, 1])
  }

  /// Differential evolution goes on with the parameters that succeeded, weighted by how much they gained.
  @Test func parametersThatSucceedAreRemembered() {
    var history = SuccessHistory(memory: 1)
    for _ in 0..<9 {
      history.succeed(0.9, 0.2, gain: .feasible([5]), .feasible([4]))
    }
    history.succeed(0.1, 0.9, gain: .feasible([5]), .feasible([5 - 1e-9]))
    history.remember()
    var generator = Xoshiro256(seed: 5)
    let drawn = (0..<2000).map { _ in history.parameters(&generator) }
    #expect((drawn.reduce(0) { $0 + $1.rate } / 2000 - 0.2).magnitude < 0.02)
    let scales = drawn.map(\.scale).sorted()
    #expect((scales[1000] - 0.9).magnitude < 0.03)
    #expect(scales.allSatisfy { $0 > 0 && $0 <= 1 })
    // Nothing succeeded: nothing changes.
    history.remember()
    #expect((history.parameters(&generator).rate - 0.2).magnitude < 0.5)
  }
}
