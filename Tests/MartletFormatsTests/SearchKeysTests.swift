// What a sweep file says of its search: objectives, constraints, budgets, conditions, points, methods' options.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct SearchKeysTests {
  private func read(_ more: String, parameters: String = "{a: {values: [1, 2]}, b: {values: [x, y]}}") throws
    -> SweepSpecification
  {
    try SweepSpecification.read(source: "program: t.py\nparameters: \(parameters)\n\(more)\n")
  }

  @Test func `which number of a metric counts is said with it`() throws {
    let file = try read("method: random\nmetric: {name: acc, goal: maximize, of: last, target: 0.9}")
    #expect(file.objectives == [Objective(metric: "acc", goal: .maximize, statistic: .last)])
    #expect(file.targets == [0.9])
    var summary = MetricSummary(name: "acc", value: 0.5, step: 0, time: Timestamp(microseconds: 0))
    summary.add(0.9, step: 1, time: Timestamp(microseconds: 1))
    summary.add(0.7, step: 2, time: Timestamp(microseconds: 2))
    #expect(file.objective?.value(in: summary) == 0.7)
    func value(_ statistic: Objective.Statistic) -> Double? {
      Objective(metric: "acc", goal: .maximize, statistic: statistic).value(in: summary)
    }
    #expect(value(.best) == 0.9)
    #expect(value(.min) == 0.5)
    #expect(value(.mean).map { ($0 - 0.7).magnitude < 1e-12 } == true)
  }

  @Test func `several objectives and constraints make the problem`() throws {
    let file = try read(
      """
      method: random
      objectives: [{name: loss}, {name: speed, goal: maximize, of: mean}]
      constraints: [latency <= 20, {metric: memory, min: 1, max: 8, of: max}]
      """)
    #expect(file.objectives.map(\.metric) == ["loss", "speed"])
    let problem = file.problem(seed: 1)
    #expect((problem.objectiveCount, problem.constraintCount) == (2, 2))
    #expect(
      file.constraints == [
        OutcomeConstraint(metric: "latency", most: 20),
        OutcomeConstraint(metric: "memory", statistic: .max, least: 1, most: 8),
      ])
    let summary = MetricSummary(name: "m", value: 23, step: 0, time: Timestamp(microseconds: 0))
    #expect(file.constraints[0].violation(in: summary) == 3)
    #expect(file.constraints[1].violation(in: summary) == 15)
    #expect(file.constraints[0].violation(in: nil).isNaN)
  }

  @Test func `budgets are limits beside the number of trials`() throws {
    let file = try read(
      "method: random\nbudget: {trials: 9, finished: 7, time: 1h30m, gpu_hours: 0.5, no_improvement: 3}")
    #expect(file.budget == 9)
    #expect(
      file.limits(budget: 9)
        == SweepLimits(trials: 9, finished: 7, seconds: 5400, deviceSeconds: 1800, withoutImprovement: 3))
    #expect(try read("method: random\nbudget: 12").budget == 12)
  }

  @Test func `parameters that hang on others have values only there`() throws {
    let file = try read(
      "method: grid\nrun_cap: 50",
      parameters: """
        {opt: {values: [sgd, adam]}, layers: {min: 1, max: 3}, momentum: {values: [0.5, 0.9], when: {opt: sgd}}, \
        width: {values: [8, 16], when: {opt: [adam], layers: {min: 3}}}}
        """)
    var search = try file.search(seed: 0)
    var points: [Point] = []
    while case .trial(let suggestion) = search.ask(trial: points.count) { points.append(suggestion.point) }
    #expect(points.count == 3 * 2 + 2 + 2)
    #expect(Set(points).count == points.count)
    for point in points {
      #expect((point["momentum"] != nil) == (point["opt"] == "sgd"))
      #expect((point["width"] != nil) == (point["opt"] == "adam" && point["layers"] == 3))
    }
  }

  @Test func `computed parameters and relations between parameters hold at every point`() throws {
    let file = try read(
      "method: grid\nwhere: [c * d <= 12, c < d + 3]\nderived: {rest: 1 - share}",
      parameters: """
        {c: {values: [1, 2, 4, 8]}, d: {values: [1, 3]}, share: {values: [0.3, 0.7]}, net: {parameters: \
        {size: {expression: c * d}}}}
        """)
    var search = try file.search(seed: 0)
    var points: [Point] = []
    while case .trial(let suggestion) = search.ask(trial: points.count) { points.append(suggestion.point) }
    #expect(points.count == (2 + 3) * 2)
    for point in points {
      let (c, d) = (try #require(point["c"]?.double), try #require(point["d"]?.double))
      #expect(c * d <= 12 && c < d + 3)
      #expect(point["net.size"]?.double == c * d)
      #expect(point["rest"] == (point["share"] == 0.3 ? 0.7 : 0.3))
    }
    for (keys, key) in [
      ("where: a <= e", "where"), ("derived: {z: 1 - }", "derived.z"), ("where: a + 1", "where"),
    ] {
      let error = #expect(throws: SweepFileError.self) { try read("method: grid\n\(keys)") }
      #expect(error?.key == key)
      #expect(error?.line == 4)
    }
  }

  @Test func `points of the file come first and give their runs names`() throws {
    let file = try read("method: grid\npoints: [{a: 2, b: y}, {name: usual, parameters: {a: 1, b: x}}]")
    var search = try file.search(seed: 0)
    var points: [Point] = []
    while case .trial(let suggestion) = search.ask(trial: points.count) { points.append(suggestion.point) }
    #expect(
      points.map(\.flat) == [
        ["a": 2, "b": "y"], ["a": 1, "b": "x"], ["a": 1, "b": "y"], ["a": 2, "b": "x"],
      ])
    #expect(file.runName(for: points[1], number: 1, seed: 0) == "usual")
  }

  @Test func `a method may bring options, and a wrong one is told at its place`() throws {
    let plain = try read("method: random")
    #expect(plain.methodOptions.isEmpty)
    let error = #expect(throws: SweepFileError.self) { try read("method: {name: random, startup: 3}") }
    #expect(error?.key == "method.startup")
    #expect(error?.line == 3)
  }

  @Test func `early stopping is read with the file`() throws {
    let file = try read(
      "method: random\nmetric: {name: loss}\nearly_terminate: {type: hyperband, min_iter: 3, eta: 2}")
    var watcher = try #require(try file.watcher(seed: 1))
    for trial in 0..<8 {
      let decision = watcher.report(trial: trial, step: 3, losses: [Double(8 - trial)])
      // Each is better than all before it.
      #expect(decision == .goOn)
    }
    #expect(watcher.report(trial: 8, step: 3, losses: [100]) != .goOn)
    let error = #expect(throws: SweepFileError.self) {
      try read("method: random\nmetric: {name: loss}\nearly_terminate: {type: hyperband, min_itr: 3}")
    }
    #expect(error?.description.contains("min_it") == true)
    #expect(error?.line == 5)
  }

  @Test func `the file that is written to begin with can be read`() throws {
    let file = try SweepSpecification.read(source: SweepTemplate.text(program: "train.py"))
    #expect(file.runCap == 30)
    #expect(file.notes.isEmpty)
  }
}
