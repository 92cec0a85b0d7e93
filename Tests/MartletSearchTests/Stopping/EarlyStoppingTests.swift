// What holds for every rule: the incumbent goes on, memories are small, and a restored rule decides as before.

import MartletModel
import Testing

@testable import MartletSearch

private let loss = [Objective(metric: "loss", goal: .minimize)]

/// Every rule, with settings that let it stop something within 30 steps.
private let rules: [String] = [
  #"{"type":"hyperband","min_iter":2}"#, #"{"type":"hyperband","min_iter":2,"strict":true}"#,
  #"{"type":"hyperband","min_iter":1,"max_iter":30}"#, #"{"type":"asha","min_iter":1}"#,
  #"{"type":"asha","min_iter":1,"mode":"pause"}"#, #"{"type":"median","startup_trials":2}"#,
  #"{"type":"percentile","percentile":30,"startup_trials":2,"interval":4}"#,
  #"{"type":"patience","patience":3,"min_delta":0.01}"#, #"{"type":"threshold","upper":3,"min_iter":4}"#,
  #"[{"type":"threshold","upper":5},{"type":"patience","patience":5},{"type":"asha"}]"#,
]

private func stopping(_ rule: String, seed: UInt64 = 1) throws -> EarlyStopping {
  EarlyStopping(
    try StoppingRuleConfiguration(JSONValue.parse(rule), objectives: loss), objectives: loss, seed: seed)
}

/// Trials that report in turns, each a noisy curve with gaps, repeats and now and then no number.
private struct Bustle {
  struct Report: Hashable {
    var trial: Int
    var step: Int64
    var loss: Double
  }

  var generator = Xoshiro256(seed: 5)
  var steps: [Int: Int64] = [:]
  var next = 6

  mutating func report(of running: [Int]) -> Report {
    let trial = running[Int(generator.below(UInt64(running.count)))]
    let step = max(0, (steps[trial] ?? 0) + Int64(generator.below(5)) - 1)
    steps[trial] = step
    let level = Double(trial * 7919 % 40) / 10
    let noise = generator.unit()
    return Report(
      trial: trial, step: step,
      loss: noise < 0.02 ? .nan : level + 3 / Double(step + 1) + 0.3 * noise)
  }
}

@Suite struct EarlyStoppingTests {
  @Test(arguments: rules) func aRestoredRuleDecidesAsBefore(rule: String) throws {
    var original = try stopping(rule)
    var bustle = Bustle()
    var running = Array(0..<6)
    var answers: [StoppingDecision] = []
    var restored: EarlyStopping?
    for turn in 0..<1500 {
      if turn % 100 == 50 {
        // Through text, as a file keeps it.
        var copy = try stopping(rule)
        try copy.restore(JSONValue.parse(original.state.text))
        restored = copy
      }
      let report = bustle.report(of: running)
      let answer = original.report(trial: report.trial, step: report.step, losses: [report.loss])
      #expect(
        restored?.report(trial: report.trial, step: report.step, losses: [report.loss]) ?? answer == answer)
      answers.append(answer)
      var end: TrialState?
      switch answer {
      case .stop: end = .pruned
      case .pause: end = .paused
      case .goOn: end = report.step >= 30 ? (report.trial % 9 == 0 ? .failed : .complete) : nil
      }
      guard let end else { continue }
      original.settle(trial: report.trial, as: end)
      restored?.settle(trial: report.trial, as: end)
      running.removeAll { $0 == report.trial }
      let resumed = original.resume()
      if let restored = restored?.resume() { #expect(restored == resumed) }
      running.append(resumed ?? bustle.next)
      if resumed == nil { bustle.next += 1 }
    }
    #expect(answers.contains { $0 != .goOn })
    #expect(answers.contains(.goOn))
    let largest = (0..<bustle.next).compactMap { original.memory(of: $0)?.text.utf8.count }.max() ?? 0
    #expect(largest < 3000)
  }

  /// The engine feeds stored reports again, trial by trial.
  @Test(arguments: rules) func theOrderAmongTrialsDoesNotMatterToMemories(rule: String) throws {
    var bustle = Bustle()
    let reports = (0..<600).map { _ in bustle.report(of: Array(0..<8)) }
    var live = try stopping(rule)
    var again = try stopping(rule)
    for report in reports { _ = live.report(trial: report.trial, step: report.step, losses: [report.loss]) }
    for trial in (0..<8).reversed() {
      for report in reports where report.trial == trial {
        _ = again.report(trial: trial, step: report.step, losses: [report.loss])
      }
    }
    for trial in 0..<8 {
      #expect(live.memory(of: trial)?["rule"] == again.memory(of: trial)?["rule"])
      #expect(live.isIncumbent(trial) == again.isIncumbent(trial))
    }
  }

  @Test(arguments: rules) func theBestOfAllIsNeverStopped(rule: String) throws {
    var rules = try stopping(rule)
    var bustle = Bustle()
    var best = Double.infinity
    for _ in 0..<800 {
      var report = bustle.report(of: Array(0..<8))
      // A field that gets better and worse by turns, so that the best of all has no easy time.
      if report.loss.isNaN { report.loss = 2.9 }
      report.loss = min(report.loss, 2.9)
      best = min(best, report.loss)
      let answer = rules.report(trial: report.trial, step: report.step, losses: [report.loss])
      if report.loss == best, case .stop(let reason) = answer { Issue.record("stopped the best: \(reason)") }
    }
  }

