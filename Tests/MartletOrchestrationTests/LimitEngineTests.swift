// Limits of attempts through the engine: what is tried again, what is kept, what is left; and a machine that restarts.

import Foundation
import Glibc
import MartletModel
import MartletOrchestration
import MartletScheduling
import MartletStore
import MartletTestSupport
import OrderedCollections
import Testing

@Suite struct LimitEngineTests {
  private func attempts(_ shop: Workshop, _ run: PublicID) async throws -> [Attempt] {
    try await shop.engine.store.read { try $0.attempts(of: run) }
  }

  private func sweep(_ script: String, _ keys: String) -> String {
    """
    command: [/bin/sh, -c, "\(script)"]
    method: grid
    parameters: {x: {values: [1]}}
    \(keys)
    """
  }

  /// `limits.json` of an attempt.
  private func groups(_ attempt: Attempt) throws -> [String] {
    let data = try #require(FileManager.default.contents(atPath: "\(attempt.directory)/limits.json"))
    return try JSONValue.parse(data)["groups"]?.array?.compactMap(\.string) ?? []
  }

  @Test func `a trial that passes its memory limit is tried again for oom, and its end explained`()
    async throws
  {
    try await Workshop.with { shop in
      let script = """
        [ -e $MARTLET_RUN_DIR/again ] && exit 0; touch $MARTLET_RUN_DIR/again; \
        exec python3 -c 'import time; held = bytearray(400000000); time.sleep(300)'
        """
      let sweep = try await shop.submit(
        sweep(script, "resources: {memory: 100MB}\nretries: {oom: 1}\nretry_pause: 0"))
      #expect(try await shop.ended(sweep.id).state == .finished)
      let trial = try #require(try await shop.trials(sweep.id).first)
      let attempts = try await attempts(shop, trial.run)
      #expect(attempts.map(\.state) == [.killed, .finished])
      let first = try #require(attempts.first)
      #expect(first.use.fault == "oom")
      #expect(first.use.limit == "memory")
      #expect(try #require(first.use.peakMemory) > 90_000_000)
      #expect(try #require(first.use.cpuSeconds) > 0)
      #expect(first.exit?.reason.hasPrefix("Exit 137: killed by its memory limit of 100 MB after ") == true)
      #expect(first.limits["memory"] == 100_000_000)
      #expect(first.limits["memory_by"]?.string != nil)
      #expect(attempts.last?.use.fault == nil)
      // Nothing of what kept it is left.
      let groups = try attempts.flatMap(groups)
      #expect(groups.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
      await shop.close()
      for group in groups {
        let parent = URL(fileURLWithPath: group).deletingLastPathComponent().path
        #expect(!FileManager.default.fileExists(atPath: parent))
      }
      #expect(shop.book.troubles == [])
    }
  }

  @Test func `without a retry for oom it has failed, and more output than allowed is no fault to try again`()
    async throws
  {
    try await Workshop.with { shop in
      let hog = "exec python3 -c 'import time; held = bytearray(400000000); time.sleep(300)'"
      let first = try await shop.submit(
        sweep(hog, "resources: {memory: 100MB}\nretries: {infra: 3, failure: 3, timeout: 3}"))
      let second = try await shop.submit(
        sweep("yes", "resources: {output: 10kB}\nretries: 3\nretry_pause: 0"))
      #expect(try await shop.ended(first.id).state == .failed)
      #expect(try await shop.ended(second.id).state == .failed)
      for (sweep, words, limit) in [
        (first, "killed by its memory limit of 100 MB", "memory"),
        (second, "Ended by its output limit of 10.0 kB after ", "output"),
      ] {
        let trial = try #require(try await shop.trials(sweep.id).first)
        #expect(trial.reason?.contains(words) == true, "\(trial.reason ?? "")")
        let attempts = try await attempts(shop, trial.run)
        #expect(attempts.map(\.state) == [.killed])
        #expect(attempts.first?.use.limit == limit)
      }
    }
  }

