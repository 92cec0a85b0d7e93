// Which trials TPE calls good.

import MartletModel
import Testing

@testable import MartletSearch

@Suite struct TPESplitTests {
  private static let cube = UnitCube(try! Space([Parameter("x", .real(.uniform(min: 0, max: 1)))]))

  private func observation(
    _ trial: Int, _ losses: [Double], _ state: TrialState = .complete, violations: [Double] = [],
    step: Int? = nil
  ) -> Observation {
    Observation(
      trial: trial, coordinates: [Double(trial + 1) / 1e5], state: state, losses: losses,
      violations: violations, step: step)
  }

  private func history(_ observations: [Observation]) -> History {
    var history = History(cube: Self.cube)
    for observation in observations { history.end(observation) }
    return history
  }

  private func below(_ history: History, good: Int) -> [Int] {
    TPESplit(TPERecords(history, limit: 100), history, good: good, seed: 0).below.map {
      history.observations[$0.place].trial
    }
  }

  /// Feasible ones by loss, then pruned ones by how far they came, then those that miss constraints; never failed ones.
  @Test func theBestComeFirst() {
    let history = history([
      observation(0, [1e308], violations: [0, -1]), observation(1, [5], .pruned, step: 3),
      observation(2, [9], .pruned, step: 7), observation(3, []), observation(4, [0], violations: [0.5]),
      observation(5, [-3], violations: [2, -1]), observation(6, [2]), observation(7, [4], .pruned, step: 3),
      observation(8, [7], .pruned), observation(9, [-9], violations: [.nan]),
    ])
    let records = TPERecords(history, limit: 100)
    #expect(records.order.prefix(9).map { history.observations[$0].trial } == [6, 0, 2, 7, 1, 8, 4, 5, 9])
    #expect(records.usableCount == 9)
    #expect(below(history, good: 3) == [0, 2, 6])
    #expect(below(history, good: 100) == [0, 1, 2, 4, 5, 6, 7, 8, 9])
  }

  /// While hardly anything succeeds, those that failed least badly say where to look.
  @Test func failuresWithPenaltiesComeLastAndByThese() {
    let history = history([
      observation(0, [100], .failed), observation(1, [], .failed), observation(2, [-5], .failed),
      observation(3, [9]), observation(4, [2], violations: [1]), observation(5, [500], .failed),
    ])
    let records = TPERecords(history, limit: 100)
    #expect(records.order.map { history.observations[$0].trial } == [3, 4, 2, 0, 5, 1])
    #expect(below(history, good: 2) == [3, 4])
    #expect(below(history, good: 4) == [0, 2, 3, 4])
    #expect(below(history, good: 9) == [0, 2, 3, 4, 5])
  }

  @Test func recordsDoNotDependOnTheOrderOfEnding() {
    var generator = Xoshiro256(seed: 4)
    var ending = (0..<200).map { trial in
      observation(
        trial, trial % 17 == 0 ? [] : [Double(generator.below(40))], trial % 5 == 0 ? .pruned : .complete,
        violations: [Double(generator.below(3)) - 1])
    }
    let expected = TPERecords(history(ending), limit: 100)
    for place in ending.indices.reversed() {
      ending.swapAt(place, Int(generator.below(UInt64(place + 1))))
    }
    var records = TPERecords(History(cube: Self.cube), limit: 100)
    for observation in ending { records.add(observation) }
    #expect(records.order == expected.order)
    #expect(records.usableCount == expected.usableCount)
  }

  /// Of the first front, which is too large, those that dominate most together; and never one that is dominated.
  @Test func severalObjectivesTakeTheFront() {
    var observations = (0...8).map { observation($0, [Double($0), Double(8 - $0)]) }
    observations += (9..<40).map { observation($0, [Double($0), Double($0)]) }
    let history = history(observations)
    let chosen = below(history, good: 3)
    #expect(chosen.count == 3)
    #expect(chosen.allSatisfy { $0 <= 8 })
    // The middle dominates most, and those beside it add least.
    #expect(chosen.contains(4) && !chosen.contains(3) && !chosen.contains(5))
    #expect(below(history, good: 9) == Array(0...8))
    let infeasible = observation(50, [-1, -1], violations: [1])
    var mixed = history
    mixed.end(infeasible)
    #expect(!below(mixed, good: 9).contains(50))
    #expect(below(mixed, good: 41).contains(50))
  }

  /// The contenders are those whom fewer than the limit dominate, and the first by rank are all among them.
  @Test(arguments: [2, 3]) func contendersHoldTheBest(objectives: Int) {
    var generator = Xoshiro256(seed: 11)
    let losses = (0..<300).map { _ in (0..<objectives).map { _ in Double(generator.below(30)) } }
    var contenders = TPEContenders(limit: 20)
    for trial in losses.indices.reversed() { contenders.add(trial, losses[trial]) }
    let expected = losses.indices.filter { place in
      losses.count { Pareto.dominates($0, losses[place]) } < 20
    }
    #expect(contenders.trials == expected)
    let ranks = Pareto.ranks(losses)
    #expect(Pareto.ranks(expected.map { losses[$0] }) == expected.map { ranks[$0] })
  }

  /// With very many trials only some are looked at: always the best and the newest, and the others stand for all.
  @Test func theBadAreSampled() {
    let count = 10_000
    let history = history((0..<count).map { observation($0, [Double(($0 * 7919) % count)]) })
    let records = TPERecords(history, limit: 100)
    let split = TPESplit(records, history, good: 25, seed: 3)
    #expect(split.below.count == 25)
    #expect(split.above.count < 1_150)
    let places = Set(split.above.map(\.place))
    #expect(Set((count - 200)..<count).isSubset(of: places.union(split.below.map(\.place))))
    #expect(Set(records.order[25..<275]).isSubset(of: places))
    #expect(places.isDisjoint(with: split.below.map(\.place)))
    let total = split.above.reduce(0) { $0 + $1.weight }
    #expect((total / Double(count - 25) - 1).magnitude < 0.15)
    #expect(TPESplit(records, history, good: 25, seed: 3).above == split.above)
    #expect(TPESplit(records, history, good: 25, seed: 4).above != split.above)
  }
}
