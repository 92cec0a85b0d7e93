// Sweeps and runs that are stopped, devices that are shared, secrets that stay secret.

import Foundation
import MartletModel
import MartletOrchestration
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@Suite struct StopEngineTests {
  private static func sweep(_ body: String, count: Int = 6, parallel: Int = 2, more: String = "") -> String {
    """
    command: [sh, -c, "\(body)"]
    name: shell
    method: grid
    max_parallel: \(parallel)
    parameters: {x: {values: \(Array(1...count))}}
    \(more)

    """
  }

  @Test func `stop now: what runs leaves, and nothing more begins`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(Self.sweep("exec sleep 300"))
      #expect(try await shop.running(sweep.id, count: 2))
      #expect(shop.livingCommands.count == 2)
      let stopping = try await shop.engine.stopSweep(sweep.id, mode: .now, grace: nil, access: shop.access)
      #expect(stopping.state == .draining || stopping.state == .stopped)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .stopped)
      #expect(ended.stateReason == "Stopped by \(try shop.engine.localPrincipal.name).")
      let trials = try await shop.trials(sweep.id)
      #expect(trials.count == 2)
      #expect(trials.allSatisfy { $0.runState == .stopped && $0.state == .failed })
      #expect(trials.allSatisfy { $0.reason?.hasPrefix("Stopped on request after") == true })
      #expect(shop.livingCommands == [])
      let again = await #expect(throws: Problem.self) {
        try await shop.engine.stopSweep(sweep.id, mode: .now, grace: nil, access: shop.access)
      }
      #expect(again?.code == .conflict)
    }
  }

  @Test func `drain: what runs goes on to its end, and then now for those who have no patience`() async throws
  {
    try await Workshop.with { shop in
      let body = "until [ -e gate ]; do sleep 0.05; done"
      let sweep = try await shop.submit(Self.sweep(body))
      #expect(try await shop.running(sweep.id, count: 2))
      let draining = try await shop.engine.stopSweep(sweep.id, mode: .drain, grace: nil, access: shop.access)
      #expect(draining.state == .draining)
      #expect(shop.livingCommands.count == 2)
      try shop.write("gate", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .stopped)
      let trials = try await shop.trials(sweep.id)
      #expect(trials.count == 2)
      #expect(trials.allSatisfy { $0.state == .complete })

      let second = try await shop.submit(Self.sweep("exec sleep 300"))
      #expect(try await shop.running(second.id, count: 2))
      _ = try await shop.engine.stopSweep(second.id, mode: .drain, grace: nil, access: shop.access)
      _ = try await shop.engine.stopSweep(second.id, mode: .now, grace: nil, access: shop.access)
      #expect(try await shop.ended(second.id).state == .stopped)
      #expect(shop.livingCommands == [])
    }
  }

  @Test func `a trial that ignores the request is killed when the grace of the stop is over`() async throws {
    try await Workshop.with { shop in
      let body = "trap '' TERM; echo ready > ready; while :; do sleep 0.1; done"
      let sweep = try await shop.submit(Self.sweep(body, count: 1, more: "grace: 2m"))
      #expect(try await eventually { shop.exists("ready") })
      _ = try await shop.engine.stopSweep(sweep.id, mode: .now, grace: 0.3, access: shop.access)
      #expect(try await shop.ended(sweep.id).state == .stopped)
      #expect(shop.livingCommands == [])
    }
  }

  @Test func `the time limit of a sweep ends its trials`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(Self.sweep("exec sleep 300", count: 2, more: "timeout: 0.3"))
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .failed)
      #expect(try await shop.trials(sweep.id).allSatisfy { $0.runState == .timedOut })
    }
  }

  @Test func `a single run: executed, stopped, told apart`() async throws {
    try await Workshop.with { shop in
      let done = try await shop.execute(["sh", "-c", "echo hello; exit 3"], more: ["name": "hello"])
      let ended = try await shop.runEnded(done.id)
      #expect(ended.state == .failed)
      #expect(ended.exit?.code == 3)
      let log = try await shop.engine.tracking.log(
        done.id, stream: .stdout, attempt: nil, offset: 0, limit: 1_000, access: shop.access)
      #expect(log.text == "hello\n")
      #expect(log.ended)

      let long = try await shop.execute(["sleep", "300"])
      #expect(try await eventually { try await shop.run(long.id).state == .running })
      _ = try await shop.engine.stopRun(long.id, grace: nil, access: shop.access)
      #expect(try await shop.runEnded(long.id).state == .stopped)
      await #expect(throws: Problem.self) {
        try await shop.engine.stopRun(long.id, grace: nil, access: shop.access)
      }
      let missing = try await shop.execute(["no-such-program-anywhere"])
      let failed = try await shop.runEnded(missing.id)
      #expect(failed.state == .failed)
      #expect(failed.exit?.reason.contains("No such file or directory") == true)
    }
  }

  @Test func `a run that is stopped before it really began does not run on`() async throws {
    try await Workshop.with { shop in
      for _ in 0..<5 {
        let run = try await shop.execute(["sh", "-c", "exec sleep 300"])
        _ = try await shop.engine.stopRun(run.id, grace: nil, access: shop.access)
        #expect(try await shop.runEnded(run.id).state == .stopped)
      }
      #expect(shop.livingCommands == [])
    }
  }

  @Test func `a run whose supervisor was killed is lost, and can be stopped`() async throws {
    try await Workshop.with { shop in
      let run = try await shop.execute(["sleep", "300"])
      #expect(try await eventually { try await shop.run(run.id).state == .running })
      let attempt = try #require(try await shop.engine.tracking.attempts(run.id, access: shop.access).last)
      let record = try JSONValue.parse(try shop.text("\(attempt.directory)/attempt.json"))
      let supervisor = try #require(record["supervisor"]?["pid"]?.int)
      #expect(kill(Int32(supervisor), SIGKILL) == 0)
      #expect(try await eventually { try await shop.run(run.id).state == .lost })
      #expect(shop.livingCommands.count == 1)
      _ = try await shop.engine.stopRun(run.id, grace: 2, access: shop.access)
      let ended = try await shop.runEnded(run.id)
      #expect(ended.state == .stopped)
      #expect(ended.exit?.reason.contains("supervisor was killed") == true)
      #expect(shop.livingCommands == [])
      #expect(try await eventually { try await shop.engine.load() == (0, 0) })
    }
  }

  // MARK: - Devices

  @Test func `each trial has a device of its own`() async throws {
    try await Workshop.with(devices: 2) { shop in
      let body = """
        echo begin $CUDA_VISIBLE_DEVICES >> notes; until [ -e gate ]; do sleep 0.02; done; \
        echo end $CUDA_VISIBLE_DEVICES >> notes
        """
      let sweep = try await shop.submit(Self.sweep(body, count: 5, parallel: 4, more: "resources: {gpus: 1}"))
      #expect(try await eventually { try shop.lines("notes").count == 2 })
      #expect(try await eventually { try await shop.engine.load() == (2, 2) })
      try shop.write("gate", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      var busy: Set<String> = []
      for line in try shop.lines("notes") {
        let device = String(line.split(separator: " ").last ?? "")
        if line.hasPrefix("begin") {
          #expect(busy.insert(device).inserted, "device \(device) has two trials")
          #expect(["0", "1"].contains(device))
        } else {
          busy.remove(device)
        }
      }
      #expect(mostAtOnce(try shop.lines("notes")) == 2)
      #expect(try await eventually { try await shop.engine.devices().allSatisfy { $0.holder == nil } })
      #expect(Set(try await shop.trials(sweep.id).map(\.attempts)) == [1])
    }
  }

  @Test func `a run sees what it was given, and none when it asked for none`() async throws {
    try await Workshop.with(devices: 2) { shop in
      let command = ["sh", "-c", "echo \"[$CUDA_VISIBLE_DEVICES]\"; until [ -e gate ]; do sleep 0.02; done"]
      let both = try await shop.execute(command, more: ["gpus": 2])
      let none = try await shop.execute(command)
      #expect(try await eventually { try await shop.run(both.id).state == .running })
      #expect(try await shop.run(both.id).devices == [0, 1])
      #expect(try await shop.engine.devices().map(\.holder) == [both.id, both.id])
      let waiting = try await shop.execute(["true"], more: ["gpus": 1])
      #expect(try await shop.run(waiting.id).state == .queued)
      #expect(try await eventually { try await shop.run(none.id).state == .running }, "it needs no device")
      try shop.write("gate", "")
      #expect(try await shop.runEnded(waiting.id).state == .finished)
      for (run, text) in [(both, "[0,1]\n"), (none, "[]\n")] {
        #expect(try await shop.runEnded(run.id).state == .finished)
        let log = try await shop.engine.tracking.log(
          run.id, stream: .stdout, attempt: nil, offset: 0, limit: 100, access: shop.access)
        #expect(log.text == text)
      }
      let greedy = await #expect(throws: Problem.self) { try await shop.execute(["true"], more: ["gpus": 3]) }
      #expect(greedy?.message == "It needs 3 devices, but this server has 2.")
    }
  }

  @Test func `one who waits for a device is stopped at once`() async throws {
    try await Workshop.with(devices: 1) { shop in
      let holder = try await shop.execute(["sleep", "300"], more: ["gpus": 1])
      let waiting = try await shop.execute(["true"], more: ["gpus": 1])
      let next = try await shop.execute(["true"], more: ["gpus": 1])
      #expect(try await shop.run(waiting.id).state == .queued)
      let stopped = try await shop.engine.stopRun(waiting.id, grace: nil, access: shop.access)
      #expect(stopped.state == .stopped)
      #expect(stopped.exit?.reason.contains("before it began") == true)
      _ = try await shop.engine.stopRun(holder.id, grace: nil, access: shop.access)
      #expect(try await shop.runEnded(next.id).state == .finished)
      #expect(try await shop.run(waiting.id).state == .stopped)
    }
  }

  // MARK: - Secrets

  @Test func `environments are kept from others, and an attempt's token ends with it`() async throws {
    try await Workshop.with { shop in
      func mode(_ path: String) throws -> Int {
        let value = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        return (try #require(value as? NSNumber)).intValue
      }
      let body = "echo $MARTLET_TOKEN > token; until [ -e gate ]; do sleep 0.02; done"
      let sweep = try await shop.submit(Self.sweep(body, count: 1), environment: ["API_KEY": "s3cr3t"])
      #expect(try await eventually { try shop.lines("token").first != nil })
      let secret = try #require(try shop.lines("token").first)
      #expect(secret.count >= 40)
      let trial = try #require(try await shop.trials(sweep.id).first)

      let hash = TokenSecret.hash(secret)
      let access = try await shop.engine.store.access(tokenHash: hash, now: SystemClock().now)
      #expect(access?.run == trial.run)
      #expect(access?.scopes == [.read, .ingest])
      #expect(access?.principal.kind == .attempt)
      await #expect(throws: Problem.self, "an attempt starts nothing") {
        _ = try await shop.engine.sweep(sweep.id, access: try #require(access))
      }

      let file = "\(shop.data)/sweeps/\(sweep.id)/environment.json"
      #expect(try shop.text(file).contains("s3cr3t"))
      #expect(try mode(file) == 0o600)
      #expect(try mode("\(shop.data)/sweeps/\(sweep.id)") == 0o700)
      #expect(try mode(shop.data) == 0o700)
      let attempt = try #require(
        try await shop.engine.tracking.attempts(trial.run, access: shop.access).first)
      #expect(try mode(attempt.directory) == 0o700)
      #expect(try mode("\(attempt.directory)/stdout.log") == 0o600)

      let single = try await shop.execute(
        ["true"], more: ["environment": ["PATH": "/usr/bin:/bin", "KEY": "s"]])
      #expect(try mode("\(shop.data)/runs/\(single.id)/environment.json") == 0o600)

      try shop.write("gate", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try await shop.engine.store.access(tokenHash: hash, now: SystemClock().now) == nil)
    }
  }
}