  @Test func `processors and open files reach the program, and what its author set stays`() async throws {
    try await Workshop.with { shop in
      let script = "echo $OMP_NUM_THREADS $MKL_NUM_THREADS $(ulimit -n) > seen"
      let sweep = try await shop.submit(
        sweep(script, "resources: {cpus: 'x + 0', open_files: 64}\nenv: {MKL_NUM_THREADS: '7'}"))
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try shop.lines("seen") == ["1 7 64"])
      let trial = try #require(try await shop.trials(sweep.id).first)
      let attempt = try #require(try await attempts(shop, trial.run).first)
      #expect(attempt.limits["cpus"] == 1)
      #expect(attempt.limits["open_files"] == 64)
      #expect(attempt.limits["cpus_by"]?.string != nil)
    }
  }

  @Test func `limits that no trial can have end the sweep with the reason`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(sweep("true", "resources: {cpus: 'x / 2'}"))
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .failed)
      #expect(try await shop.trials(sweep.id).first?.reason?.contains("'cpus: x / 2' is 0.5") == true)
    }
  }

  @Test func `a restart of the machine is recognised, and forgiven as the machine's fault`() async throws {
    try await Workshop.with { shop in
      let script = "[ -e $MARTLET_RUN_DIR/again ] && exit 0; touch $MARTLET_RUN_DIR/again; exec sleep 300"
      let sweep = try await shop.submit(sweep(script, "retries: {infra: 1}\nretry_pause: 0"))
      #expect(try await shop.running(sweep.id, count: 1))
      let run = try #require(try await shop.trials(sweep.id).first).run
      let first = try #require(try await attempts(shop, run).first)
      await shop.close()
      // What the machine's end leaves: no process, and a record of another boot.
      let path = "\(first.directory)/attempt.json"
      var record = try #require(try JSONValue.parse(try shop.text(path)).object)
      for name in ["supervisor", "command"] {
        let pid = try #require(record[name]?["pid"]?.int.flatMap(Int32.init(exactly:)))
        kill(pid, SIGKILL)
        #expect(try await eventually { !isAlive(pid) })
      }
      record["boot_id"] = "00000000-0000-4000-8000-000000000000"
      // Numbers of the old boot that are others' now: this test's own process, which nobody may touch.
      record["command"] = ["pid": .int(Int64(getpid())), "start": 1]
      try Data(JSONValue.object(record).bytes()).write(to: URL(fileURLWithPath: path))
      try await shop.open()
      try await shop.engine.start()
      #expect(try await shop.ended(sweep.id).state == .finished)
      let attempts = try await attempts(shop, run)
      #expect(attempts.map(\.state) == [.crashed, .finished])
      #expect(attempts.first?.exit?.reason == "The machine was restarted while it ran.")
      #expect(attempts.first?.use.fault == "infra")
    }
  }

  @Test func `a server that starts removes what attempts left, and not what those that run are in`()
    async throws
  {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        sweep("touch begun; until [ -e gate ]; do sleep 0.02; done", "resources: {memory: 500MB}"))
      #expect(try await shop.running(sweep.id, count: 1))
      let run = try #require(try await shop.trials(sweep.id).first).run
      let own = try groups(try #require(try await attempts(shop, run).first))
      await shop.close()
      let old = own.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path + "/gone.1" }
      for group in old {
        try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: false)
      }
      try await shop.open()
      #expect(old.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
      #expect(own.allSatisfy { FileManager.default.fileExists(atPath: $0) })
      try await shop.engine.start()
      try shop.write("gate", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(own.allSatisfy { !FileManager.default.fileExists(atPath: $0) })
    }
  }

  // MARK: - Caps over all

  private func concurrency(of lines: [String]) -> Int {
    var (now, most) = (0, 0)
    for line in lines {
      now += line.hasPrefix("begin ") ? 1 : -1
      most = max(most, now)
    }
    return most
  }

  /// What ran at the same time, by `begin` and `end` in `notes`; one at a time is let go.
  private func mostAtOnce(
    of trials: Int, _ resources: String, under policy: PoolPolicy, devices: String = "none"
  ) async throws -> Int {
    var most = 0
    try await Workshop.with { shop in
      await shop.close()
      try await shop.open(
        pool: PoolOptions(devices: try DeviceChoice(parsing: devices), policy: policy))
      try await shop.engine.start()
      let script = """
        echo begin $MARTLET_TRIAL_ID >> notes; until [ -e go ]; do sleep 0.02; done; \
        echo end $MARTLET_TRIAL_ID >> notes
        """
      let sweep = try await shop.submit(
        """
        command: [/bin/sh, -c, "\(script)"]
        method: grid
        parameters: {x: {values: \(Array(1...trials))}}
        max_parallel: \(trials)
        resources: \(resources)
        """)
      // Decided in one transaction: whoever is queued now waits for somebody's end.
      let run = try await shop.trials(sweep.id)
      #expect(run.count == trials)
      most = run.count { $0.runState != .queued }
      try shop.write("go", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try concurrency(of: shop.lines("notes")) <= most)
    }
    return most
  }

  @Test func `all attempts together keep within the pool's memory`() async throws {
    var policy = PoolPolicy()
    policy.memory = 500_000_000
    #expect(try await mostAtOnce(of: 4, "{memory: 200MB}", under: policy) == 2)
  }

  @Test func `and within the memory of all devices that the pool may give`() async throws {
    var policy = PoolPolicy()
    policy.deviceMemory = 25_000_000_000
    // Each of the four cards has room for two, and the pool's limit for three in all.
    let most = try await mostAtOnce(
      of: 5, "{gpus: 1, gpu_memory: 8GB}", under: policy, devices: "4x16GB/2")
    #expect(most == 3)
  }

  @Test func `more than all together may have is refused at once, with the reason`() async throws {
    try await Workshop.with { shop in
      await shop.close()
      var policy = PoolPolicy()
      policy.memory = 500_000_000
      try await shop.open(pool: PoolOptions(devices: .none, policy: policy))
      try await shop.engine.start()
      let problem = await #expect(throws: Problem.self) {
        _ = try await shop.execute(["true"], more: ["resources": ["memory": 600_000_000]])
      }
      #expect(problem?.code == .unprocessable)
      let run = try await shop.execute(
        ["/bin/sh", "-c", "ulimit -n > seen"],
        more: ["resources": ["memory": 400_000_000, "cpus": 1, "open_files": 100, "output": 1_000]])
      #expect(try await shop.runEnded(run.id).state == .finished)
      #expect(try shop.lines("seen") == ["100"])
      let attempt = try #require(try await attempts(shop, run.id).first)
      #expect(
        AttemptLimits(json: attempt.limits)
          == AttemptLimits(memory: 400_000_000, cpus: 1, output: 1_000, openFiles: 100))
    }
  }
}
