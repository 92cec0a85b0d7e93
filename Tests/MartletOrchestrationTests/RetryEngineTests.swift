// Attempts that go wrong and are followed by others, and sweeps that give up; with real processes.

import Foundation
import MartletModel
import MartletOrchestration
import MartletStore
import MartletTestSupport
import OrderedCollections
import Testing

@Suite struct RetryEngineTests {
  /// Does `first` in a run's first attempt, and succeeds in its second.
  private static func program(_ first: String) -> String {
    "[ -e $MARTLET_RUN_DIR/again ] || { touch $MARTLET_RUN_DIR/again; \(first); exit 3; }"
  }

  private func sweep(_ script: String, _ keys: String, points: Int = 2) -> String {
    """
    command: [/bin/sh, -c, "\(script)"]
    method: grid
    parameters: {x: {values: \(Array(1...points))}}
    \(keys)
    """
  }

  private func attempts(_ shop: Workshop, _ trial: Trial) async throws -> [Attempt] {
    try await shop.engine.store.read { try $0.attempts(of: trial.run) }
  }

  @Test func `a trial that fails once is tried again, and stays that trial`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        sweep(Self.program("true"), "retries: {failure: 1}\nretry_pause: 0"))
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      let trials = try await shop.trials(sweep.id)
      #expect(trials.map(\.state) == [.complete, .complete])
      for trial in trials {
        let attempts = try await attempts(shop, trial)
        #expect(attempts.map(\.state) == [.failed, .finished])
        #expect(attempts.first?.exit?.code == 3)
      }
      #expect(shop.book.troubles == [])
    }
  }

  @Test func `without retries, or for another cause, it is not`() async throws {
    for keys in ["name: none", "retries: {infra: 3, oom: 3, timeout: 3}"] {
      try await Workshop.with { shop in
        let sweep = try await shop.submit(sweep(Self.program("true"), keys))
        #expect(try await shop.ended(sweep.id).state == .failed)
        #expect(try await shop.trials(sweep.id).map(\.attempts) == [1, 1])
      }
    }
  }

  @Test func `one whose supervisor was killed is tried again for the machine's sake`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        sweep(Self.program("kill -9 $PPID"), "retries: {infra: 1}\nretry_pause: 0"))
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished)
      for trial in try await shop.trials(sweep.id) {
        #expect(trial.state == .complete)
        #expect(try await attempts(shop, trial).map(\.state) == [.crashed, .finished])
      }
    }
  }

  @Test func `a pause before a retry goes on through a restart`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        sweep(Self.program("true"), "retries: {failure: 1}\nretry_pause: 2s", points: 1))
      try await eventually("the pause of the second attempt began") {
        try await shop.trials(sweep.id).first?.attempts == 2
      }
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      #expect(try await shop.ended(sweep.id).state == .finished)
      let trial = try #require(try await shop.trials(sweep.id).first)
      #expect(try await attempts(shop, trial).map(\.state) == [.failed, .finished])
    }
  }

  @Test func `quick failures in a row pause the sweep, also for the next server`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        sweep("echo no such data >&2; exit 1", "breaker: 3\nmax_parallel: 1", points: 9))
      try await eventually("the sweep is paused") {
        try await shop.engine.sweep(sweep.id, access: shop.access).state == .paused
      }
      let paused = try await shop.engine.sweep(sweep.id, access: shop.access)
      #expect(paused.stateReason?.hasPrefix("3 trials in a row failed within 60 s. The first: ") == true)
      #expect(paused.stateReason?.contains("no such data") == true)
      #expect(try await shop.trials(sweep.id).count == 3)
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      #expect(try await shop.engine.sweep(sweep.id, access: shop.access).state == .paused)
      #expect(try await shop.trials(sweep.id).count == 3)
      _ = try await shop.engine.stopSweep(sweep.id, mode: .drain, grace: nil, access: shop.access)
      #expect(try await shop.ended(sweep.id).state == .stopped)
    }
  }

  @Test func `what people changed, and a command's retries, hold for the next server`() async throws {
    try await Workshop.with(devices: 1) { shop in
      let gate = ["sh", "-c", "until [ -e gate ]; do sleep 0.02; done"]
      let holder = try await shop.execute(gate, more: ["gpus": 1, "timeout_s": 600])
      #expect(try await eventually { try await shop.run(holder.id).state == .running })
      let sweep = try await shop.submit(sweep("true", "resources: {gpus: 1}\nmax_parallel: 1", points: 3))
      let retried = try await shop.execute(
        ["sh", "-c", Self.program("true")],
        more: ["gpus": 1, "retries": ["failure": 1], "retry_pause": 0, "priority": -5])
      var change = SweepChange()
      (change.priority, change.timeout, change.maxParallel) = (4, .some(77), 2)
      _ = try await shop.engine.changeSweep(sweep.id, change, access: shop.access)
      _ = try await shop.engine.pauseSweep(sweep.id, access: shop.access)
      await shop.close()
      try await shop.open(devices: 1)
      try await shop.engine.start()
      let pool = try await shop.engine.pool(access: shop.access)
      #expect(pool["running"]?.array?.map { $0["run"]?.string } == [holder.id.rawValue])
      #expect(pool["queue"]?.array?.compactMap { $0["priority"]?.int } == [4, 4, -5])
      let found = try await shop.engine.sweep(sweep.id, access: shop.access)
      #expect(found.state == .paused)
      #expect(found.priority == 4)
      #expect(found.timeout == 77)
      #expect(found.maxParallel == 2)
      _ = try await shop.engine.resumeSweep(sweep.id, access: shop.access)
      try shop.write("gate", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try await shop.runEnded(retried.id).state == .finished)
      let attempts = try await shop.engine.store.read { try $0.attempts(of: retried.id) }
      #expect(attempts.map(\.state) == [.failed, .finished])
    }
  }

  @Test func `each trial gets the devices that its own parameters ask for`() async throws {
    try await Workshop.with(devices: 3) { shop in
      let sweep = try await shop.submit(
        """
        command: [/bin/sh, -c, "echo $CUDA_VISIBLE_DEVICES >> \(shop.work)/devices"]
        method: grid
        parameters: {n: {values: [1, 2, 3]}}
        resources: {gpus: n}
        """)
      #expect(try await shop.ended(sweep.id).state == .finished)
      for (number, trial) in try await shop.trials(sweep.id).enumerated() {
        #expect(try await attempts(shop, trial).map(\.devices.count) == [number + 1])
      }
      let counts = try shop.lines("devices").map { $0.split(separator: ",").count }
      #expect(counts.sorted() == [1, 2, 3])
      #expect(try await shop.engine.devices().allSatisfy { $0.holder == nil })
    }
  }

  @Test func `a trial whose needs cannot be told fails with the reason`() async throws {
    try await Workshop.with(devices: 3) { shop in
      let sweep = try await shop.submit(
        """
        command: [/bin/true]
        method: grid
        parameters: {n: {values: [1, 2]}}
        resources: {gpus: n / 2}
        """)
      #expect(try await shop.ended(sweep.id).state == .finished)
      let trials = try await shop.trials(sweep.id)
      #expect(trials.map(\.state) == [.failed, .complete])
      #expect(trials.first?.reason == "'gpus: n / 2' is 0.5, and must be a whole number from 0 on.")
    }
  }
}
