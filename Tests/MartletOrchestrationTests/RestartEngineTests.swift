// Engines that end and are opened again while attempts go on.

import Foundation
import MartletModel
import MartletOrchestration
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@Suite struct RestartEngineTests {
  private static let grid = """
    program: train.py
    name: grid
    method: grid
    metric: {name: loss, goal: minimize}
    max_parallel: 2
    parameters: {x: {min: 1, max: 6}}

    """

  /// Logs, waits for its gate, logs again, notes the address that it was given.
  private static let program = Programs.python(
    """
    log(0, loss=float(args["x"]) + 1)
    note("url:" + os.environ["MARTLET_URL"])
    wait("gate")
    log(1, loss=float(args["x"]))
    """)

  /// Shell words that wait for the gate, or for the end of the test.
  private static func gate(_ shop: Workshop) -> String {
    "until [ -e \(shop.work)/gate ] || [ ! -d \(shop.work) ]; do sleep 0.02; done"
  }

  private func checkWhole(_ shop: Workshop, _ sweep: PublicID) async throws {
    let trials = try await shop.trials(sweep)
    #expect(trials.map(\.state) == Array(repeating: .complete, count: 6))
    #expect(trials.map(\.objective) == [1, 2, 3, 4, 5, 6])
    #expect(trials.map(\.attempts) == Array(repeating: 1, count: 6))
    let notes = try shop.lines("notes")
    for trial in trials {
      #expect(notes.count { $0 == "begin \(trial.runName)" } == 1)
      #expect(notes.count { $0 == "end \(trial.runName)" } == 1)
    }
    #expect(mostAtOnce(notes) == 2)
    let urls = Set(notes.filter { $0.hasPrefix("url:") }.map { $0.split(separator: " ")[0] })
    #expect(urls.isSubset(of: ["url:http://127.0.0.1:9", "url:http://127.0.0.1:10"]), "\(urls)")
    let series = try await shop.engine.tracking.series(
      SeriesRequest(runs: trials.map(\.run), window: SeriesWindow(keys: ["loss"])), access: shop.access)
    #expect(series.map(\.steps) == Array(repeating: [0, 1], count: 6), "each point once")
    let directory = try await shop.engine.sweep(sweep, access: shop.access).outputDirectory
    #expect(try shop.text("\(directory)/sweep_summary.csv").split(separator: "\n").count == 7)
    #expect(shop.livingCommands == [])
  }

  @Test func `attempts that run through a restart are found again`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(Self.grid)
      #expect(try await eventually { try shop.lines("notes").count == 4 })
      let before = Set(shop.livingCommands)
      await shop.close()
      #expect(Set(shop.livingCommands) == before, "attempts go on without a server")

      try await shop.open(url: { "http://127.0.0.1:10" })
      try await shop.engine.start()
      #expect(try await eventually { try await shop.engine.load() == (2, 0) })
      #expect(Set(shop.livingCommands) == before)
      try shop.write("gate", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
      try await checkWhole(shop, sweep.id)
    }
  }

  @Test func `a table that a killed server left without its last trials is written at the next start`()
    async throws
  {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          """
          log(0, loss=float(args["x"]))
          if args["x"] != "1":
              wait("gate")
          """))
      let sweep = try await shop.submit(Self.grid)
      try await eventually("the end of the first trial") {
        let trials = try await shop.trials(sweep.id)
        return trials.first?.state == .complete && trials.count { $0.runState == .running } == 2
      }
      let ended = try #require(try await shop.trials(sweep.id).first)
      await shop.close()
      let table = "\(sweep.outputDirectory)/sweep_summary.csv"
      try Data("older\n".utf8).write(to: URL(fileURLWithPath: table))
      try await shop.open()
      try await shop.engine.start()
      // No other trial ends: nothing else would have it written.
      try await eventually("the table with that trial") { try shop.text(table).contains(ended.runName) }
      try shop.write("gate", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
    }
  }

  @Test func `what a server's end cuts off is not told as a failure`() async throws {
    try await Workshop.with { shop in
      let (engine, access) = (try shop.engine, try shop.access)
      await shop.close()
      await #expect(throws: Problem.storeClosed) {
        try await engine.tracking.clean(by: access.principal)
      }
      await #expect(throws: Problem.storeClosed) {
        try await engine.store.write { _ in }
      }
      await engine.tracking.removeUnusedBlobs()
      await engine.start()
      shop.book.logger.failure("Old trash could not be seen to", Problem.storeClosed)
      shop.book.logger.failure("Old trash could not be seen to", CancellationError())
      #expect(shop.book.troubles == [])
      shop.book.logger.failure("Old trash could not be seen to", Problem(.unavailable, "The disk is full."))
      #expect(shop.book.troubles == ["Old trash could not be seen to: The disk is full."])
    }
  }

  @Test func `a sweep's end that the store refuses keeps no server from ending, and is not lost`()
    async throws
  {
    try await Workshop.with { shop in
      try shop.sql(
        """
        CREATE TRIGGER refuse BEFORE UPDATE OF state ON sweep WHEN NEW.state = 'finished'
        BEGIN SELECT RAISE(ABORT, 'refused'); END;
        """)
      let sweep = try await shop.submit("command: [/bin/true]\nmethod: grid\nparameters: {x: {values: [1]}}")
      #expect(try await eventually { shop.book.troubles.contains { $0.contains("could not be stored") } })
      let began = ContinuousClock.now
      await shop.close()
      #expect(.now - began < .seconds(60))
      try shop.sql("DROP TRIGGER refuse")
      try await shop.open()
      try await shop.engine.start()
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      #expect(ended.counts[.complete] == 1)
    }
  }

  @Test func `attempts that ended while nobody watched are not lost`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(Self.grid)
      #expect(try await eventually { try shop.lines("notes").count == 4 })
      await shop.close()
      try shop.write("gate", "")
      #expect(try await eventually { shop.livingCommands.isEmpty })
      let records = FileManager.default.enumerator(atPath: "\(shop.data)/runs")?.compactMap { $0 as? String }
      #expect(
        try await eventually {
          records?.count { $0.hasSuffix("/lock") } == 2
            && FileManager.default.enumerator(atPath: "\(shop.data)/runs")?.compactMap { $0 as? String }
              .count { $0.hasSuffix("/exit.json") } == 2
        })

      // Before the server listens nothing is launched: attempts would not know where to reach it.
      let address = Address()
      try await shop.open(url: { address.url })
      for _ in 0..<20 { try await Task.sleep(for: .milliseconds(10)) }
      #expect(try shop.lines("notes").count { $0.hasPrefix("begin ") } == 2)
      address.isKnown = true
      try await shop.engine.start()
      #expect(try await shop.ended(sweep.id).state == .finished)
      try await checkWhole(shop, sweep.id)
    }
  }

  @Test func `a target that was reached before a restart ends the sweep after it`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          """
          import signal
          if args["x"] == "1":
              # The other one is asked to leave at once, and must be deaf by then.
              wait("deaf")
              log(0, loss=0.5)
          else:
              signal.signal(signal.SIGTERM, signal.SIG_IGN)
              open("deaf", "w").close()
              wait("gate")
          """))
      let sweep = try await shop.submit(
        Self.grid.replacing("goal: minimize}", with: "goal: minimize, target: 0.5}") + "grace: 5m\n")
      #expect(
        try await eventually {
          let found = try await shop.engine.sweep(sweep.id, access: shop.access)
          return found.stateReason != nil && shop.livingCommands.count == 1
        })
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      try shop.write("gate", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      #expect(ended.stateReason == "The target loss ≤ 0.5 was reached.")
      #expect(try await shop.trials(sweep.id).count == 2)
    }
  }

  @Test func `a stop that was asked for before a restart holds after it`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        """
        command: [sh, -c, "trap '' TERM; echo ready >> notes; until [ -e gate ]; do sleep 0.05; done"]
        method: grid
        grace: 5m
        parameters: {x: {min: 1, max: 6}}

        """)
      #expect(try await eventually { try shop.lines("notes").count == 2 })
      _ = try await shop.engine.stopSweep(sweep.id, mode: .now, grace: nil, access: shop.access)
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      #expect(try await shop.engine.sweep(sweep.id, access: shop.access).state == .draining)
      try shop.write("gate", "")
      #expect(try await shop.ended(sweep.id).state == .stopped)
      let trials = try await shop.trials(sweep.id)
      #expect(trials.count == 2)
      #expect(trials.allSatisfy { $0.runState == .stopped })
    }
  }

  @Test func `devices are still held after a restart, and those who waited get them in their order`()
    async throws
  {
    try await Workshop.with(devices: 1) { shop in
      let holder = try await shop.execute(
        ["sh", "-c", "until [ -e gate ]; do sleep 0.02; done"], more: ["gpus": 1])
      var waiting: [Run] = []
      for number in 1...3 {
        waiting.append(
          try await shop.execute(
            ["sh", "-c", "echo \(number) $CUDA_VISIBLE_DEVICES >> notes"], more: ["gpus": 1]))
      }
      #expect(try await eventually { try await shop.run(holder.id).state == .running })
      await shop.close()
      try await shop.open(devices: 1)
      try await shop.engine.start()
      #expect(try await shop.engine.devices().map(\.holder) == [holder.id])
      #expect(try await eventually { try await shop.engine.load() == (1, 3) })
      try shop.write("gate", "")
      for run in waiting { #expect(try await shop.runEnded(run.id).state == .finished) }
      #expect(try shop.lines("notes") == ["1 0", "2 0", "3 0"])
      #expect(try await eventually { try await shop.engine.devices().map(\.holder) == [nil] })
    }
  }

  @Test func `a server that ended between spawn and record: nothing is lost, nothing runs twice`()
    async throws
  {
    try await Workshop.with { shop in
      await shop.close()
      // Supervisors that come to their work only once the gate is open.
      let slow = """
        echo $$ >> \(shop.work)/supervisors; \(Self.gate(shop))
        "$REAL" "$@"; echo $? >> \(shop.work)/statuses
        """
      try await shop.open(supervisor: slow)
      try await shop.engine.start()
      let run = try await shop.execute(["sh", "-c", "echo $MARTLET_ATTEMPT >> ran"])
      #expect(try await eventually { try shop.lines("supervisors").count == 1 })
      await shop.close()

      try await shop.open()
      try await shop.engine.start()
      #expect(try await shop.runEnded(run.id).state == .finished)
      let attempts = try await shop.engine.tracking.attempts(run.id, access: shop.access)
      #expect(attempts.map(\.state) == [.preempted, .finished])
      #expect(attempts.first?.exit?.reason == "Never started: the server ended before.")

      try shop.write("gate", "")
      #expect(try await eventually { try shop.lines("statuses") == ["77"] }, "the late one is refused")
      #expect(try shop.lines("ran") == ["2"])
    }
  }

  @Test func `servers that end early do not use up a run's attempts`() async throws {
    try await Workshop.with { shop in
      let slow = "echo $$ >> \(shop.work)/supervisors; \(Self.gate(shop))"
      var run: Run?
      for number in 1...7 {
        await shop.close()
        try await shop.open(supervisor: slow)
        try await shop.engine.start()
        if run == nil { run = try await shop.execute(["true"]) }
        #expect(try await eventually { try shop.lines("supervisors").count == number })
      }
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      let ended = try await shop.runEnded(try #require(run).id)
      #expect(ended.state == .finished)
      #expect(ended.attempts == 8)
      try shop.write("gate", "")
      let late = try shop.lines("supervisors").compactMap(Int32.init)
      #expect(try await eventually { !late.contains(where: isAlive) })
    }
  }

  @Test func `a supervisor that starts nothing is tried five times`() async throws {
    try await Workshop.with { shop in
      await shop.close()
      try await shop.open(supervisor: "exit 73")
      try await shop.engine.start()
      let run = try await shop.execute(["true"])
      let ended = try await shop.runEnded(run.id)
      #expect(ended.state == .failed)
      #expect(ended.exit?.reason == "Its supervisor started nothing, 5 times.")
      #expect(ended.attempts == 5)
    }
  }

  @Test func `a run whose records were deleted does not begin again`() async throws {
    try await Workshop.with { shop in
      let run = try await shop.execute([
        "sh", "-c", "echo ran >> ran; until [ -e gate ]; do sleep 0.02; done",
      ])
      #expect(try await eventually { try await shop.run(run.id).state == .running })
      let attempt = try #require(try await shop.engine.tracking.attempts(run.id, access: shop.access).first)
      await shop.close()
      let pids = shop.livingCommands
      let record = try JSONValue.parse(try shop.text("\(attempt.directory)/attempt.json"))
      let supervisor = try #require(record["supervisor"]?["pid"]?.int.flatMap(Int32.init(exactly:)))
      try removeScratch(attempt.directory)
      try await shop.open()
      try await shop.engine.start()
      let ended = try await shop.runEnded(run.id)
      #expect(ended.state == .crashed)
      #expect(ended.exit?.reason.contains("are gone") == true)
      try shop.write("gate", "")
      #expect(try await eventually { !pids.contains(where: isAlive) })
      #expect(try shop.lines("ran") == ["ran"])
      // It would go on trying to keep its record, for ten minutes.
      #expect(kill(supervisor, SIGKILL) == 0)
    }
  }

  @Test func `the data directory belongs to one engine at a time`() async throws {
    try await Workshop.with { shop in
      let problem = await #expect(throws: Problem.self) {
        _ = try await Engine.open(
          EngineOptions(
            data: shop.data, devices: 0, allowNetworkFileSystem: true, url: { "" },
            executable: "/proc/self/exe"),
          logger: shop.book.logger)
      }
      #expect(problem?.code == .conflict)
      #expect(problem?.details["pid"]?.int == Int64(getpid()))
    }
  }
}
