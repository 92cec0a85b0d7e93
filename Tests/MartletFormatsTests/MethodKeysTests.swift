// Methods that are early-stopping rules over random search, and what objectives aim at.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct MethodKeysTests {
  private static let metric = "metric: {name: loss}"

  private func read(_ more: String) throws -> SweepSpecification {
    try SweepSpecification.read(
      source: "program: t.py\nparameters: {a: {values: [1, 2]}}\n\(more)\n", filename: "s.yaml")
  }

  private func flaw(_ more: String) throws -> SweepFileError.Flaw {
    let error = #expect(throws: SweepFileError.self) { try read(more) }
    return try #require(error).first
  }

  @Test(arguments: [
    ("asha", "{type: asha}"), ("median", "{type: median}"), ("percentile", "{type: percentile}"),
    ("hyperband", "{type: hyperband, min_iter: 1}"),
    ("{name: asha, max_iter: 27, eta: 3}", "{type: asha, max_iter: 27, eta: 3}"),
    ("{name: hyperband, max_iter: 27, s: 2}", "{type: hyperband, max_iter: 27, s: 2}"),
    ("{name: hyperband, max_iter: 27, min_iter: 3}", "{type: hyperband, max_iter: 27, min_iter: 3}"),
    ("{name: median, startup_trials: 3}", "{type: median, startup_trials: 3}"),
  ]) func `a rule as the method is random search with that rule`(method: String, rule: String) throws {
    let file = try read("method: \(method)\n\(Self.metric)")
    let other = try read("method: random\nearly_terminate: \(rule)\n\(Self.metric)")
    #expect((file.method, file.methodOptions) == ("random", [:]))
    #expect(try file.stoppingRule() == other.stoppingRule())
    #expect(try file.stoppingRule() != nil)
  }

  @Test(arguments: [
    ("method: asha", "method", "needs 'metric'"),
    (
      "method: asha\nearly_terminate: {type: median}\nmetric: {name: loss}", "early_terminate",
      "write 'method: random'"
    ),
    ("method: {name: asha, eta: 0}\nmetric: {name: loss}", "method.eta", "eta"),
    ("method: {name: asha, ete: 3}\nmetric: {name: loss}", "method.ete", "did you mean 'eta'?"),
    (
      "method: random\nmetric: {name: loss}\nearly_terminate: {type: hyperband, min_iters: 3}",
      "early_terminate.min_iters", "did you mean 'min_iter'?"
    ),
    ("method: {name: asha, type: median}\nmetric: {name: loss}", "method.type", "leave 'type' out"),
    (
      "method: {name: hyperband, s: 2, min_iter: 1}\nmetric: {name: loss}", "method.s",
      "'max_iter', which is missing"
    ),
    ("method: median\nobjectives: [{name: a}, {name: b}]", "method.type", "compares one objective"),
  ]) func `what is wrong with it is said at the method`(more: String, key: String, words: String) throws {
    let flaw = try flaw(more)
    #expect(flaw.key == key)
    #expect(flaw.message.contains(words), "\(flaw.message)")
  }

  @Test func `options of the method are looked at whatever else is wrong`() throws {
    let error = #expect(throws: SweepFileError.self) {
      try read(
        "method: {name: tpe, statup: 4}\nearly_terminate: {type: hyperband, min_iters: 3}\n\(Self.metric)")
    }
    #expect(try #require(error).flaws.map(\.key) == ["method.statup", "early_terminate.min_iters"])
  }

  @Test func `a method that nobody has is refused with all there are`() throws {
    let flaw = try flaw("method: ahsa\n\(Self.metric)")
    #expect(flaw.nearest == "asha")
    #expect(flaw.message.contains("median, percentile, asha, hyperband"))
  }

  @Test func `rungs below a least step are left out`() throws {
    let all = try read(
      "method: random\nearly_terminate: {type: hyperband, max_iter: 81, s: 4}\n\(Self.metric)")
    let some = try read(
      "method: random\nearly_terminate: {type: hyperband, max_iter: 81, s: 4, min_iter: 3}\n\(Self.metric)")
    #expect(try all.stoppingRule()?.rungs == [1, 3, 9, 27])
    #expect(try some.stoppingRule()?.rungs == [3, 9, 27])
  }

  @Test func `each objective may aim at a value, and have a metric in its place`() throws {
    let file = try read(
      "method: random\nobjectives: [{name: loss, target: 0.1}, {name: acc, goal: maximize, fallback: top1}]")
    #expect(file.targets == [0.1, nil])
    #expect(file.objectives[1].fallback == "top1")
    #expect(file.searchJSON["targets"] == [0.1, nil])
    #expect(try read("method: random\nobjectives: [{name: loss}, {name: acc}]").targets == [])
    #expect(try flaw("method: random\nobjectives: [{name: loss, target: low}]").key == "objectives[0].target")
  }
}
