// What a sweep file says of single parameters beyond W&B's distributions: order, scales, steps, groups with a condition.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct SpaceKeysTests {
  private func read(_ parameters: String, _ more: String = "method: random") throws -> SweepSpecification {
    try SweepSpecification.read(
      source: "program: t.py\nparameters: \(parameters)\n\(more)\n", filename: "s.yaml")
  }

  private func flaw(_ parameters: String, _ more: String = "method: random") throws -> SweepFileError.Flaw {
    let error = #expect(throws: SweepFileError.self) { try read(parameters, more) }
    return try #require(error).first
  }

  @Test(arguments: [
    ("{distribution: ordinal, values: [s, m, l]}", Domain.ordinal(["s", "m", "l"])),
    ("{min: 1, max: 1024, log: true}", .integers(min: 1, max: 1024, scale: .logarithmic)),
    ("{min: 2, max: 64, step: 2, log: true}", .integers(min: 2, max: 64, step: 2, scale: .logarithmic)),
    (
      "{distribution: int_log_uniform_values, min: 1, max: 9}",
      .integers(min: 1, max: 9, scale: .logarithmic)
    ),
    ("{min: 1, max: 9, log: false}", .integers(min: 1, max: 9)),
    ("{min: 1e-4, max: 0.1, log: true}", .real(.logUniformValues(min: 1e-4, max: 0.1))),
    (
      "{min: 1.0, max: 100, q: 0.5, log: true}",
      .real(.logUniformValues(min: 1, max: 100), quantum: Quantum(0.5))
    ),
    ("{min: 0.05, max: 1, step: 0.1}", .real(.uniform(min: 0.05, max: 1), quantum: Quantum(0.1, from: 0.05))),
    ("{min: 0, max: 1, step: 0.25}", .real(.uniform(min: 0, max: 1), quantum: Quantum(0.25))),
    ("{min: 3, max: 3}", .constant(3)), ("{min: 0.5, max: 0.5}", .constant(0.5)),
    ("{min: 0.3, max: 0.3, q: 0.1}", .constant(0.3)),
    (
      "{min: 9007199254740992, max: 9007199254740993}",
      .integers(min: 9_007_199_254_740_992, max: 9_007_199_254_740_993)
    ),
  ]) func settings(text: String, domain: Domain) throws {
    #expect(try read("{a: \(text), b: {values: [1, 2]}}").space.parameters[0].domain == domain)
  }

  @Test func `steps of real numbers count from the lower bound`() throws {
    let file = try read("{a: {min: 0.05, max: 0.4, step: 0.1}}", "method: grid")
    var search = try file.search(seed: 0)
    var values: [String] = []
    while case .trial(let one) = search.ask(trial: values.count) { values.append(one.point.flat.text) }
    #expect(values == [#"{"a":0.05}"#, #"{"a":0.15}"#, #"{"a":0.25}"#, #"{"a":0.35}"#])
  }

  @Test func `a parameter with one value is said to be none that is searched`() throws {
    let file = try read("{a: {min: 3, max: 3}, b: {values: [1, 2]}}")
    #expect(file.notes.contains { $0.contains("'parameters.a' has one value") })
  }

  @Test(arguments: [
    ("{a: {values: [1, 2], log: true}}", "parameters.a.log", "it is for min and max of uniform values"),
    ("{a: {min: 1, max: 9, log: often}}", "parameters.a.log", "must be true or false"),
    ("{a: {min: 0, max: 9, log: true}}", "parameters.a.min", "min must be 1 or more on a logarithmic scale"),
    ("{a: {min: 0.1, max: 9, step: 0.1, log: true}}", "parameters.a.step", "cannot stand beside 'log'"),
    ("{a: {min: 0.1, max: 9, step: -1}}", "parameters.a.step", "a number greater than 0"),
    ("{a: {min: 0.1, max: 9, q: 1, step: 1}}", "parameters.a.step", "has no meaning"),
    ("{a: {distribution: ordinal, values: []}}", "parameters.a.values", "values is empty"),
    ("{a: {distribution: int_uniform, min: 0, max: 9, step: 0.5}}", "parameters.a.step", "a whole number"),
    ("{a: {min: 1, max: 1, step: banana}}", "parameters.a.step", "a number"),
    ("{a: {min: 1, max: 1, step: -3}}", "parameters.a.step", "-3"),
    ("{a: {min: 0.05, max: 0.05, q: 0.1}}", "parameters.a.min", "must be less than max"),
    ("{a: {min: -1, max: -1, log: true}}", "parameters.a.min", "must be less than max"),
    ("{a: {distribution: int_uniform, min: 1.5, max: 1.5}}", "parameters.a.min", "a whole number"),
    ("{a: {values: [1, 2]}, b: 1 - a}", "parameters.b", "{expression: 1 - a}"),
  ]) func flaws(parameters: String, key: String, words: String) throws {
    let flaw = try flaw(parameters)
    #expect(flaw.key == key)
    #expect(flaw.message.contains(words), "\(flaw.message)")
  }

  @Test func `a condition beside a group holds for all in it`() throws {
    let file = try read(
      """
      {optimizer: {values: [sgd, adam]}, depth: {min: 1, max: 3},
       sgd: {when: {optimizer: sgd}, parameters: {momentum: {min: 0.0, max: 0.9},
         nested: {when: {depth: {min: 2}}, parameters: {decay: {values: [0, 1], when: {sgd.momentum: {max: 0.5}}}}}}}}
      """)
    let sgd = Condition.isOne(of: ["sgd"], "optimizer")
    #expect(file.space.parameters[2].condition == sgd)
    #expect(
      file.space.parameters[3].condition
        == .all([sgd, .atLeast(2, "depth"), .atMost(0.5, "sgd.momentum")]))
  }

  @Test func `rules compare texts, and are joined by or and not`() throws {
    let rule = "optimizer != 'sgd' or lr <= 0.1"
    let parameters = "{optimizer: {values: [sgd, adam]}, lr: {values: [0.1, 0.2]}}"
    let file = try read(parameters, "method: grid\nwhere: \"\(rule)\"")
    var search = try file.search(seed: 0)
    var points: [String] = []
    while case .trial(let one) = search.ask(trial: points.count) { points.append(one.point.flat.text) }
    #expect(points.count == 3)
    #expect(!points.contains(#"{"optimizer":"sgd","lr":0.2}"#))
    let flaw = try flaw(parameters, "method: grid\nwhere: optimizer == sgd")
    #expect((flaw.key, flaw.line) == ("where", 4))
    #expect(flaw.message.contains("texts stand in quotes: optimizer == 'a text'"), "\(flaw.message)")
  }

  @Test(arguments: [
    ("{min: 0.01, max: 0.5}", [0.2, 0.3, 0.07, 0.01, 0.5]),
    ("{min: 1e-5, max: 0.1, log: true}", [0.003, 0.001, 0.01, 0.1]),
    ("{distribution: normal}", [0.1, -0.7, 3]),
    ("{distribution: log_normal}", [0.1, 0.7, 3]),
    ("{distribution: beta, a: 2, b: 5}", [0.1, 0.7, 0.3]),
  ]) func `points that are given stay as they are, with their names`(settings: String, values: [Double])
    throws
  {
    let points = values.enumerated().map { "{name: p\($0), parameters: {lr: \($1), k: 1}}" }.joined(
      separator: ", ")
    for method in ["points", "random", "gp"] {
      let file = try read(
        "{lr: \(settings), k: {values: [0, 1]}, twice: {expression: 2 * lr}}",
        "metric: {name: loss}\nmethod: \(method)\npoints: [\(points)]")
      var search = try file.search(seed: 3)
      for (place, value) in values.enumerated() {
        guard case .trial(let one) = search.ask(trial: place) else {
          Issue.record("\(method) gives no point \(place)")
          continue
        }
        #expect(one.point["lr"] == .double(value))
        #expect(one.point["twice"]?.double.map { ($0 - 2 * value).magnitude < 1e-12 } == true)
        #expect(file.runName(for: one.point, number: place, seed: 3) == "p\(place)")
      }
    }
  }

  @Test func `a point on the bound of a condition has what the condition gives`() throws {
    let file = try read(
      "{lr: {min: 0.01, max: 0.5}, k: {values: [0, 1], when: {lr: {min: 0.2}}}}",
      "method: points\npoints: [{lr: 0.2, k: 1}, {lr: 0.1}]")
    var search = try file.search(seed: 0)
    guard case .trial(let first) = search.ask(trial: 0), case .trial(let second) = search.ask(trial: 1) else {
      Issue.record("no points")
      return
    }
    #expect(first.point.flat == ["lr": 0.2, "k": 1])
    #expect(second.point.flat == ["lr": 0.1])
  }

  @Test func `a method that learns says that it has nothing to learn from`() throws {
    #expect(
      try read("{a: {values: [1, 2]}}", "method: tpe").notes.contains {
        $0.contains("'tpe' learns from 'metric'")
      })
    for method in ["grid", "random", "sobol"] {
      #expect(try read("{a: {values: [1, 2]}}", "method: \(method)").notes == [])
    }
  }
}
