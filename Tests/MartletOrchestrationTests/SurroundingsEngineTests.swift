// What stands around trials: what goes before them, what they share and go on from, how many run; with real processes.

import Foundation
import MartletModel
import MartletScheduling
import MartletStore
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletOrchestration

@Suite struct SurroundingsEngineTests {
  private func sweep(_ script: String, _ keys: String, points: Int = 3) -> String {
    """
    command: [/bin/sh, -c, "\(script)"]
    method: grid
    parameters: {x: {values: \(Array(1...points))}}
    \(keys)
    """
  }

  private func preparation(_ sweep: PublicID, _ shop: Workshop) async throws -> Sweep.Preparation? {
    try await shop.engine.sweep(sweep, access: shop.access).preparation
  }

  // MARK: - Before the first trial

  @Test func `what is prepared once is there for all trials, and for the next server`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "get.sh", "echo got; echo made >> \(shop.work)/made; echo data > $MARTLET_SHARED_DIR/data\n")
      let sweep = try await shop.submit(
        sweep(
          "while [ ! -e \(shop.work)/go ]; do sleep 0.02; done; cat $MARTLET_SHARED_DIR/data >> \(shop.work)/seen",
          "prepare: /bin/sh get.sh\nmax_parallel: 1"))
      #expect(try await shop.running(sweep.id, count: 1))
      let prepared = try #require(try await preparation(sweep.id, shop))
      #expect(prepared.state == .finished)
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      try shop.write("go", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try shop.lines("made") == ["made"])
      #expect(try shop.lines("seen") == ["data", "data", "data"])
      // It is a run of the sweep, with a log, and no trial.
      #expect(try await preparation(sweep.id, shop)?.run == prepared.run)
      let run = try await shop.run(prepared.run)
      #expect(run.sweep == sweep.id && run.trial == nil)
      let attempts = try await shop.engine.store.read { try $0.attempts(of: prepared.run) }
      #expect(attempts.count == 1)
      let log = try #require(attempts.first).directory + "/stdout.log"
      #expect(try shop.text(log) == "got\n")
      #expect(try await shop.trials(sweep.id).count == 3)
    }
  }

  @Test func `while it runs the sweep says what its trials wait for`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        sweep("true", "prepare: [/bin/sh, -c, 'while [ ! -e go ]; do sleep 0.02; done']"))
      #expect(try await eventually { try await preparation(sweep.id, shop)?.state == .running })
      let waiting = try await shop.engine.sweep(sweep.id, access: shop.access)
      #expect(waiting.state == .running)
      #expect(waiting.stateReason == "Its trials wait for its preparation.")
      #expect(try await shop.trials(sweep.id).isEmpty)
      await shop.close()
      try await shop.open()
      try await shop.engine.start()
      #expect(try await shop.trials(sweep.id).isEmpty)
      try shop.write("go", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .finished && ended.stateReason == nil)
    }
  }

  @Test func `what goes before gets the devices that it asks for itself`() async throws {
    try await Workshop.with(devices: 2) { shop in
      let prepare = "echo $MARTLET_DEVICES > \(shop.work)/devices"
      let sweep = try await shop.submit(
        sweep("true", "prepare: {command: [/bin/sh, -c, '\(prepare)'], resources: {gpus: 2}}", points: 1))
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try shop.lines("devices") == ["0,1"])
      await #expect(throws: Problem.self) {
        _ = try await shop.submit(self.sweep("true", "prepare: {command: make, resources: {gpus: 3}}"))
      }
    }
  }

  @Test func `its failure ends the sweep with the reason`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        sweep("true", "prepare: [/bin/sh, -c, 'echo no such data >&2; exit 4']"))
      let ended = try await shop.ended(sweep.id)
      #expect(ended.state == .failed)
      #expect(ended.stateReason?.hasPrefix("Its preparation failed: Exited with code 4") == true)
      #expect(ended.stateReason?.contains("no such data") == true)
      #expect(try await shop.trials(sweep.id).isEmpty)
      #expect(try await preparation(sweep.id, shop)?.state == .failed)
    }
  }

  @Test func `a sweep that is stopped meanwhile ends without trials`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(sweep("true", "prepare: sleep 600\ngrace: 0"))
      #expect(try await eventually { try await preparation(sweep.id, shop)?.state == .running })
      _ = try await shop.engine.stopSweep(sweep.id, mode: .drain, grace: nil, access: shop.access)
      #expect(try await shop.ended(sweep.id).state == .cancelled)
      #expect(try await preparation(sweep.id, shop)?.state == .stopped)
    }
  }

  // MARK: - What trials are given

  @Test func `each trial knows its part of the data`() async throws {
    try await Workshop.with { shop in
      let sweep = try await shop.submit(
        sweep(
          "echo $MARTLET_TRIAL_ID $MARTLET_SHARD_INDEX $MARTLET_SHARD_COUNT >> \(shop.work)/parts",
          "shards: 2"))
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try shop.lines("parts").sorted() == ["0 0 2", "1 1 2", "2 0 2"])
    }
  }

  @Test func `a retry goes on from the newest checkpoint that is finished`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.sh",
        """
        cd $MARTLET_CHECKPOINT_DIR
        if [ "$MARTLET_ATTEMPT" = 1 ]; then
          echo "first $MARTLET_RESUME_FROM" >> \(shop.work)/from
          echo 1 > epoch1.pt; echo 2 > epoch2.pt; echo 3 > epoch3.pt.tmp; : > empty.pt; mkdir hollow
          touch -d '2020-01-01' epoch1.pt; touch -d '2020-01-02' epoch2.pt
          exit 3
        fi
        echo "then $(basename $MARTLET_RESUME_FROM)" >> \(shop.work)/from
        test "$(cat $MARTLET_RESUME_FROM)" = 2

        """)
      let sweep = try await shop.submit(
        """
        command: [/bin/sh, train.sh]
        method: grid
        parameters: {x: {values: [1]}}
        retries: 1
        retry_pause: 0
        """)
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try shop.lines("from") == ["first ", "then epoch2.pt"])
    }
  }

  @Test func `two sweeps of one name at once have nothing in common`() async throws {
    try await Workshop.with { shop in
      let source = """
        name: twins
        command: [/bin/sh, -c, "echo $MARTLET_SWEEP_ID > $MARTLET_RUN_DIR/mine; echo x > $MARTLET_SHARED_DIR/$MARTLET_TRIAL_ID"]
        method: random
        run_cap: 4
        run_name: same
        parameters: {x: {values: [1, 2]}}
        """
      async let first = shop.submit(source)
      async let second = shop.submit(source)
      let ids = [try await first.id, try await second.id]
      var directories: Set<String> = []
      for id in ids {
        let ended = try await shop.ended(id)
        #expect(ended.state == .finished)
        directories.insert(ended.outputDirectory)
        let trials = try await shop.trials(id)
        #expect(trials.map(\.runName) == ["same_0", "same_1", "same_2", "same_3"])
        for trial in trials {
          let directory = try #require(try await shop.run(trial.run).directory)
          #expect(directory == "\(ended.outputDirectory)/\(trial.runName)")
          #expect(try shop.text("\(directory)/mine") == "\(id)\n")
        }
        let shared = try FileManager.default.contentsOfDirectory(atPath: "\(ended.outputDirectory)/shared")
        #expect(shared.sorted() == ["0", "1", "2", "3"])
      }
      #expect(directories.count == 2)
    }
  }

  // MARK: - How many

  @Test func `out of memory beside others, a trial is tried again with fewer`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "trial.sh",
        """
        if [ "$MARTLET_TRIAL_ID" = 1 ]; then
          [ "$MARTLET_ATTEMPT" = 2 ] && exit 0
          while [ ! -e hog ]; do sleep 0.02; done
          echo "torch.OutOfMemoryError: CUDA out of memory." >&2; exit 1
        fi
        while [ ! -e go ]; do sleep 0.02; done

        """)
      let sweep = try await shop.submit(
        """
        command: [/bin/sh, trial.sh]
        method: grid
        parameters: {x: {values: [1, 2, 3]}}
        max_parallel: 3
        retry_pause: 0
        """)
      #expect(try await shop.running(sweep.id, count: 3))
      try shop.write("hog", "")
      func now() async throws -> Sweep { try await shop.engine.sweep(sweep.id, access: shop.access) }
      #expect(try await eventually { try await now().maxParallel == 2 })
      #expect(
        try await now().parallelReason
          == "Lowered from 3 to 2: trial 1 ran out of memory beside 2 others.")
      #expect(try await shop.trials(sweep.id)[1].attempts == 2)
      try shop.write("go", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try await shop.trials(sweep.id).map(\.state) == [.complete, .complete, .complete])
    }
  }

  @Test func `an automatic sweep follows what the machine has left, and says why`() async throws {
    try await Workshop.with(devices: 2) { shop in
      let sweep = try await shop.submit(
        sweep("while [ ! -e \(shop.work)/go ]; do sleep 0.02; done", "max_parallel: auto", points: 6))
      #expect(try await shop.running(sweep.id, count: 2))
      func now() async throws -> Sweep { try await shop.engine.sweep(sweep.id, access: shop.access) }
      #expect(try await now().maxParallel == 2)
      #expect(try await now().isAutomatic)
      let conductor = try shop.engine.conductor
      // Both devices are held: more trials would only wait.
      await conductor.hear(Headroom(cpu: 0, load: 0, freeMemory: 60 << 30, memory: 64 << 30))
      #expect(try await now().maxParallel == 2)
      await conductor.hear(Headroom(cpu: 0, load: 0, freeMemory: 1 << 30, memory: 64 << 30))
      #expect(try await now().maxParallel == 1)
      #expect(try await now().parallelReason == "Lowered from 2 to 1: only 2 % of the memory are free.")
      var change = SweepChange()
      change.maxParallel = 2
      let fixed = try await shop.engine.changeSweep(sweep.id, change, access: shop.access)
      #expect(!fixed.isAutomatic && fixed.maxParallel == 2 && fixed.parallelReason == nil)
      change.maxParallel = nil
      change.isAutomatic = true
      let again = try await shop.engine.changeSweep(sweep.id, change, access: shop.access)
      #expect(again.isAutomatic && again.maxParallel == 2)
      try shop.write("go", "")
      #expect(try await shop.ended(sweep.id).state == .finished)
    }
  }
}
