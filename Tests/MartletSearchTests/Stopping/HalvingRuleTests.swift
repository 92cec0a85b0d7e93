// Successive halving: who passes a rung, what stands for a missing step, and who is resumed.

import Foundation
import MartletModel
import Testing

@testable import MartletSearch

private let loss = [Objective(metric: "loss", goal: .minimize)]

private func stopping(_ json: JSONValue) throws -> EarlyStopping {
  EarlyStopping(try StoppingRuleConfiguration(json, objectives: loss), objectives: loss, seed: 1)
}

extension StoppingDecision {
  fileprivate var isStop: Bool {
    if case .stop = self { true } else { false }
  }
}

@Suite struct HalvingRuleTests {
  @Test func theBestThirdPassesAndEqualsShareTheirFate() throws {
    var rule = try stopping(["type": "asha", "min_iter": 3, "strict": true])
    let levels = [5.0, 4, 6, 3, 3, 3.5, 2, 2.5, 2.5]
    let stopped = levels.enumerated().map { rule.report(trial: $0, step: 3, losses: [$1]).isStop }
    // Of n that came so far ⌊n/3⌋ pass, or one: 1, 1, 1, 1, 1, 2, 2, 2, 3; the second 3 equals the best so far.
    #expect(stopped == [false, false, true, false, false, true, false, false, false])
  }

  @Test(arguments: ["hyperband", "asha"]) func theLooserQuotaLetsOneMorePass(type: String) throws {
    let levels = [1.0, 3, 2]
    func passed(_ isStrict: Bool) throws -> [Int] {
      var rule = try stopping(["type": .string(type), "min_iter": 3, "strict": .bool(isStrict)])
      return levels.indices.filter { !rule.report(trial: $0, step: 3, losses: [levels[$0]]).isStop }
    }
    #expect(try passed(true) == [0])
    #expect(try passed(false) == [0, 2])
  }

  @Test func whoIsOnARungIsJudgedAgainWhenOthersHaveCome() throws {
    let rules: [(rule: JSONValue, isAgain: Bool)] = [
      (["type": "hyperband", "min_iter": 1], false),
      (["type": "hyperband", "min_iter": 1, "strict": true], true),
      (["type": "hyperband", "min_iter": 1, "max_iter": 27, "brackets": 1], true),
      (["type": "asha", "min_iter": 1], true),
    ]
    for (json, isAgain) in rules {
      var rule = try stopping(json)
      #expect(rule.report(trial: 0, step: 1, losses: [5]) == .goOn)
      for trial in 1..<3 { _ = rule.report(trial: trial, step: 1, losses: [Double(trial)]) }
      #expect(rule.report(trial: 0, step: 2, losses: [5]).isStop == isAgain)
    }
  }

  @Test func aMissingStepIsStoodForByTheLastBeforeIt() throws {
    var rule = try stopping(["type": "asha", "min_iter": 3, "eta": 3])
    for trial in 0..<3 { _ = rule.report(trial: trial, step: 9, losses: [Double(10 - trial)]) }
    // Step 8 lies between the rungs 3 and 9, so it counts on rung 9, and not the 0.1 of step 10.
    _ = rule.report(trial: 3, step: 8, losses: [9.5])
    #expect(rule.report(trial: 3, step: 10, losses: [9.1]).isStop)
    #expect(rule.memory(of: 3)?["rule"]?["rungs"] == [[0, 9.5], [1, 9.5]])
    // One that never reported below the rung is judged by its first report beyond it, on that rung alone.
    _ = rule.report(trial: 4, step: 30, losses: [1])
    #expect(rule.memory(of: 4)?["rule"]?["rungs"] == [[2, 1.0]])
  }

  @Test func whatIsReportedTwiceIsJudgedOnce() throws {
    var rule = try stopping(["type": "hyperband", "min_iter": 1])
    _ = rule.report(trial: 0, step: 1, losses: [1])
    _ = rule.report(trial: 1, step: 1, losses: [0.5])
    // Trial 0 restarts: it passed this rung before.
    #expect(rule.report(trial: 0, step: 1, losses: [7]) == .goOn)
    #expect(rule.report(trial: 0, step: 0, losses: [9]) == .goOn)
    #expect(rule.memory(of: 0)?["rule"]?["rungs"] == [[0, 1.0]])
  }