  @Test func aTrialThatEndsInNoNumberIsNoIncumbent() throws {
    var rule = try stopping(#"{"type":"threshold"}"#)
    #expect(rule.report(trial: 0, step: 1, losses: [0.1]) == .goOn)
    #expect(rule.report(trial: 1, step: 1, losses: [0.5]) == .goOn)
    #expect(
      rule.report(trial: 0, step: 2, losses: [.nan]) == .stop("Its loss at step 2 is not a number."))
    #expect(rule.isIncumbent(1) == false)
    rule.settle(trial: 0, as: .failed)
    #expect(rule.isIncumbent(1))
  }

  @Test func aStoppedTrialIsToldAgain() throws {
    var rule = try stopping(#"{"type":"asha","min_iter":1}"#)
    _ = rule.report(trial: 0, step: 1, losses: [1])
    let answer = rule.report(trial: 1, step: 1, losses: [2])
    #expect(
      answer == .stop("Its loss at step 1, 2, is not among the best 1 of 2 (1 or lower)."))
    #expect(rule.report(trial: 1, step: 2, losses: [1.5]) == answer)
  }

  @Test func limitsHoldForTheFirstTrialToo() throws {
    let accuracy = [Objective(metric: "accuracy", goal: .maximize)]
    let json: JSONValue = ["type": "threshold", "lower": 0.2, "min_iter": 3]
    var rule = EarlyStopping(
      try StoppingRuleConfiguration(json, objectives: accuracy), objectives: accuracy, seed: 1)
    #expect(rule.report(trial: 0, step: 2, losses: [-0.1]) == .goOn)
    #expect(
      rule.report(trial: 0, step: 3, losses: [-0.15])
        == .stop("Its accuracy at step 3, 0.15, is below 0.2."))
    // It was within the limits, and none is better: it goes on.
    #expect(rule.report(trial: 1, step: 2, losses: [-0.5]) == .goOn)
    #expect(rule.report(trial: 1, step: 3, losses: [-0.15]) == .goOn)
  }

  @Test func severalObjectivesAreJudgedByFronts() throws {
    let objectives = [loss[0], Objective(metric: "size", goal: .minimize)]
    var rule = EarlyStopping(
      try StoppingRuleConfiguration(
        ["type": "asha", "min_iter": 1, "eta": 2, "strict": true], objectives: objectives),
      objectives: objectives, seed: 1)
    // A front of three, which all go on, and behind it what they dominate.
    for (trial, losses) in [[1.0, 5], [3, 3], [5, 1]].enumerated() {
      #expect(rule.report(trial: trial, step: 1, losses: losses) == .goOn)
    }
    let answer = rule.report(trial: 3, step: 1, losses: [4, 4])
    #expect(answer == .stop("What it measured at step 1 is not among the best 2 of 4."))
    #expect(rule.report(trial: 4, step: 1, losses: [2, 4]) == .goOn)
    #expect(
      rule.report(trial: 5, step: 1, losses: [2, .nan]) == .stop("Its loss at step 1 is not a number."))
    // Of those that meet the constraints none dominates the fourth, once the first two are known not to.
    #expect(!rule.isIncumbent(3))
    for trial in [0, 1, 2, 4] { rule.settle(trial: trial, as: .complete, isInfeasible: true) }
    #expect(rule.isIncumbent(3) && !rule.isIncumbent(1))
  }
}

@Suite struct IncumbentTests {
  /// What is kept of all trials together, against a look at each of them.
  @Test(arguments: UInt64(0)..<20) func isTheOneThatNoOtherBeats(seed: UInt64) throws {
    var watcher = try stopping(#"{"type":"threshold","upper":1000}"#)
    var generator = Xoshiro256(seed: seed)
    var best: [Int: Double] = [:]
    var endsInNumber: [Int: Bool] = [:]
    var states: [Int: TrialState] = [:]
    var infeasible: Set<Int> = []
    for step in 0..<300 {
      let trial = Int(generator.below(12))
      if generator.below(4) == 0 {
        let all: [TrialState] = [.running, .paused, .failed, .complete, .pruned]
        states[trial] = all[Int(generator.below(5))]
        let answer = [nil, true, false][Int(generator.below(3))]
        if answer == true { infeasible.insert(trial) } else if answer == false { infeasible.remove(trial) }
        watcher.settle(trial: trial, as: states[trial] ?? .running, isInfeasible: answer)
      } else {
        // Few values, so that equal ones are common.
        let loss = generator.below(10) == 0 ? Double.nan : Double(generator.below(20))
        let isInfeasible = generator.below(3) == 0
        if isInfeasible { infeasible.insert(trial) } else { infeasible.remove(trial) }
        _ = watcher.report(trial: trial, step: Int64(step), losses: [loss], isInfeasible: isInfeasible)
        endsInNumber[trial] = !loss.isNaN
        if !loss.isNaN { best[trial] = min(best[trial] ?? loss, loss) }
      }
      let measures = best.filter { states[$0.key] != .failed }
      for trial in 0..<12 {
        var isBest = false
        if endsInNumber[trial] == true, let own = best[trial] {
          // Whoever misses a constraint is worse than all that do not.
          isBest = measures.allSatisfy { other, loss in
            infeasible.contains(trial) == infeasible.contains(other)
              ? own <= loss : infeasible.contains(other)
          }
        }
        #expect(watcher.isIncumbent(trial) == isBest)
      }
      #expect(watcher.paused == (0..<12).filter { states[$0] == .paused })
    }
    var restored = try stopping(#"{"type":"threshold","upper":1000}"#)
    try restored.restore(watcher.state)
    #expect((0..<12).map(restored.isIncumbent) == (0..<12).map(watcher.isIncumbent))
    #expect(restored.paused == watcher.paused)
  }
}
