// Running trials whose values reach the engine: stopped in between, paused and gone on with, found again by the next
// engine; and a search that people help.

import MartletModel
import MartletScheduling
import MartletSeries
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@testable import MartletOrchestration

@Suite struct EarlyStoppingEngineTests {
  /// Waits for a file of its own name, and leaves when it is asked to.
  private static let program = Programs.python(
    """
    log(0, other=1)
    with open("resumed", "ab") as notes:
        notes.write((name + " " + str(os.environ.get("MARTLET_RESUME_FROM")) + "\\n").encode())
    with open(os.path.join(os.environ["MARTLET_CHECKPOINT_DIR"], "model.txt"), "w") as file:
        file.write("x")
    wait("go-" + args["x"])
    """)

  private func sweep(_ more: String, x: String = "[1, 2, 3]") -> String {
    """
    program: train.py
    name: early
    project: early
    method: grid
    max_parallel: 2
    metric: {name: loss}
    parameters: {x: {values: \(x)}}
    \(more)

    """
  }

  /// Logs one value of a run, as its client would.
  private func log(
    _ value: Double, latency: Double? = nil, step: Int64, of run: PublicID, _ shop: Workshop
  ) async throws {
    let row = LogRow(
      sequence: 0, step: step, time: Timestamp(microseconds: step),
      numbers: [("loss", value)] + (latency.map { [("latency", $0)] } ?? []), others: [])
    _ = try await shop.engine.tracking.append(
      try RowBatch([row]), to: run, client: "client-\(step)-\(run)")
  }

  private func trial(_ number: Int, of sweep: PublicID, _ shop: Workshop, is state: TrialState) async throws {
    try await eventually("trial \(number) is \(state)") {
      try await shop.trials(sweep).first { $0.number == number }?.state == state
    }
  }

