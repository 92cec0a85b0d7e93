// Runs whose supervisors were killed while they themselves go on.

import Foundation
import MartletModel
import MartletOrchestration
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@Suite struct LostEngineTests {
  private static let gated = ["sh", "-c", "until [ -e gate ]; do sleep 0.02; done"]

  /// Kills the supervisor of a run that runs.
  private func killSupervisor(of run: PublicID, _ shop: Workshop) async throws {
    #expect(try await eventually { try await shop.run(run).state == .running })
    let attempt = try #require(try await shop.engine.tracking.attempts(run, access: shop.access).last)
    let record = try JSONValue.parse(try shop.text("\(attempt.directory)/attempt.json"))
    let supervisor = try #require(record["supervisor"]?["pid"]?.int)
    #expect(kill(Int32(supervisor), SIGKILL) == 0)
  }

  @Test func `a sign of life brings it back, and its end is seen all the same`() async throws {
    try await Workshop.with(devices: 1) { shop in
      let run = try await shop.execute(Self.gated, more: ["gpus": 1])
      try await killSupervisor(of: run.id, shop)
      #expect(try await eventually { try await shop.run(run.id).state == .lost })
      #expect(try await shop.run(run.id).exit?.reason.contains("runs on without one") == true)

      let answer = try await shop.engine.tracking.heartbeat(run.id, access: shop.access)
      #expect(answer.state == .running)
      let back = try await shop.run(run.id)
      #expect((back.state, back.exit?.reason, back.devices) == (.running, nil, [0]))
      let attempts = try await shop.engine.tracking.attempts(run.id, access: shop.access)
      #expect(attempts.map(\.state) == [.running])
      #expect(attempts.map(\.exit?.reason) == [nil])
      #expect(try await shop.engine.devices().map(\.holder) == [run.id])

      try shop.write("gate", "")
      let ended = try await shop.runEnded(run.id)
      #expect(ended.state == .crashed)
      #expect(ended.exit?.reason.contains("how it ended is not known") == true)
      #expect(try await eventually { try await shop.engine.devices().map(\.holder) == [nil] })
    }
  }

  @Test func `the next server waits for it too, and carries a stop through`() async throws {
    try await Workshop.with { shop in
      let run = try await shop.execute(Self.gated)
      let other = try await shop.execute(Self.gated)
      try await killSupervisor(of: run.id, shop)
      try await killSupervisor(of: other.id, shop)
      #expect(try await eventually { try await shop.run(run.id).state == .lost })
      #expect(try await eventually { try await shop.run(other.id).state == .lost })
      #expect(try await shop.engine.tracking.heartbeat(run.id, access: shop.access).state == .running)
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      #expect(try await eventually { try await shop.run(run.id).state == .lost }, "nobody supervises it")
      #expect(shop.livingCommands.count == 2)
      _ = try await shop.engine.stopRun(other.id, grace: nil, access: shop.access)
      #expect(try await shop.runEnded(other.id).state == .stopped)
      try shop.write("gate", "")
      #expect(try await shop.runEnded(run.id).state == .crashed)
    }
  }

  @Test func `a device goes on only when nothing of the run before is left`() async throws {
    try await Workshop.with(devices: 1) { shop in
      try shop.write(
        "train.py",
        """
        import os, signal, sys, time

        work = os.getcwd()

        def note(word):
            descriptor = os.open(work + "/notes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(descriptor, (word + "\\n").encode())

        def train(name, leaves):
            asked = []
            signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
            note(name + " ready")
            while not asked and os.path.isdir(work):
                time.sleep(0.02)
            note(name + " asked")
            while not leaves and not os.path.exists(work + "/gate") and os.path.isdir(work):
                time.sleep(0.02)
            os._exit(0)

        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                train("worker", False)
            os._exit(0)
        os.wait()
        train("main", True)
        """)
      let holder = try await shop.execute(["python3", "train.py"], more: ["gpus": 1, "grace_s": 600])
      let waiting = try await shop.execute(["true"], more: ["gpus": 1])
      #expect(try await eventually { Set(try shop.lines("notes")) == ["main ready", "worker ready"] })
      try await killSupervisor(of: holder.id, shop)
      #expect(try await eventually { try await shop.run(holder.id).state == .lost })
      _ = try await shop.engine.stopRun(holder.id, grace: nil, access: shop.access)
      // The worker left group, session and parent; it is asked when the command has gone.
      #expect(try await eventually { try shop.lines("notes").contains("worker asked") })
      #expect(try shop.lines("notes").contains("main asked"))
      #expect(try await shop.run(holder.id).state == .lost)
      #expect(try await shop.run(waiting.id).state == .queued)
      #expect(try await shop.engine.devices().map(\.holder) == [holder.id])

      try shop.write("gate", "")
      #expect(try await shop.runEnded(holder.id).state == .stopped)
      #expect(try await shop.runEnded(waiting.id).state == .finished)
    }
  }
}
