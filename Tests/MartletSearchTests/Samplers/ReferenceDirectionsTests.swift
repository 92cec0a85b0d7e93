// NSGA-III's directions and how gaps are filled.

import Testing

@testable import MartletSearch

@Suite struct ReferenceDirectionsTests {
  @Test func countsOfDasAndDennis() {
    // Table I of Deb and Jain: 3 objectives with 12 divisions, 5 with 6, 8 with 3.
    #expect(ReferenceDirections.count(objectives: 3, divisions: 12) == 91)
    #expect(ReferenceDirections.count(objectives: 5, divisions: 6) == 210)
    #expect(ReferenceDirections.count(objectives: 8, divisions: 3) == 120)
    for (objectives, divisions) in [(1, 4), (2, 5), (3, 4), (4, 3)] {
      let points = ReferenceDirections.all(objectives: objectives, divisions: divisions)
      #expect(points.count == ReferenceDirections.count(objectives: objectives, divisions: divisions))
      #expect(Set(points).count == points.count)
      #expect(points.allSatisfy { ($0.reduce(0, +) - 1).magnitude < 1e-12 && $0.allSatisfy { $0 >= 0 } })
    }
  }

  /// Two are chosen at one end; the empty directions are served first, each with its nearest.
  @Test func gapsAreFilledFirst() {
    let directions = ReferenceDirections.all(objectives: 2, divisions: 2)
    let chosen: [[Double]] = [[0, 10], [0.1, 9.5]]
    let front: [[Double]] = [[0.2, 9], [5.2, 5], [4, 5.5], [10, 0]]
    let filled = ReferenceDirections.fill(2, from: front, beside: chosen, directions: directions)
    #expect(Set(filled) == [1, 3])
    #expect(ReferenceDirections.fill(9, from: front, beside: chosen, directions: directions).count == 4)
  }

  /// Losses in other units are the same losses.
  @Test func unitsDoNotMatter() {
    let losses: [[Double]] = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]]
    let other = losses.map { [1e6 * $0[0] - 3, 1e-3 * $0[1] + 8, 7 * $0[2]] }
    let plain = ReferenceDirections.normalized(losses)
    for (a, b) in zip(plain, ReferenceDirections.normalized(other)) {
      for (x, y) in zip(a, b) { #expect((x - y).magnitude < 1e-9) }
    }
  }
}