  @Test func `a running trial whose values are worse is stopped and counted as pruned`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(sweep("early_terminate: {type: threshold, upper: 5}"))
      #expect(try await shop.running(sweep.id, count: 2))
      let trials = try await shop.trials(sweep.id)
      try await log(1, step: 1, of: trials[0].run, shop)
      try await log(2, step: 1, of: trials[1].run, shop)
      try await log(9, step: 2, of: trials[1].run, shop)
      try await trial(1, of: sweep.id, shop, is: .pruned)
      try await trial(2, of: sweep.id, shop, is: .running)
      let pruned = try await shop.trials(sweep.id)[1]
      #expect(pruned.reason == "Its loss at step 2, 9, is above 5.")
      #expect(pruned.objective == 2)
      #expect(try await shop.run(pruned.run).state == .stopped)
      let third = try await shop.trials(sweep.id)[2]
      try await log(3, step: 1, of: third.run, shop)
      for x in 1...3 { try shop.write("go-\(x)", "") }
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      #expect(ended.counts == [.complete: 2, .pruned: 1])
      #expect(ended.best?.trial == 0)
      #expect(shop.book.troubles == [])
    }
  }

  @Test func `the next engine has seen the values that the one before saw`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(
        sweep("early_terminate: {type: median, startup_trials: 1, min_iter: 1}", x: "[1, 2]"))
      #expect(try await shop.running(sweep.id, count: 2))
      let trials = try await shop.trials(sweep.id)
      try await log(1, step: 1, of: trials[0].run, shop)
      try shop.write("go-1", "")
      try await trial(0, of: sweep.id, shop, is: .complete)
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      // Its median is that of a trial which only the engine before has seen.
      try await log(7, step: 1, of: trials[1].run, shop)
      try await trial(1, of: sweep.id, shop, is: .pruned)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.counts == [.complete: 1, .pruned: 1])
    }
  }

  @Test func `others are compared with what a trial logged just before its end`() async throws {
    try await Workshop.with { shop in
      // Its values reach the store only as its end is handled.
      try shop.write(
        "train.py",
        Programs.python(
          """
          if args["x"] == "1":
              log(1, loss=1)
          else:
              wait("go-" + args["x"])
          """))
      let sweep = try await shop.submit(
        sweep("early_terminate: {type: median, startup_trials: 1, min_iter: 1}", x: "[1, 2]")
          .replacing("max_parallel: 2", with: "max_parallel: 1"))
      try await trial(0, of: sweep.id, shop, is: .complete)
      try await trial(1, of: sweep.id, shop, is: .running)
      let second = try await shop.trials(sweep.id)[1]
      try await log(7, step: 1, of: second.run, shop)
      try await trial(1, of: sweep.id, shop, is: .pruned)
      #expect(try await shop.ended(sweep.id).counts == [.complete: 1, .pruned: 1])
    }
  }

  @Test func `a paused trial is gone on with from its checkpoint`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(
        sweep(
          "early_terminate: {type: asha, min_iter: 1, max_iter: 9, eta: 2, mode: pause}\nresume: '*'",
          x: "[1, 2]"))
      #expect(try await shop.running(sweep.id, count: 2))
      let trials = try await shop.trials(sweep.id)
      try await eventually("both have begun") { try shop.lines("resumed").count == 2 }
      try await log(1, step: 1, of: trials[0].run, shop)
      try await log(2, step: 1, of: trials[1].run, shop)
      // Both stand still, and the better one goes on.
      try await eventually("the better one goes on") {
        try shop.lines("resumed").contains { $0.hasPrefix(trials[0].runName + " /") }
      }
      for x in 1...2 { try shop.write("go-\(x)", "") }
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      #expect(ended.best?.trial == 0)
      #expect(try await shop.trials(sweep.id)[0].attempts == 2)
      let resumed = try shop.lines("resumed").filter { !$0.hasSuffix(" None") }
      #expect(resumed.allSatisfy { $0.hasSuffix("/checkpoints/model.txt") })
    }
  }

  @Test func `the best trial that meets the constraints goes on, whatever better one does not`() async throws
  {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(
        sweep("constraints: [latency <= 10]\nearly_terminate: {type: patience, patience: 1}"))
      #expect(try await shop.running(sweep.id, count: 2))
      let trials = try await shop.trials(sweep.id)
      // The lowest loss of all, which counts for nothing.
      try await log(0.1, latency: 99, step: 1, of: trials[0].run, shop)
      for step in 1...3 {
        try await log(0.5, latency: 1, step: Int64(step), of: trials[1].run, shop)
      }
      try shop.write("go-1", "")
      try await trial(2, of: sweep.id, shop, is: .running)
      let third = try await shop.trials(sweep.id)[2]
      for step in 1...2 { try await log(0.8, latency: 1, step: Int64(step), of: third.run, shop) }
      try await trial(2, of: sweep.id, shop, is: .pruned)
      try await log(0.6, latency: 1, step: 4, of: trials[1].run, shop)
      try shop.write("go-2", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.best?.trial == 1)
      let all = try await shop.trials(sweep.id)
      #expect(all.map(\.state) == [.complete, .complete, .pruned])
      #expect(all.ranked(by: ended.objective).map(\.number) == [1, 2, 0])
    }
  }

  @Test func `points by hand, more trials and another space change what is tried`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Programs.python("log(0, loss=float(args['x']))\nwait('go')"))
      let source = sweep("run_cap: 2", x: "[1, 2, 3, 4, 5]")
      let sweep = try await shop.submit(source)
      #expect(try await shop.running(sweep.id, count: 2))
      try await changed(sweep, source, shop)
      // All of it holds for the next engine.
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      _ = try await shop.engine.resumeSweep(sweep.id, access: shop.access)
      try shop.write("go", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      let trials = try await shop.trials(sweep.id)
      #expect(trials.map { $0.parameters["x"] } == [1, 2, 5, 8])
      #expect(trials.map(\.spaceVersion) == [1, 1, 2, 2])
      let files = try await shop.engine.versions(ofSweep: sweep.id, access: shop.access)
      #expect(files.map(\.version) == [1, 2])
      #expect(files[0].source == source)
      #expect(files[1].source.contains("[1, 2, 5, 8]") && files[1].since > files[0].since)
    }
  }

  /// Adds a point, extends the sweep and gives it another space while it is paused.
  private func changed(_ sweep: Sweep, _ source: String, _ shop: Workshop) async throws {
    let (engine, access) = (try shop.engine, try shop.access)
    // The space it lies in will be left before it is its turn.
    _ = try await engine.addPoint(["x": 3], to: sweep.id, access: access)
    _ = try await engine.addPoint(["x": 5], to: sweep.id, access: access)
    await #expect(throws: Problem.self) {
      try await engine.addPoint(["x": 5.5], to: sweep.id, access: access)
    }
    await #expect(throws: Problem.self) {
      try await engine.addPoint(["x": 1], to: sweep.id, access: access)
    }
    #expect(try await engine.extendSweep(sweep.id, to: 4, access: access).budget == 4)
    await #expect(throws: Problem.self) {
      try await engine.changeSpace(of: sweep.id, source: source, access: access)
    }
    _ = try await engine.pauseSweep(sweep.id, access: access)
    let wider = source.replacing("[1, 2, 3, 4, 5]", with: "[1, 2, 5, 8]").replacing(
      "run_cap: 2", with: "run_cap: 4")
    let changed = try await engine.changeSpace(of: sweep.id, source: wider, access: access)
    #expect(changed.spaceVersion == 2)
    #expect(changed.spaceSize == 4)
  }

  @Test func `a search may learn from the trials of another sweep`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Programs.python("log(0, loss=float(args['x']))"))
      let first = try await shop.ended(try await shop.submit(sweep("", x: "[1, 2]")).id)
      let second = try await shop.submit(sweep("warm_start: \(first.id)", x: "[1, 2, 3]"))
      let ended = try await shop.ended(second.id)
      // What the other one tried is known, so it is not tried again.
      #expect(try await shop.trials(ended.id).map { $0.parameters["x"] } == [3])
      await #expect(throws: Problem.self) { try await shop.submit(sweep("warm_start: nobody")) }
    }
  }
}
