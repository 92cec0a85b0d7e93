// What derived metrics may take, who waits for whom, and what sweeps look for.

import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Synchronization
import Testing

@testable import MartletStore

@Suite struct DerivedWorkTests {
  // MARK: - What it may take

  private func tenRows(_ bench: Bench) async throws -> PublicID {
    let run = try await bench.run()
    try await bench.append((0..<10).map { row($0, step: $0, ["a": Double($0)]) }, to: run)
    return run
  }

  @Test func `what takes too much is refused, and nothing is computed for nobody`() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await tenRows(bench)
    try await bench.derive("twice", "2 * a")
    let window = SeriesWindow(keys: ["twice"])
    let refused = try await problem(.unprocessable) {
      _ = try await bench.store.read { try $0.series(run: run, window, effort: DerivedEffort(20)) }
    }
    #expect(refused.hint != nil)
    // What was logged costs nothing here.
    let logged = try await bench.store.read {
      try $0.series(run: run, SeriesWindow(keys: ["a"]), effort: DerivedEffort(0)).first?.count
    }
    #expect(logged == 10)
    for isAggregate in [false, true] {
      await #expect(throws: CancellationError.self) {
        try await bench.store.read { reader in
          if isAggregate {
            _ = try reader.derivedPlan(of: reader.requireRunRow(run), until: { true })
          } else {
            _ = try reader.series(run: run, window, effort: DerivedEffort(until: { true }))
          }
        }
      }
    }
    // By its turn.
    #expect(try await bench.store.series(run: run, window, limit: .max).first?.count == 10)
    let both = SeriesWindow(keys: ["a", "twice"])
    #expect(try await bench.store.series(run: run, both, limit: .max).map(\.key) == ["a", "twice"])
  }

  @Test func `a store that is being closed computes nothing more`() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await tenRows(bench)
    try await bench.derive("twice", "2 * a")
    bench.store.keeper.stop()
    await #expect(throws: CancellationError.self) { try await bench.store.settleDerived() }
    await #expect(throws: CancellationError.self) {
      _ = try await bench.store.series(run: run, SeriesWindow(keys: ["twice"]), limit: .max)
    }
    #expect(try await bench.show(run).metrics.map(\.name) == ["a"])
    // The next one does it.
    let next = try bench.reopened(sealing: .manual)
    try await next.store.settleDerived()
    #expect(try await next.show(run).metric("twice")?.last == 18)
  }

  @Test func `only so many have their turn at a time`() async throws {
    let (turns, crowd) = (Turns(2), Crowd())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<100 {
        group.addTask {
          try await turns.run {
            crowd.come()
            await Task.yield()
            crowd.go()
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(crowd.largest <= 2)
    #expect(crowd.came == 100)
  }

  @Test func `who was cancelled does not wait for a turn`() async throws {
    let turns = Turns(1)
    let (began, isDone) = (Flag(), Flag())
    let holder = Task {
      try await turns.run {
        began.raise()
        while !isDone.isUp { try await Task.sleep(for: .milliseconds(5)) }
      }
    }
    try await eventually("somebody has the turn") { began.isUp }
    let waiter = Task { try await turns.run {} }
    let other = Task { try await turns.run { true } }
    try await eventually("two wait") { turns.waiting == 2 }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    #expect(turns.waiting == 1)
    // Nor does who was cancelled before it came.
    let late = Task {
      while !Task.isCancelled { await Task.yield() }
      try await turns.run {}
    }
    late.cancel()
    await #expect(throws: CancellationError.self) { try await late.value }
    isDone.raise()
    try await holder.value
    #expect(try await other.value)
  }

  private struct Work: Hashable {
    /// Aggregates that are computed at once.
    var count: Int
    /// There are more.
    var isPart: Bool
    var tooLarge: [String]
  }

  @Test func `aggregates are computed where they are outdated, some at a time`() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await tenRows(bench)
    func plan(limit: Int = 1_000_000) async throws -> Work? {
      try await bench.store.read { reader in
        let plan = try reader.derivedPlan(of: reader.requireRunRow(run), limit: limit)
        return plan.map { Work(count: $0.summaries.count, isPart: $0.isPart, tooLarge: $0.tooLarge) }
      }
    }
    try await bench.derive("twice", "2 * a")
    #expect(try await plan()?.count == 1)
    try await bench.store.settleDerived()
    #expect(try await plan() == nil)
    try await bench.derive("thrice", "3 * a")
    try await bench.derive("whole", "a + a + a + a + a")
    #expect(try await plan()?.count == 2)
    // Three parts and nine, of ten rows.
    let part = try #require(try await plan(limit: 50))
    #expect(part == Work(count: 2, isPart: false, tooLarge: ["whole"]))
    try await bench.derive("fourth", "4 * a")
    let less = try #require(try await plan(limit: 50))
    #expect(less == Work(count: 2, isPart: true, tooLarge: ["whole"]))
    try await bench.store.settleDerived()
    #expect(try await bench.show(run).metrics.map(\.name) == ["a", "fourth", "thrice", "twice", "whole"])
    // What was computed before is as it was.
    #expect(try await bench.show(run).metric("twice")?.last == 18)
    try await bench.append([row(10, step: 10, ["a": 100])], to: run)
    #expect(try await plan()?.count == 4)
  }

  @Test func `aggregates that are worthless are dropped a few at a time`() async throws {
    let bench = try await Bench(sealing: .manual)
    for number in 0..<5 {
      let run = try await bench.run("run-\(number)")
      try await bench.append([row(0, step: 0, ["a": 1])], to: run)
    }
    try await bench.derive("twice", "2 * a")
    try await bench.derive("square", "twice ^ 2")
    try await bench.derive("other", "3 * a")
    try await bench.store.settleDerived()
    func outdated(by expression: String) async throws -> [Int64] {
      let new = NewDerivedMetric(name: "twice", expression: expression)
      return try await bench.store.read { try $0.derivedOutdated(by: new, inProject: "digits") }
    }
    // The same again changes nothing.
    #expect(try await outdated(by: "2 * a").isEmpty)
    let rows = try await outdated(by: "a + a")
    #expect(rows.count == 2)
    func drop() async throws -> Bool {
      try await bench.store.write { try $0.dropSomeDerivedSummaries(of: rows, limit: 4) }
    }
    #expect(try await [drop(), drop(), drop()] == [true, true, false])
    let left = try await bench.store.pool.read { db in
      try Int.fetchOne(db, sql: "SELECT count(*) FROM derived_summary")
    }
    #expect(left == 5)
  }

  @Test func `a configuration that is told again outdates nothing`() async throws {
    let bench = try await Bench(sealing: .manual)
    var details = RunPatch()
    details.config = ["model": ["width": 10]]
    let patch = details
    let run = try await bench.run(with: patch)
    try await bench.append([row(0, step: 0, ["a": 3])], to: run)
    try await bench.derive("cost", "a * config.model.width")
    try await bench.store.settleDerived()
    func isOutdated() async throws -> Bool {
      try await bench.store.read { try $0.derivedPlan(of: $0.requireRunRow(run)) != nil }
    }
    try await bench.store.write { try $0.patchRun(run, patch, now: noon) }
    #expect(try await !isOutdated())
    var other = patch
    other.config = ["model": ["width": 11]]
    try await bench.store.write { [other] in try $0.patchRun(run, other, now: noon) }
    #expect(try await isOutdated())
    try await bench.store.settleDerived()
    #expect(try await bench.show(run).metric("cost")?.last == 33)
  }

  // MARK: - What sweeps look for

  private func trial(of metric: String, _ bench: Bench) async throws -> (sweep: PublicID, run: PublicID) {
    let me = bench.me
    return try await bench.store.write { writer in
      let (id, run) = (try writer.freshSweepID(), try writer.freshRunID())
      let row = try writer.createSweep(
        Sweep(
          id: id, project: "digits", name: "search", description: "", state: .running, method: "grid",
          objective: Objective(metric: metric, goal: .minimize), parameters: [], maxParallel: 1, timeout: nil,
          command: ["train"], workdir: "/", outputDirectory: "/tmp", spaceSize: 1, budget: 1, createdAt: noon,
          createdBy: me.name, seed: 1, source: ""),
        samplerState: [:], filename: nil, commandOverride: nil, by: me, now: noon)
      try writer.createExecutedRun(
        ExecutedRun(
          project: "digits", name: "trial-0", sweepRow: row, trial: 0, config: [:], command: ["true"],
          workdir: "/", directory: "/tmp", execution: [:]), id: run, by: me, now: noon)
      try writer.createTrial(ofSweep: row, number: 0, parameters: [:], run: run, by: me, now: noon)
      return (id, run)
    }
  }

  @Test func `what a sweep looks for is computed alone, and only where it is derived`() async throws {
    let bench = try await Bench(sealing: .manual)
    let (sweep, run) = try await trial(of: "gap", bench)
    func isOutdated() async throws -> Bool {
      try await bench.store.read { try $0.isObjectiveOutdated(of: run) }
    }
    try await bench.append([row(0, step: 0, ["a": 3, "b": 1])], to: run)
    #expect(try await !isOutdated())
    try await bench.derive("gap", "a - b")
    try await bench.derive("other", "a + b")
    #expect(try await isOutdated())
    #expect(try await bench.store.deriveObjective(of: run) == nil)
    #expect(try await !isOutdated())
    #expect(try await bench.show(run).metrics.map(\.name) == ["a", "b", "gap"])
    #expect(try await bench.store.read { try $0.trials(of: sweep).first?.metrics?.min } == 2)
    try await bench.append([row(1, step: 1, ["a": 4, "b": 1])], to: run)
    #expect(try await isOutdated())
    // What the run logs itself counts, also where no number is in it.
    try await bench.append([row(2, step: 2, ["gap": .nan])], to: run)
    #expect(try await !isOutdated())
    let trial = try await bench.store.read { try $0.trials(of: sweep).first }
    #expect(trial?.metrics != nil)
    #expect(trial?.metrics?.min == nil)
  }

  @Test func `what a sweep looks for is not known where points are damaged`() async throws {
    let bench = try await Bench(sealing: .manual)
    let (_, run) = try await trial(of: "twice", bench)
    try await bench.append((0..<5_000).map { row($0, step: $0, ["a": Double($0)]) }, to: run)
    try await bench.store.settle()
    try await bench.derive("twice", "2 * a")
    try await bench.store.pool.write { db in
      try db.execute(sql: "UPDATE series_chunk SET payload = x'FF' WHERE kind = 0 AND first_row = 0")
    }
    let fault = try #require(try await bench.store.deriveObjective(of: run))
    #expect(fault.contains("cannot be computed"))
  }
}

/// Counts who is somewhere at the same time.
private final class Crowd: Sendable {
  private let state = Mutex((now: 0, largest: 0, came: 0))

  var largest: Int { state.withLock { $0.largest } }
  var came: Int { state.withLock { $0.came } }

  func come() {
    state.withLock { state in
      state.now += 1
      state.came += 1
      state.largest = max(state.largest, state.now)
    }
  }

  func go() { state.withLock { $0.now -= 1 } }
}
