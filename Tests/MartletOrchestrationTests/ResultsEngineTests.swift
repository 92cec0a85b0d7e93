// What a sweep leaves in its folder as its trials end, and what is found in their losses.

import Foundation
import MartletModel
import MartletOrchestration
import MartletTestSupport
import OrderedCollections
import Testing

@Suite struct ResultsEngineTests {
  /// Trial 0 falls, trial 1 parts and explodes, trial 2 fails.
  private static let program = Programs.python(
    """
    if args["x"] == "2":
        sys.exit("out of luck")
    train, val = ([1, 0.6, 0.3], [1.1, 0.7, 0.5]) if args["x"] == "0" else ([1, 30, 0.2], [1.2, 0.6, 0.9])
    for step in range(3):
        log(step, train__loss=train[step], val__loss=val[step])
    """)

  private static let source = """
    name: losses
    program: train.py
    method: grid
    metric: {name: val/loss, goal: minimize}
    parameters: {x: {values: [0, 1, 2]}, net: {parameters: {width: {value: 8}}}}
    run_name: "x{x}"

    """

  private func json(_ path: String) throws -> JSONValue {
    try JSONValue.parse(try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  @Test func `experiments, failures and what is wrong with them lie in the folder`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(Self.source)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      let folder = ended.outputDirectory
      let overall = try json("\(folder)/overall_results.json")
      #expect(overall["experiment_name"] == "losses")
      #expect(overall["num_experiments"] == 3)
      #expect(overall["successful_experiments"] == 2 && overall["failed_experiments"] == 1)
      #expect(overall["total_time"]?.double ?? -1 > 0)
      let experiments = overall["experiments"]?.array ?? []
      #expect(experiments.map { $0["experiment_name"]?.string } == ["x0", "x1"])
      #expect(experiments.map { $0["best_val_loss"]?.double } == [0.5, 0.6])
      #expect(experiments.first?["hyperparameters"]?["net"]?["width"] == 8)
      let failed = try #require(overall["failed"]?.array?.first)
      #expect(failed["experiment_name"] == "x2")
      #expect(failed["error"]?.string?.contains("out of luck") == true)

      let one = try json("\(folder)/x1/experiment_results.json")
      #expect(one["all_metrics"]?["train/loss"] == [1.0, 30.0, 0.2])
      #expect(one["steps"]?["val/loss"] == [0, 1, 2])
      #expect(one["epochs_trained"] == 3 && one["early_stopped"] == false)
      #expect(one["metric"]?["name"] == "val/loss")

      let issues = [
        "train/loss reached 30, more than 10: it may have exploded.",
        "val/loss rose from 0.6 at step 1 to 0.9 while train/loss fell from 30 to 0.2.",
      ]
      #expect(one["issues"] == JSONValue(issues))
      let trials = try await shop.trials(sweep.id)
      #expect(trials.map { $0.findings?.issues } == [[], issues, nil])
      #expect(trials[1].json["issues"] == JSONValue(issues))
      let table = try shop.text("\(folder)/experiments.csv").split(separator: "\n").map(String.init)
      #expect(table.count == 3)
      #expect(table.dropFirst().first == "x0,0.3,0.5,0.5,3,False,0.7,")
      #expect(shop.book.troubles.filter { !$0.contains("best model") } == [])
    }
  }

  @Test func `what is not wanted is not written`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(Self.source + "results: [summary]\n")
      let folder = try await shop.ended(sweep.id).outputDirectory
      let names = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
      #expect(names == ["sweep_summary.csv", "shared", "x0", "x1", "x2"])
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/x1/experiment_results.json"))
      // It is looked at all the same.
      #expect(try await shop.trials(sweep.id)[1].findings?.issues.count == 2)
    }
  }

  @Test func `a server that starts looks at what the one before left out`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python("log(0, val__loss=0.1)\nlog(1, val__loss=0.2)\nif args['x'] == '1': wait('go')"))
      let sweep = try await shop.submit(Self.source + "max_parallel: 2\n")
      #expect(try await eventually { try await shop.trials(sweep.id).first?.findings != nil })
      let file =
        try #require(try await shop.run(shop.trials(sweep.id)[0].run).directory) + "/experiment_results.json"
      #expect(try json(file)["issues"] == ["val/loss rose from 0.1 to 0.2."])
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      try shop.write("go", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try await shop.trials(sweep.id).allSatisfy { $0.findings?.issues.count == 1 })
    }
  }
}
