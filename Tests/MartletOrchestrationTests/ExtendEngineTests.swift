// Sweeps that have ended and are taken up again, and populations that go on from each other's checkpoints.

import MartletModel
import MartletScheduling
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletOrchestration

@Suite struct ExtendEngineTests {
  private static let program = Programs.python("log(0, loss=float(args['x']))")

  private func sweep(_ more: String) -> String {
    """
    program: train.py
    name: extended
    max_parallel: 2
    metric: {name: loss}
    \(more)

    """
  }

  @Test func `a sweep that has ended goes on with more trials, and knows what it tried`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let file = sweep("method: random\nrun_cap: 2\nparameters: {x: {values: [1, 2, 3, 4]}}")
      let sweep = try await shop.ended(try await shop.submit(file).id)
      #expect(sweep.state == .finished)
      await #expect(throws: Problem.self) {
        try await shop.engine.extendSweep(sweep.id, to: 1, access: shop.access)
      }
      let extended = try await shop.engine.extendSweep(sweep.id, to: 3, access: shop.access)
      #expect(extended.budget == 3)
      #expect(try await shop.ended(sweep.id).counts[.complete] == 3)
      // By hand, and after a restart.
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      let tried = try await shop.trials(sweep.id).compactMap { $0.parameters["x"]?.int }
      let left = try #require((1...4).first { !tried.contains($0) })
      await #expect(throws: Problem.self) {
        try await shop.engine.addPoint(["x": .int(tried[0])], to: sweep.id, access: shop.access)
      }
      _ = try await shop.engine.addPoint(["x": .int(left)], to: sweep.id, access: shop.access)
      let ended = try await shop.ended(sweep.id)
      #expect((ended.state, ended.budget) == (.finished, 4))
      let trials = try await shop.trials(sweep.id)
      #expect(trials.compactMap { $0.parameters["x"]?.int }.sorted() == [1, 2, 3, 4])
      #expect(ended.best?.trial == trials.first { $0.parameters["x"] == 1 }?.number)
      // Every point was tried: it would end at once, and stays as it is.
      await #expect(throws: Problem.self) {
        try await shop.engine.extendSweep(sweep.id, to: 9, access: shop.access)
      }
      #expect(try await shop.engine.sweep(sweep.id, access: shop.access).budget == 4)
      #expect(shop.book.troubles.isEmpty)
    }
  }

  @Test func `a trial is tried again with other seeds and in folders of its own, before and after a restart`()
    async throws
  {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          """
          with open("seeds", "ab", buffering=0) as seeds:
              seeds.write((os.environ["MARTLET_SEED"] + "\\n").encode())
          log(0, loss=float(args["x"]))
          """))
      // The rule alone names each point's run.
      let file = sweep("method: grid\nrun_name: 'x{x}'\nparameters: {x: {values: [1, 2]}}")
      let sweep = try await shop.ended(try await shop.submit(file).id)
      #expect(sweep.budget == 2)
      let again = try await shop.engine.repeatTrial(0, of: sweep.id, times: 2, access: shop.access)
      #expect(again.budget == 4)
      #expect(try await shop.ended(sweep.id).counts[.complete] == 4)
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      _ = try await shop.engine.repeatTrial(1, of: sweep.id, times: 1, access: shop.access)
      let ended = try await shop.ended(sweep.id)
      #expect((ended.state, ended.budget) == (.finished, 5))
      let trials = try await shop.trials(sweep.id)
      #expect(trials.map { $0.parameters["x"] } == [1, 2, 1, 1, 2])
      #expect(trials.map(\.runName) == ["x1", "x2", "x1_2", "x1_3", "x2_4"])
      #expect(Set(try shop.lines("seeds")).count == 5)
      await #expect(throws: Problem.self) {
        try await shop.engine.repeatTrial(5, of: sweep.id, times: 1, access: shop.access)
      }
      #expect(shop.book.troubles.isEmpty)
    }
  }

  @Test func `a population goes on from the checkpoints of its best`() async throws {
    try await Workshop.with { shop in
      // Each stretch adds its rate to what its checkpoint holds: the loss says what was handed on.
      try shop.write(
        "train.py",
        Programs.python(
          """
          before = os.environ.get("MARTLET_RESUME_FROM")
          state = json.load(open(before)) if before else {"done": 0.0, "line": []}
          state["done"] += float(args["rate"])
          state["line"].append(int(os.environ["MARTLET_TRIAL_ID"]))
          json.dump(state, open(os.path.join(os.environ["MARTLET_CHECKPOINT_DIR"], "state.json"), "w"))
          with open("lines", "ab", buffering=0) as lines:
              lines.write((json.dumps(state["line"]) + "\\n").encode())
          log(len(state["line"]), loss=-state["done"])
          """))
      let file = sweep(
        """
        method: {name: pbt, population: 3, generations: 3, truncation: 0.34}
        seed: 5
        parameters: {rate: {min: 0.1, max: 1.0}}
        """)
      let ended = try await shop.ended(try await shop.submit(file).id)
      #expect(ended.state == .finished, "\(ended.stateReason ?? "")")
      let trials = try await shop.trials(ended.id)
      #expect(trials.count == 9)
      let lines = try shop.lines("lines").map { try JSONValue.parse($0).array?.compactMap(\.int) ?? [] }
      for line in lines {
        // What each went on from is what the sweep says of it, back to the first.
        for (earlier, later) in zip(line, line.dropFirst()) {
          #expect(trials[Int(later)].json["from_trial"]?.int == earlier)
        }
        #expect(trials[Int(line[0])].json["from_trial"]?.isNull == true)
      }
      // Somebody was behind, and went on from another's checkpoint.
      func member(_ trial: Trial) -> Int64? { trial.origin["note"]?["pbt"]?.array?.first?.int }
      let copies = trials.filter { trial in
        trial.origin["from"]?.int.map { member(trials[Int($0)]) != member(trial) } ?? false
      }
      #expect(!copies.isEmpty, "\(lines)")
    }
  }
}
