// What watchers are told: everything, in one order, after it is durable.

import Foundation
import MartletExecution
import MartletModel
import MartletSeries
import MartletStore
import MartletTestSupport
import OrderedCollections
import Synchronization
import Testing

@testable import MartletTracking

@Suite struct FeedTests {
  @Test func everySubscriberSeesOneOrder() async throws {
    let feed = LiveFeed()
    let (first, second) = (Recorder(), Recorder())
    let subscriptions = [feed.subscribe(first.take), feed.subscribe(second.take)]
    let ids = (0..<8).map { _ in PublicID.random() }
    await withTaskGroup { group in
      for id in ids {
        group.addTask {
          for step in 0..<50 {
            feed.publish([
              .points(run: id, RowBatch(firstSequence: 0, steps: [Int64(step)], times: [noon.microseconds]))
            ])
          }
        }
      }
    }
    func told(_ recorder: Recorder) -> [String] {
      recorder.all.map { item in
        guard case .points(let run, let batch) = item.event else { return "" }
        return "\(item.sequence) \(run) \(batch.steps)"
      }
    }
    #expect(first.all.map(\.sequence) == Array(1...400))
    #expect(told(first) == told(second))
    #expect(feed.sequence == 400)
    // Of one publisher, nothing overtakes.
    for id in ids {
      #expect(
        told(first).filter { $0.contains(" \(id) ") }.map { $0.split(separator: " ").last }
          == (0..<50).map { "[\($0)]" })
    }
    withExtendedLifetime(subscriptions) {}
  }

  @Test func aSubscriptionEndsWithCancelOrItsLastReference() {
    let feed = LiveFeed()
    let (cancelled, dropped) = (Recorder(), Recorder())
    let event = FeedEvent.rewound(run: .random())
    #expect(!feed.isWatched)
    let subscription = feed.subscribe(cancelled.take)
    do {
      let short = feed.subscribe(dropped.take)
      feed.publish([event])
      withExtendedLifetime(short) {}
    }
    feed.publish([event])
    #expect(feed.isWatched)
    subscription.cancel()
    subscription.cancel()
    feed.publish([event])
    #expect(!feed.isWatched)
    #expect(dropped.all.map(\.sequence) == [1])
    #expect(cancelled.all.map(\.sequence) == [1, 2])
    #expect(feed.sequence == 3)
  }

  @Test func pointsComeWithTheirSteps() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    let lines = """
      {"seq": 0, "time": 7, "values": {"loss": 1, "note": "x"}}
      {"seq": 1, "step": 40, "values": {"loss": NaN}}
      {"seq": 2, "values": {"loss": 3}}
      """
    try await bench.log(run, lines)
    #expect(told.rows.map(\.step) == [0, 40, 41])
    #expect(told.rows.map(\.time) == [Timestamp(microseconds: 7), noon, noon])
    #expect(told.rows.map { $0.numbers.map(\.name) } == [["loss"], ["loss"], ["loss"]])
    // Rows that were known change nothing and are not told; of a mixed batch only the new ones are.
    try await bench.log(run, lines)
    #expect(told.rows.count == 3)
    try await bench.log(run, lines + "\n" + #"{"seq": 3, "values": {"loss": 4}}"#)
    #expect(told.rows.map(\.step) == [0, 40, 41, 42])
    // The run's row follows, with its summary.
    try await eventually("the run's row is told") { told.runs.last?.metric("loss")?.count == 4 }
    subscription.cancel()
  }

  /// Many change one run at once: whoever watches ends with what the store has.
  @Test func anOlderRowIsNeverToldAfterANewerOne() async throws {
    let bench = try await Bench()
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    for _ in 0..<20 {
      let run = try await bench.create()
      try await withThrowingTaskGroup { group in
        for index in 0..<8 {
          group.addTask {
            var patch = RunPatch()
            patch.config = ["\(index)": 1]
            _ = try await bench.tracking.patchRun(run, patch, access: bench.access)
          }
          group.addTask { await bench.tracking.tell(runs: [run]) }
        }
        group.addTask {
          _ = try await bench.tracking.finishRun(
            run, RunFinish(state: .finished, exitCode: 0, reason: nil), access: bench.access)
        }
        try await group.waitForAll()
      }
      let seen = told.runs.filter { $0.id == run }
      #expect(seen.last == (try await bench.show(run)))
      let counts = seen.map { $0.config.object?.count ?? 0 }
      #expect(counts == counts.sorted(), "a row only ever gained keys")
      let ended = seen.map { $0.state.isEnd ? 1 : 0 }
      #expect(ended == ended.sorted(), "what has ended stays ended")
    }
    subscription.cancel()
  }

  @Test func runsThenTrialsThenSweeps() async throws {
    let bench = try await Bench()
    let (sweep, run) = try await bench.sweep()
    let told = Recorder()
    // Nobody watches: nothing is read or told, only noted.
    await bench.tracking.tell(runs: [run], sweeps: [sweep])
    let subscription = bench.feed.subscribe(told.take)
    await bench.tracking.tell()
    await bench.tracking.tell(
      runs: [.random(), run], sweeps: [sweep, .random()], trials: [sweep: [0, 7]])
    let kinds = told.all.map { item in
      switch item.event {
      case .run(let run): "run \(run.id)"
      case .trial(let sweep, let trial): "trial \(sweep) \(trial.number)"
      case .sweep(let sweep): "sweep \(sweep.id)"
      case .points, .system, .rewound, .deleted, .moved, .alert, .pool: "another"
      }
    }
    #expect(kinds == ["run \(run)", "trial \(sweep) 0", "sweep \(sweep)"])
    #expect(told.all.map(\.sequence) == [3, 4, 5])
    // A store that fails is a warning in the log, not an end.
    try bench.store.close()
    await bench.tracking.tell(runs: [run])
    #expect(told.all.count == 3)
    subscription.cancel()
  }

  /// Whoever decides what runs next waits for no reader of the database.
  @Test func whatIsToldSoonHoldsUpNobodyAndKeepsTheOrder() async throws {
    let bench = try await Bench()
    let (first, second) = (try await bench.create(), try await bench.create())
    let recorder = Recorder()
    let subscription = bench.feed.subscribe(recorder.take)
    let (began, isDone) = (Flag(), Flag())
    // A long snapshot, between two tellings.
    let snapshot = Task {
      try await bench.feed.inOrder {
        began.raise()
        while !isDone.isUp { try await Task.sleep(for: .milliseconds(5)) }
      }
    }
    try await eventually("the snapshot is read") { began.isUp }
    for notes in ["a", "b", "c"] {
      for run in [first, second] {
        var patch = RunPatch()
        patch.notes = notes
        let final = patch
        try await bench.store.write { try $0.patchRun(run, final, now: noon) }
        bench.tracking.tellSoon(runs: [run])
      }
    }
    #expect(recorder.runs.isEmpty)
    isDone.raise()
    try await snapshot.value
    await bench.feed.drain()
    // Each once, as it is by now, in the order in which they were first to be told.
    #expect(recorder.runs.map(\.id) == [first, second])
    #expect(recorder.runs.map(\.notes) == ["c", "c"])
    bench.tracking.tellSoon(runs: [second])
    await bench.feed.drain()
    #expect(recorder.runs.map(\.id) == [first, second, second])
    subscription.cancel()
  }

  @Test func whatCouldNotBeReadIsToldLater() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    func setState(_ state: String) throws {
      let program = """
        import sqlite3, sys
        with sqlite3.connect(sys.argv[1], timeout=60) as store:
            store.execute("UPDATE run SET state = ?", sys.argv[2:])
        """
      let python = ChildProcess(
        "/usr/bin/env", ["python3", "-c", program, "\(bench.directory.path)/martlet.db", state],
        environment: ProcessInfo.processInfo.environment)
      try #require(try python.run(within: .seconds(60)).isSuccess)
    }
    let before = bench.feed.sequence
    // A state that no server knows: the row cannot be read.
    try setState("odd")
    await bench.tracking.tell(runs: [run])
    #expect(told.all.isEmpty)
    // Whoever comes back from here is told of it as well.
    let missed = bench.feed.changes(after: before, epoch: bench.feed.epoch)
    #expect(missed?.map(\.subject) == [.run(run)])
    try setState("running")
    try await eventually("the row is told") { told.runs.map(\.id) == [run] }
    subscription.cancel()
  }

  @Test func changesOfRunsAreTold() async throws {
    let bench = try await Bench()
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    let run = try await bench.create()
    var patch = RunPatch()
    patch.notes = "seen"
    _ = try await bench.tracking.patchRun(run, patch, access: bench.access)
    _ = try await bench.tracking.finishRun(
      run, RunFinish(state: .finished, exitCode: 0, reason: nil), access: bench.access)
    #expect(told.runs.map(\.state) == [.running, .running, .finished])
    #expect(told.runs.map(\.notes) == ["", "seen", "seen"])
    _ = try await problem(.unprocessable) { _ = try await bench.create("") }
    #expect(told.all.count == 3)
    subscription.cancel()
  }
}
