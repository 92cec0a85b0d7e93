// What a sweep file says of failed trials, and of bounds that may be missed at a price.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct PenaltyKeysTests {
  private func read(_ more: String, metric: String = "metric: {name: loss}\n") throws -> SweepSpecification {
    try SweepSpecification.read(
      source: "program: t.py\nmethod: random\nparameters: {a: {values: [1, 2]}}\n\(metric)\(more)\n")
  }

  private func flaw(_ more: String, metric: String = "metric: {name: loss}\n") throws -> SweepFileError {
    try #require(throws: SweepFileError.self) { try read(more, metric: metric) }
  }

  @Test func `what a failed trial counts as`() throws {
    #expect(try read("seed: 1").penalties == PenaltyRule())
    #expect(try read("penalties: none").penalties == PenaltyRule())
    #expect(try read("penalties: 1000").penalties == PenaltyRule(value: 1000))
    #expect(
      try read("timeout: 10\npenalties: {failure: {0.5: -3, 0: 1e3}, timeout: 7, infra: 2}").penalties
        == PenaltyRule([
          .failure: [.init(1000), .init(from: 0.5, -3)], .timeout: [.init(7)], .infra: [.init(2)],
        ]))
    #expect(try read("timeout: 10\npenalties: graded").penalties == .graded(.minimize))
    let file = try read(
      "timeout: 10\npenalties: graded", metric: "metric: {name: speed, goal: maximize}\n")
    #expect(file.penalties == .graded(.maximize))
    #expect(file.searchJSON["penalties"]?["timeout"] == -100.0)
    #expect(file.penaltyWords?.contains("a value of speed") == true)
  }

  @Test(arguments: [
    ("penalties: bad", "penalties", "graded or none, not 'bad'"), ("penalties: [1]", "penalties", "a list"),
    ("penalties: {oom: high}", "penalties.oom", "a number"),
    ("penalties: {time: 3}", "penalties.time", "timeout"),
    ("penalties: {failure: {0.5: 3}}\ntimeout: 9", "penalties.failure", "from 0 on"),
    ("penalties: {failure: {0: 3, 1.5: 2}}\ntimeout: 9", "penalties.failure.1.5", "share"),
    ("penalties: {failure: {0: 3, 0.5: 2, 0.50: 1}}\ntimeout: 9", "penalties.failure.0.50", "twice"),
    ("penalties: {failure: {0: 3, 0.5: 2}}", "penalties", "'timeout'"),
    ("penalties: graded", "penalties", "'timeout'"),
  ])
  func `what cannot be is told with its place`(source: String, key: String, words: String) throws {
    let error = try flaw(source)
    #expect(error.key == key)
    #expect(error.line == 5)
    #expect(error.description.contains(words), "\(error)")
  }

  @Test func `penalties are values of one metric`() throws {
    #expect(try flaw("penalties: 3", metric: "").key == "penalties")
    let several = "objectives: [{name: a}, {name: b}]\n"
    #expect(try flaw("penalties: 3", metric: several).description.contains("objectives"))
  }

  // MARK: - Prices

  private func summary(_ value: Double) -> MetricSummary {
    MetricSummary(name: "m", value: value, step: 0, time: Timestamp(microseconds: 0))
  }

  @Test func `a constraint with a weight may be missed at a price`() throws {
    let file = try read(
      """
      constraints:
        - memory <= 8
        - {metric: latency, max: 2, weight: 2}
        - {metric: rate, min: 10, weight: 1, steepness: 0.5, continuous: true}
      """)
    #expect(file.constraints.map(\.metric) == ["memory"])
    #expect(file.problem(seed: 0).constraintCount == 1)
    #expect(
      file.softBounds == [
        SoftBound(OutcomeConstraint(metric: "latency", most: 2), weight: 2),
        SoftBound(
          OutcomeConstraint(metric: "rate", least: 10), weight: 1, steepness: 0.5, isContinuous: true),
      ])
    func score(_ value: Double, _ latency: Double?, _ rate: Double) -> Double? {
      try? file.score(value) { $0 == "latency" ? latency.map(summary) : summary(rate) }.get()
    }
    #expect(score(3, 2, 10) == 3)
    // 10 % too much: 3 · (1 + 2e).
    #expect(score(3, 2.2, 10).map { ($0 - 19.309_690_970_754_27).magnitude < 1e-9 } == true)
    // At the bound nothing, half of it missed 1 · (e − 1).
    #expect(score(3, 2, 5).map { ($0 - 8.154_845_485_377_135).magnitude < 1e-9 } == true)
    #expect(score(3, 1e300, 10)?.isFinite == true)
    #expect(score(3, nil, 10) == nil)
    #expect(file.searchJSON["soft_constraints"]?.array?.count == 2)
  }

  @Test func `what is maximized becomes less`() throws {
    let file = try read(
      "constraints: [{metric: latency, max: 2, weight: 2}]", metric: "metric: {name: speed, goal: maximize}\n"
    )
    func score(_ value: Double) -> Double? { try? file.score(value) { _ in summary(2.2) }.get() }
    #expect(score(3).map { ($0 + 13.309_690_970_754_27).magnitude < 1e-9 } == true)
    #expect(score(-3).map { ($0 + 19.309_690_970_754_27).magnitude < 1e-9 } == true)
  }

  @Test(arguments: [
    ("constraints: [{metric: m, max: 2, steepness: 0.2}]", "constraints[0].weight"),
    ("constraints: [{metric: m, max: 2, weight: 0}]", "constraints[0].weight"),
    ("constraints: [{metric: m, max: 0, weight: 1}]", "constraints[0].max"),
    ("constraints: [{metric: m, max: 2, weight: 1, steepness: -1}]", "constraints[0].steepness"),
  ])
  func `prices that cannot be are told`(source: String, key: String) throws {
    let error = try flaw(source)
    #expect(error.key == key)
    #expect(error.line == 5)
  }

  @Test func `prices need the one metric that they are added to`() throws {
    let source = "constraints: [{metric: m, max: 2, weight: 1}]"
    #expect(try flaw(source, metric: "").key == "constraints")
    #expect(try flaw(source, metric: "objectives: [{name: a}, {name: b}]\n").key == "constraints")
  }
}
