// Sweeps end to end in one process: real supervisors, real programs, a real database.

import Foundation
import MartletModel
import MartletOrchestration
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@Suite struct SweepEngineTests {
  private static let grid = """
    program: train.py
    name: grid
    project: digits
    method: grid
    metric: {name: val/loss, goal: minimize}
    max_parallel: 2
    parameters:
      x: {values: [3, 1, 2]}
      y: {values: [0.5, 0.25]}

    """

  @Test func `a grid of six, two at a time, to a ranked table and the best model`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          """
          x, y = float(args["x"]), float(args["y"])
          with open(os.path.join(os.environ["MARTLET_RUN_DIR"], "best_model.bin"), "w") as file:
              file.write(f"weights of {name}" * 1000)
          for step in range(5):
              log(step, val__loss=x + y + 4 - step, accuracy=step / 10)
          print("trained", x, y)
          wait("gate")
          """))
      let sweep = try await shop.submit(Self.grid)
      #expect(sweep.state == .running)
      #expect(sweep.spaceSize == 6)
      #expect(try await eventually { try shop.lines("notes").count == 2 })
      #expect(shop.livingCommands.count == 2)
      try shop.write("gate", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      #expect(ended.stateReason == nil)
      #expect(ended.counts[.complete] == 6)

      let trials = try await shop.trials(sweep.id, order: .rank)
      #expect(trials.map(\.objective) == [1.25, 1.5, 2.25, 2.5, 3.25, 3.5])
      #expect(
        trials.map(\.number) == [3, 2, 5, 4, 1, 0], "the order of the file, the last one changing fastest")
      #expect(trials.allSatisfy { $0.state == .complete && $0.runState == .finished && $0.attempts == 1 })
      #expect(mostAtOnce(try shop.lines("notes")) == 2)
      #expect(try shop.lines("notes").count { $0.hasPrefix("begin ") } == 6)

      let best = trials[0]
      #expect(ended.best == Sweep.Best(trial: 3, run: best.run, runName: best.runName, objective: 1.25))
      let run = try await shop.run(best.run)
      #expect(run.exit?.code == 0)
      #expect(run.config == ["x": 1, "y": 0.25])
      #expect(run.metric("val/loss")?.count == 5)
      #expect(run.metric("accuracy")?.max == 0.4)
      #expect(run.startedAt != nil && run.endedAt != nil && run.pid != nil)
      let series = try await shop.engine.tracking.series(
        SeriesRequest(runs: trials.map(\.run), window: SeriesWindow(keys: ["val/loss"])), access: shop.access)
      #expect(series.count == 6)
      #expect(series.allSatisfy { $0.steps == [0, 1, 2, 3, 4] }, "each point once")

      // What people find in the folder.
      let directory = ended.outputDirectory
      #expect(directory.hasPrefix("\(shop.output)/grid_"))
      let table = try shop.text("\(directory)/sweep_summary.csv").split(separator: "\n").map(String.init)
      #expect(table[0] == "run_name,state,x,y,final_val/loss,min_val/loss")
      #expect(
        table.dropFirst().map { $0 }
          == trials.map { trial in
            let (x, y) = (trial.parameters["x"]?.int ?? 0, trial.parameters["y"]?.double ?? 0)
            let value = trial.objective ?? .nan
            return "\(trial.runName),finished,\(x),\(y),\(value),\(value)"
          })
      let copy = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/best_model/best_model.bin"))
      let source = "\(directory)/\(best.runName)/best_model.bin"
      #expect(copy == (try Data(contentsOf: URL(fileURLWithPath: source))))
      let metadata = try JSONValue.parse(try shop.text("\(directory)/best_model/best_model_metadata.json"))
      #expect(metadata["sha256"]?.string == SHA256.hash(copy).map { String(format: "%02x", $0) }.joined())
      #expect(metadata["run_name"]?.string == best.runName)
      #expect(metadata["run_id"]?.string == best.run.rawValue)
      #expect(metadata["source_path"]?.string == source)
      #expect(metadata["parameters"] == ["x": 1, "y": 0.25])
      #expect(metadata["objective"]?["value"]?.double == 1.25)
      #expect(shop.book.troubles == [])
    }
  }

  @Test func `a trial that fails keeps its last lines, and the others go on`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          """
          print("loading")
          if args["x"] == "1":
              raise ValueError("no such column: label")
          log(0, val__loss=float(args["x"]))
          """))
      let sweep = try await shop.submit(Self.grid)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      let trials = try await shop.trials(sweep.id)
      for trial in trials {
        #expect(trial.state == (trial.parameters["x"] == 1 ? .failed : .complete))
      }
      let failed = try #require(trials.first { $0.state == .failed })
      #expect(failed.reason?.hasPrefix("Exited with code 1: ValueError: no such column: label") == true)
      #expect(failed.reason?.contains("Traceback (most recent call last):") == true)
      let run = try await shop.run(failed.run)
      #expect(run.state == .failed)
      #expect(run.exit?.code == 1)
      let ranked = try await shop.trials(sweep.id, order: .rank)
      #expect(ranked.suffix(2).allSatisfy { $0.state == .failed })
      let table = try shop.text("\(ended.outputDirectory)/sweep_summary.csv").split(separator: "\n")
      #expect(table.count == 7)
      #expect(table.suffix(2).allSatisfy { $0.contains(",failed,1,") })
    }
  }

  @Test func `a metric that was never logged fails the trial and names the nearest`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Programs.python("log(0, val__lss=1.0, epoch=1)"))
      let sweep = try await shop.submit(Self.grid)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .failed)
      #expect(
        ended.stateReason
          == "No trial succeeded. The first failure: The metric 'val/loss' was never logged; did you mean 'val/lss'?"
      )
      let trials = try await shop.trials(sweep.id)
      #expect(trials.count == 6)
      #expect(trials.allSatisfy { $0.state == .failed && $0.runState == .finished })
    }
  }

  @Test func `nothing logged, or nothing but NaN, is said`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          "if args['x'] == '1': log(0, val__loss=float('nan'))\nif args['x'] == '2': log(0, zebra=1.0)"))
      let sweep = try await shop.submit(Self.grid)
      #expect(try await shop.ended(sweep.id).state == .failed)
      for trial in try await shop.trials(sweep.id) {
        let words =
          switch trial.parameters["x"]?.int {
          case 1: "every value of it was NaN"
          case 2: "logged were: zebra"
          default: "no metric was logged"
          }
        #expect(trial.reason?.contains(words) == true, "\(trial.reason ?? "none")")
      }
    }
  }

  @Test func `trials get their parameters, their place and nothing of another server`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "show.sh", "env | sort > \"$MARTLET_RUN_DIR/environment\"; pwd > \"$MARTLET_RUN_DIR/place\"\n")
      let sweep = try await shop.submit(
        """
        program: show.sh
        command: [sh, "${program}", "${args}"]
        name: show
        method: grid
        seed: 7
        env: {FROM_FILE: "file", BOTH: "file"}
        parameters: {lr: {values: [1e-3]}}

        """,
        environment: [
          "FROM_SHELL": "shell", "BOTH": "shell", "MARTLET_TOKEN": "other", "MARTLET_SHARD_INDEX": "other",
        ])
      #expect(try await shop.ended(sweep.id).state == .finished)
      let trial = try #require(try await shop.trials(sweep.id).first)
      let run = try await shop.run(trial.run)
      let directory = try #require(run.directory)
      let variables = try shop.text("\(directory)/environment").split(separator: "\n")
        .reduce(into: [String: String]()) { variables, line in
          let halves = line.split(separator: "=", maxSplits: 1)
          variables[String(halves[0])] = halves.count > 1 ? String(halves[1]) : ""
        }
      let attempt = try #require(try await shop.engine.tracking.attempts(run.id, access: shop.access).first)
      #expect(variables["MARTLET_RUN_ID"] == run.id.rawValue)
      #expect(variables["MARTLET_RUN_NAME"] == run.name)
      #expect(variables["MARTLET_RUN_DIR"] == directory)
      #expect(variables["MARTLET_SPOOL_DIR"] == "\(attempt.directory)/spool")
      #expect(variables["MARTLET_SWEEP_ID"] == sweep.id.rawValue)
      #expect(variables["MARTLET_TRIAL_ID"] == "0")
      #expect(variables["MARTLET_ATTEMPT"] == "1")
      #expect(variables["MARTLET_SEED"] == "7")
      #expect(variables["MARTLET_URL"] == "http://127.0.0.1:9")
      #expect(variables["MARTLET_TOKEN"] != "other")
      #expect(variables["MARTLET_SHARD_INDEX"] == nil)
      #expect(variables["MARTLET_DATA"] == shop.data)
      #expect(variables["FROM_SHELL"] == "shell")
      #expect(variables["FROM_FILE"] == "file")
      #expect(variables["BOTH"] == "file")
      #expect(try shop.text("\(directory)/place") == "\(shop.work)\n")
      let params = try JSONValue.parse(try shop.text(try #require(variables["MARTLET_PARAMS"])))
      #expect(params == ["lr": 0.001])
      #expect(run.command == ["sh", "show.sh", "--lr=0.001"])
      #expect(FileManager.default.fileExists(atPath: try #require(variables["MARTLET_CHECKPOINT_DIR"])))
    }
  }

  @Test func `a ghost sweep: its names, its folders, its metrics file, its columns`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "trainer.py",
        """
        import json, sys
        flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
        loss = float(flags["--embed_dim"]) / 128 + (0.5 if flags["--learning_rate"] == "0.0005" else 0.25)
        entries = [{"step": 50 * i, "eval_loss": loss + 1 - i / 2, "train_loss": 0.5 - i / 10, "note": "x"}
                   for i in range(3)]
        with open(flags["--checkpoint_dir"] + "/training_log.json", "w") as file:
            json.dump(entries, file)
        with open(flags["--checkpoint_dir"] + "/best_model.pt", "w") as file:
            file.write(flags["--run_name"])

        """)
      let sweep = try await shop.submit(
        """
        {"base_command": "python3 trainer.py",
         "sweep_params": {"embed_dim": {"values": [256, 128], "prefix": "ed"},
                          "learning_rate": {"values": [5e-4, 1e-4], "prefix": "lr"}},
         "static_params": {"epochs": 1}, "max_parallel_experiments": 2}
        """, filename: "ghost_sweep.json")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished, "\(ended.stateReason ?? "")")
      let trials = try await shop.trials(sweep.id)
      #expect(
        trials.map(\.runName) == [
          "ed_256_lr_5.00e-04", "ed_256_lr_1.00e-04", "ed_128_lr_5.00e-04", "ed_128_lr_1.00e-04",
        ])
      let run = try await shop.run(trials[3].run)
      #expect(run.directory == "\(ended.outputDirectory)/ed_128_lr_1.00e-04")
      #expect(
        run.command?.prefix(6) == [
          "python3", "trainer.py", "--embed_dim", "128", "--learning_rate", "0.0001",
        ])
      #expect(run.metric("eval_loss")?.lastStep == 100)
      #expect(run.metric("train_loss")?.last == 0.3)
      let table = try shop.text("\(ended.outputDirectory)/sweep_summary.csv").split(separator: "\n")
      #expect(table.first == "run_name,final_eval_loss,min_eval_loss,final_train_loss")
      #expect(table.count == 5)
      #expect(table[1].hasPrefix("ed_128_lr_1.00e-04,1.25,1.25,0.3"))
      #expect(try shop.text("\(ended.outputDirectory)/best_model/best_model.pt") == "ed_128_lr_1.00e-04")
      #expect(shop.book.troubles == [])
    }
  }

  @Test func `a random sweep with a budget ends with it`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Programs.python("log(0, loss=float(args['lr']))"))
      let sweep = try await shop.submit(
        """
        program: train.py
        method: random
        metric: {name: loss, goal: maximize}
        run_cap: 5
        max_parallel: 3
        parameters: {lr: {min: 1.0e-5, max: 0.1, distribution: log_uniform_values}}

        """)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      let trials = try await shop.trials(sweep.id)
      #expect(trials.count == 5)
      #expect(Set(trials.map { $0.parameters["lr"] }).count == 5)
      #expect(ended.best?.objective == trials.compactMap(\.objective).max())
      #expect(mostAtOnce(try shop.lines("notes")) <= 3)
    }
  }

  @Test func `what is wrong is said before anything starts`() async throws {
    try await Workshop.with(devices: 1) { shop in
      try shop.write("train.py", "")
      let wrong = await #expect(throws: Problem.self) {
        try await shop.submit(Self.grid.replacing("method: grid", with: "metod: grid"))
      }
      #expect(wrong?.code == .unprocessable)
      #expect(wrong?.details["line"] == 4)
      #expect(wrong?.details["nearest"] == "method")
      let greedy = await #expect(throws: Problem.self) {
        try await shop.submit(Self.grid + "resources: {gpus: 2}\n")
      }
      #expect(greedy?.message == "Each trial needs 2 devices, but this server has 1.")
      let lost = await #expect(throws: Problem.self) {
        try await shop.submit(Self.grid + "workdir: /no/such/place\n")
      }
      #expect(lost?.code == .unprocessable)
      #expect(try await shop.engine.sweeps(SweepQuery(), PageRequest(), access: shop.access).items.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: shop.output))
    }
  }
}
