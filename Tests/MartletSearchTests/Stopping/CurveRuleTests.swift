// The rules that look at one curve or at curves of completed trials: percentile, patience.

import MartletModel
import Testing

@testable import MartletSearch

private let loss = [Objective(metric: "loss", goal: .minimize)]

private func stopping(_ json: JSONValue) throws -> EarlyStopping {
  EarlyStopping(try StoppingRuleConfiguration(json, objectives: loss), objectives: loss, seed: 1)
}

@Suite struct CurveRuleTests {
  @Test func worseThanTheMedianOfCompletedTrialsEnds() throws {
    var rule = try stopping(["type": "median", "startup_trials": 3, "min_iter": 2])
    for trial in 0..<3 {
      for step in Int64(1)...4 {
        _ = rule.report(trial: trial, step: step, losses: [Double(trial + 1) / Double(step)])
      }
      rule.settle(trial: trial, as: trial == 2 ? .complete : .running)
    }
    // One has completed, three are needed.
    #expect(rule.report(trial: 3, step: 2, losses: [9]) == .goOn)
    for trial in 0..<2 { rule.settle(trial: trial, as: .complete) }
    #expect(rule.report(trial: 4, step: 1, losses: [9]) == .goOn)
    #expect(rule.report(trial: 4, step: 2, losses: [1]) == .goOn)
    #expect(
      rule.report(trial: 5, step: 3, losses: [0.7])
        == .stop(
          "Its best loss up to step 3, 0.7, is worse than the median of 3 completed trials there (0.6667)."))
    // Nobody came so far.
    #expect(rule.report(trial: 6, step: 5, losses: [9]) == .goOn)
  }

  @Test func percentilesLieBetweenValues() {
    #expect(PercentileRule.quantile(0.25, of: [4, 1, 3, 2]) == 1.75)
    #expect(PercentileRule.quantile(0.5, of: [3, 1, 2]) == 2)
    #expect(PercentileRule.quantile(1, of: [3, 1, 2]) == 3)
    #expect(PercentileRule.quantile(0.75, of: [1, .infinity]) == .infinity)
  }

  /// The curve forgets details, never in favour of the trial it is of.
  @Test func aCurveStaysSmallAndHonest() throws {
    var generator = Xoshiro256(seed: 4)
    var curve = BestCurve(reach: 0)
    var reports: [(step: Int64, loss: Double)] = []
    for index in 0..<2000 {
      // Steps that go back now and then.
      let step = Int64(max(0, index - (index % 37 == 0 ? 20 : 0)))
      let loss = 10 / Double(index + 10) + 0.2 * generator.unit()
      reports.append((step, loss))
      curve.record(loss, at: step)
    }
    var worst = 0.0
    for step in stride(from: Int64(0), to: 2000, by: 13) {
      let truth = reports.filter { $0.step <= step }.map(\.loss).min() ?? .infinity
      #expect(curve.best(at: step) >= truth)
      worst = max(worst, curve.best(at: step) - truth)
    }
    #expect(worst < 0.1)
    #expect(curve.best == reports.map(\.loss).min())
    #expect(curve.json["knots"]?.array?.count ?? 99 <= BestCurve.capacity)
    #expect(BestCurve(curve.json) == curve)
  }

  @Test func patienceCountsReportsThatBringNothing() throws {
    var rule = try stopping(["type": "patience", "patience": 2, "min_delta": 0.1])
    _ = rule.report(trial: 9, step: 1, losses: [0])
    #expect(rule.report(trial: 0, step: 10, losses: [1]) == .goOn)
    #expect(rule.report(trial: 0, step: 20, losses: [0.95]) == .goOn)
    // Better, so the count begins anew; a step that comes twice counts once.
    #expect(rule.report(trial: 0, step: 30, losses: [0.8]) == .goOn)
    #expect(rule.report(trial: 0, step: 40, losses: [0.8]) == .goOn)
    #expect(rule.report(trial: 0, step: 40, losses: [0.8]) == .goOn)
    #expect(
      rule.report(trial: 0, step: 50, losses: [.nan])
        == .stop("Its loss became no better in 2 reports since step 30 (0.8)."))
  }
}
