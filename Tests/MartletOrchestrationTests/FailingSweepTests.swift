// Sweeps that cannot succeed, and what must hold all the same.

import Foundation
import MartletModel
import MartletOrchestration
import OrderedCollections
import Testing

@Suite struct FailingSweepTests {
  @Test func `a sweep whose program cannot be started ends after a few trials`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        """
        command: ["/no/such/program", "${args}"]
        method: random
        metric: {name: loss}
        parameters: {x: {min: 0.0, max: 1.0}}
        """)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .failed)
      #expect(ended.stateReason?.contains("'/no/such/program' could not be started") == true)
      let trials = try await shop.trials(sweep.id)
      #expect((5...7).contains(trials.count), "an endless search made \(trials.count) trials")
      #expect(trials.allSatisfy { $0.state == .failed })
    }
  }

  @Test func `with fewer devices after a restart a sweep stops, and the server lives`() async throws {
    try await Workshop.with(devices: 2) { shop in
      try shop.write("train.py", Programs.python("wait('gate')\nlog(0, loss=1.0)"))
      let sweep = try await shop.submit(
        """
        program: train.py
        method: random
        metric: {name: loss}
        max_parallel: 2
        resources: {gpus: 2}
        parameters: {x: {min: 0.0, max: 1.0}}
        """)
      #expect(try await shop.running(sweep.id, count: 1))
      await shop.close()
      try await shop.open(devices: 1)
      try await shop.engine.start()
      try shop.write("gate", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .stopped)
      #expect(ended.stateReason == "It needs 2 devices, but this server has 1.")
      #expect(ended.counts[.complete] == 1, "the trial that ran went on")
      #expect(ended.counts[.failed] == 1)
    }
  }

  @Test func `the best model is the best run's or nobody's`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          """
          log(0, loss=10.0 - float(args["x"]))
          if args["x"] == "1":
              open(os.path.join(os.environ["MARTLET_RUN_DIR"], "best_model.bin"), "w").write("one")
          """))
      let sweep = try await shop.submit(
        """
        program: train.py
        method: grid
        metric: {name: loss}
        max_parallel: 1
        checkpoint: best_model.b*
        parameters: {x: {values: [1, 2]}}
        """)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.best?.trial == 1)
      #expect(!FileManager.default.fileExists(atPath: "\(ended.outputDirectory)/best_model"))
      #expect(shop.book.troubles.contains { $0.contains("matches 'best_model.b*'") })
    }
  }

  @Test func `a folder that matches is the best model, whole, and no link leads out of it`() async throws {
    try await Workshop.with { shop in
      try shop.write("secret", "secret")
      try shop.write(
        "train.py",
        Programs.python(
          """
          log(0, loss=float(args["x"]))
          folder = os.path.join(os.environ["MARTLET_RUN_DIR"], "best_model")
          os.makedirs(folder + "/tokenizer/empty")
          for number, file in enumerate(["weights.bin", "tokenizer/best_model_words.txt", "config.json"]):
              open(f"{folder}/{file}", "w").write(file + args["x"])
              os.utime(f"{folder}/{file}", (1e9 + number, 1e9 + number))
          os.symlink(os.path.abspath("secret"), folder + "/link")
          os.symlink(os.getcwd(), folder + "/links")
          os.utime(folder, (1, 1))
          # Newer than the folder, but older than what lies in it.
          open(os.path.join(os.environ["MARTLET_RUN_DIR"], "best_model.old"), "w").close()
          os.utime(os.path.join(os.environ["MARTLET_RUN_DIR"], "best_model.old"), (1e9 - 1, 1e9 - 1))
          """))
      let sweep = try await shop.submit(
        """
        program: train.py
        method: grid
        metric: {name: loss}
        max_parallel: 1
        parameters: {x: {values: [1, 2]}}
        """)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.best?.trial == 0)
      let best = "\(ended.outputDirectory)/best_model"
      let names = FileManager.default.enumerator(atPath: best)?.compactMap { $0 as? String } ?? []
      let files = ["config.json", "tokenizer/best_model_words.txt", "weights.bin"]
      #expect(
        Set(names)
          == Set(
            files.map { "best_model/\($0)" } + [
              "best_model", "best_model/tokenizer", "best_model/tokenizer/empty", "best_model_metadata.json",
            ]))
      let metadata = try JSONValue.parse(try shop.text("\(best)/best_model_metadata.json"))
      #expect(metadata["sha256"] == .null)
      #expect(metadata["files"]?.object?.keys.map { $0 } == files)
      for file in files {
        #expect(try shop.text("\(best)/best_model/\(file)") == file + "1")
        let hash = SHA256.hash(Data((file + "1").utf8)).map { String(format: "%02x", $0) }.joined()
        #expect(metadata["files"]?[file]?.string == hash)
      }
      let run = try await shop.run(try #require(ended.best).run)
      #expect(metadata["source_path"]?.string == "\(run.directory ?? "")/best_model")
      #expect(shop.book.troubles == [])
    }
  }

  @Test(arguments: [
    ("checkpoint*", "checkpoint_2.pt"), ("checkpoints/epoch_1*", "epoch_1.pt"), ("*_1.pt", "epoch_1.pt"),
    ("che*epoch_1.pt", nil), ("empty*", nil),
  ]) func `the pattern is matched with names, and with paths whose slashes are written`(
    pattern: String, file: String?
  ) async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          """
          log(0, loss=1.0)
          for number, file in enumerate(["epoch_1.pt", "epoch_2.pt", "checkpoint_1.pt2", "checkpoint_2.pt"]):
              path = os.path.join(os.environ["MARTLET_CHECKPOINT_DIR"], file)
              open(path, "w").write(file)
              os.utime(path, (1e9 + number, 1e9 + number))
          os.makedirs(os.path.join(os.environ["MARTLET_RUN_DIR"], "empty/folder"))
          """))
      let sweep = try await shop.submit(
        "program: train.py\nmethod: grid\nmetric: {name: loss}\ncheckpoint: '\(pattern)'\n"
          + "parameters: {x: {values: [1]}}\n")
      let ended = try await shop.ended(sweep.id)
      let best = "\(ended.outputDirectory)/best_model"
      let names = (try? FileManager.default.contentsOfDirectory(atPath: best)) ?? []
      #expect(Set(names) == Set(file.map { [$0, "best_model_metadata.json"] } ?? []))
      #expect(shop.book.troubles.isEmpty == (file != nil))
    }
  }

  @Test func `runs that end at once have host, times and creator`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        "command: [/bin/true]\nmethod: grid\nparameters: {x: {min: 1, max: 8}}")
      #expect(try await shop.ended(sweep.id).state == .finished)
      for trial in try await shop.trials(sweep.id) {
        let run = try await shop.run(trial.run)
        #expect(run.host?.isEmpty == false)
        #expect(run.startedAt != nil && run.endedAt != nil)
        #expect(trial.startedAt != nil && trial.endedAt != nil)
        #expect(run.createdBy == (try shop.engine.localPrincipal.name))
      }
    }
  }

  @Test func `names as long as may be make folders`() async throws {
    try await Workshop.with { shop in
      let run = try await shop.execute(["true"], more: ["name": .string(String(repeating: "é", count: 128))])
      #expect(try await shop.runEnded(run.id).state == .finished)
    }
  }
}
