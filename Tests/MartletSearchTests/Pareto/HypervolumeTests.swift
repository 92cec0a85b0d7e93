// Hypervolumes against counting cells of a grid and against inclusion and exclusion.

import Testing

@testable import MartletSearch

@Suite struct HypervolumeTests {
  private func sample(_ count: Int, objectives: Int, below: UInt64, seed: UInt64) -> [[Double]] {
    var generator = Xoshiro256(seed: seed)
    return (0..<count).map { _ in (0..<objectives).map { _ in Double(generator.below(below)) } }
  }

  /// With whole numbers the volume is the number of unit cells that some point dominates.
  private func counted(_ losses: [[Double]], side: Int, objectives: Int) -> Double {
    var cells = 0
    var total = 1
    for _ in 0..<objectives { total *= side }
    for index in 0..<total {
      var rest = index
      let cell = (0..<objectives).map { _ in
        defer { rest /= side }
        return Double(rest % side)
      }
      if losses.contains(where: { loss in zip(loss, cell).allSatisfy { $0 <= $1 } }) { cells += 1 }
    }
    return Double(cells)
  }

  @Test(arguments: 1...5) func volumesAreCountedCells(objectives: Int) {
    let side = objectives < 4 ? 9 : 5
    for seed in UInt64(0)..<12 {
      // Coordinates at and beyond the reference are among them.
      let losses = sample(7 + Int(seed), objectives: objectives, below: UInt64(side) + 2, seed: seed)
      let reference = Array(repeating: Double(side), count: objectives)
      let volume = Hypervolume.of(losses, reference: reference)
      #expect(volume == counted(losses, side: side, objectives: objectives))
      let contributions = Hypervolume.contributions(losses, reference: reference)
      for place in losses.indices {
        var others = losses
        others.remove(at: place)
        #expect(contributions[place] == volume - Hypervolume.of(others, reference: reference))
        #expect(
          Hypervolume.improvement(losses[place], over: others, reference: reference) == contributions[place])
      }
    }
  }

  /// The sphere's octant in many dimensions, where the recursion is deep: the union of boxes by inclusion-exclusion.
  @Test func manyObjectives() {
    let losses = sample(9, objectives: 6, below: 7, seed: 3)
    let reference = Array(repeating: 7.0, count: 6)
    var expected = 0.0
    for subset in 1..<(1 << losses.count) {
      let chosen = losses.indices.filter { subset >> $0 & 1 == 1 }
      let sides = (0..<6).map { objective in 7 - (chosen.map { losses[$0][objective] }.max() ?? 7) }
      expected += (chosen.count % 2 == 1 ? 1 : -1) * sides.reduce(1, *)
    }
    #expect(Hypervolume.of(losses, reference: reference) == expected)
  }

  @Test(arguments: [2, 3, 4]) func lazyChoiceIsTheGreedyOne(objectives: Int) {
    for seed in UInt64(0)..<8 {
      let losses = sample(14, objectives: objectives, below: 10, seed: 100 + seed)
      let reference = Array(repeating: 9.0, count: objectives)
      var expected: [Int] = []
      while expected.count < 6 {
        let gains = losses.indices.map { place in
          expected.contains(place)
            ? -1 : Hypervolume.of((expected + [place]).map { losses[$0] }, reference: reference)
        }
        expected.append(gains.firstIndex(of: gains.max() ?? 0) ?? 0)
      }
      #expect(Hypervolume.greedySubset(losses, count: 6, reference: reference) == expected)
    }
    #expect(Hypervolume.greedySubset([[1, 1]], count: 3, reference: [2, 2]) == [0])
  }

  @Test func normalizedLossesNeverOverflow() {
    let losses = [[1.7e308, -3], [-1.7e308, -3], [0, -3]]
    #expect(Pareto.normalized(losses) == [[1, 0], [0, 0], [0.5, 0]])
  }
}
