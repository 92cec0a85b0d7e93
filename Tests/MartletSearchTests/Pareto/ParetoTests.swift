// Domination, ranks and crowding, against their definitions.

import MartletModel
import Testing

@testable import MartletSearch

@Suite struct ParetoTests {
  /// Few different values, so that equal ones and equal coordinates are common.
  private func sample(_ count: Int, objectives: Int, values: UInt64, seed: UInt64) -> [[Double]] {
    var generator = Xoshiro256(seed: seed)
    return (0..<count).map { _ in (0..<objectives).map { _ in Double(generator.below(values)) / 4 } }
  }

  /// Peels fronts off one by one.
  private func peeled(_ losses: [[Double]]) -> [Int] {
    var ranks = Array(repeating: -1, count: losses.count)
    var rank = 0
    while ranks.contains(-1) {
      let left = losses.indices.filter { ranks[$0] < 0 }
      for place in left
      where !left.contains(where: { other in
        zip(losses[other], losses[place]).allSatisfy { $0 <= $1 } && losses[other] != losses[place]
      }) {
        ranks[place] = rank
      }
      rank += 1
    }
    return ranks
  }

  @Test(arguments: 1...4) func ranksAreThoseOfPeeledFronts(objectives: Int) {
    for seed in UInt64(0)..<20 {
      let losses = sample(40, objectives: objectives, values: seed % 2 == 0 ? 6 : 1000, seed: seed)
      let expected = peeled(losses)
      #expect(Pareto.ranks(losses) == expected)
      #expect(Pareto.front(losses) == losses.indices.filter { expected[$0] == 0 })
      let cut = Pareto.ranks(losses, upTo: 10)
      let last = cut.max() ?? 0
      #expect(cut == expected.map { min($0, last) })
      #expect(cut.count { $0 < last } >= 10 || cut == expected)
    }
  }

  @Test func crowdingFollowsThePaper() {
    // Sides of the box between neighbours, by the range of each objective: (0.5 + 0.75), (0.75 + 0.5).
    let distance = Pareto.crowding([[0, 8], [2, 4], [4, 2], [8, 0]])
    #expect(distance == [.infinity, 0.5 + 0.75, 0.75 + 0.5, .infinity])
    #expect(Pareto.crowding([[1, 1], [1, 1], [1, 1]])[1] == 0)
    // As large as numbers can be, and on both sides of 0.
    let huge = Pareto.crowding([[-1.7e308, 1.7e308], [0, 0], [1.7e308, -1.7e308]])
    #expect(huge == [.infinity, 2, .infinity])
  }

  @Test func constraintsComeFirstAndFailuresLast() {
    func observation(
      _ losses: [Double], _ violations: [Double] = [], _ state: TrialState = .complete
    ) -> Standing {
      Standing(
        Observation(trial: 0, coordinates: [], state: state, losses: losses, violations: violations))
    }
    let standings = [
      observation([1, 9], [0.5, -3]), observation([5, 5], [0, -1]), observation([0, 0], [], .pruned),
      observation([], [], .failed), observation([4, 6]), observation([6, 6]),
      observation([2, 2], [0.25, 0.25]),
      observation([0, 0], [.nan]), observation([1, 9.5], [0.25, 0.25]),
    ]
    #expect(Standing.ranks(standings) == [2, 0, 5, 6, 0, 1, 2, 4, 3])
    #expect(Standing.ranks(standings, upTo: 2) == [1, 0, 1, 1, 0, 1, 1, 1, 1])
    // By the first loss alone.
    #expect(Standing.order(standings) == [4, 1, 5, 0, 8, 6, 7, 2, 3])
  }

  @Test func penaltiesTellFailuresApartAndNoMore() {
    func standing(_ losses: [Double], _ state: TrialState, _ violations: [Double] = []) -> Standing {
      Standing(
        Observation(trial: 0, coordinates: [], state: state, losses: losses, violations: violations))
    }
    let standings = [
      standing([], .failed), standing([-9], .failed), standing([50], .pruned), standing([3], .complete),
      standing([-20], .failed), standing([1], .complete, [2]),
    ]
    #expect(Standing.order(standings) == [3, 5, 2, 4, 1, 0])
    #expect(Standing.ranks(standings) == [5, 4, 2, 0, 3, 1])
    #expect(standings.map(\.hasFailed) == [true, true, false, false, true, false])
  }

  @Test func ranksOfNobody() {
    #expect(Pareto.ranks([]) == [])
    #expect(Standing.ranks([]) == [])
    #expect(Pareto.crowding([]) == [])
    #expect(Pareto.crowding([[3, 1]]) == [.infinity])
  }
}