  @Test func pausedTrialsAreResumedFromTheHighestRungBestFirst() throws {
    var rule = try stopping(["type": "asha", "min_iter": 1, "eta": 2, "mode": "pause"])
    func come(_ trial: Int, _ step: Int64, _ loss: Double) {
      guard case .pause = rule.report(trial: trial, step: step, losses: [loss]) else { return }
      rule.settle(trial: trial, as: .paused)
    }
    for trial in 0..<4 { come(trial, 1, Double(4 - trial)) }
    // 3, and with two of four 2, belong to the best half of rung 1; 1 was the best of two when it came.
    #expect(rule.paused == [0])
    come(4, 1, 5)
    come(5, 1, 4.5)
    #expect(rule.resume() == nil)
    come(6, 1, 6)
    come(7, 1, 6)
    #expect(rule.paused == [0, 4, 5, 6, 7])
    // Four of eight: 0 has come to belong to them.
    #expect(rule.resume() == 0)
    #expect(rule.resume() == nil)
    come(0, 2, 4)
    come(1, 2, 3)
    come(2, 2, 3.5)
    #expect(rule.paused == [0, 2, 4, 5, 6, 7])
    come(3, 2, 5)
    // Rung 2 goes before rung 1.
    #expect(rule.resume() == 2)
  }

  @Test func theIncumbentIsFinishedWhenNothingElseIsLeft() throws {
    var rule = try stopping(["type": "asha", "min_iter": 1, "mode": "pause"])
    for (trial, loss) in [3.0, 1, 2].enumerated() {
      guard case .pause = rule.report(trial: trial, step: 1, losses: [loss]) else { continue }
      rule.settle(trial: trial, as: .paused)
    }
    // The third made a third of them one, and 1 is the best.
    #expect(rule.resume() == 1)
    #expect(rule.resume(isExhausted: true) == nil)
    #expect(
      rule.report(trial: 1, step: 3, losses: [0.9])
        == .pause("It waits at step 3 for others to compare with: 1 came so far."))
    rule.settle(trial: 1, as: .paused)
    #expect(rule.resume() == nil)
    #expect(rule.resume(isExhausted: true) == 1)
    rule.settle(trial: 1, as: .complete)
    #expect(rule.resume(isExhausted: true) == nil)
    #expect(rule.paused == [0, 2])
  }

  @Test func bracketsHaveTheSharesOfThePaper() {
    // Li et al. (2018), R = 81, η = 3: 81, 34, 15, 8 and 5 trials.
    let shares = Brackets(count: 5, eta: 3, seed: 1).shares
    #expect(shares.map { ($0 * 143).rounded() } == [81, 34, 15, 8, 5])
    let brackets = Brackets(count: 5, eta: 3, seed: 1)
    let drawn = (0..<14300).map(brackets.bracket)
    for (bracket, expected) in [81, 34, 15, 8, 5].enumerated() {
      let count = drawn.count { $0 == bracket }
      #expect(abs(count - expected * 100) < 5 * Int(Double(expected * 100).squareRoot()))
    }
    #expect((0..<100).map(Brackets(count: 5, eta: 3, seed: 2).bracket) != (0..<100).map(brackets.bracket))
  }

  /// Ranks come out as sorting anew would have them, in whatever order vectors arrive.
  @Test(arguments: [1, 2, 3]) func rankingIsThatOfFronts(objectives: Int) {
    var generator = Xoshiro256(seed: 9)
    var ranking = RungRanking()
    var vectors: [[Double]] = []
    for _ in 0..<120 {
      let vector = (0..<objectives).map { _ in Double(generator.below(12)) }
      ranking.insert(vector)
      vectors.append(vector)
    }
    let fronts = Pareto.ranks(vectors)
    for (vector, front) in zip(vectors, fronts) {
      #expect(ranking.countBetter(than: vector) == fronts.count { $0 < front })
    }
    #expect(ranking.count == 120)
  }

  /// Learning curves whose order at the end is roughly that at the beginning.
  @Test func aThirdOfTheEpochsIsEnough() throws {
    func spend(_ rule: JSONValue?, epochs budget: Int) throws -> Double {
      var rule = try rule.map(stopping)
      var generator = Xoshiro256(seed: 3)
      var best = Double.infinity
      var spent = 0
      var trial = -1
      while spent < budget {
        trial += 1
        let (end, speed) = (generator.unit(), 0.9 + 0.2 * generator.unit())
        for step in Int64(1)...81 where spent < budget {
          spent += 1
          let loss = end + exp2(-speed * Double(step) / 8) * (0.49 + 0.02 * generator.unit())
          if rule?.report(trial: trial, step: step, losses: [loss]).isStop == true { break }
          if step == 81 { best = min(best, end) }
        }
      }
      return best
    }
    let plain = try spend(nil, epochs: 8100)
    #expect(try spend(["type": "asha"], epochs: 2700) <= plain)
    #expect(try spend(["type": "hyperband", "min_iter": 1], epochs: 2700) <= plain)
  }
}
