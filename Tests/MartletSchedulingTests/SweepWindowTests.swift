// How many trials a sweep has at a time: lowered when memory runs out, raised and lowered with what the machine has left.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@Suite struct SweepWindowTests {
  private static let sweep = PublicID(rawValue: "sweep001") ?? .random()

  private func trial(_ number: Int) -> JobID { .trial(sweep: Self.sweep, number: number) }

  /// A scheduler with one sweep whose first trials all run.
  private func running(
    _ count: Int = 20, parallel: Int, budget: Int? = nil, automatic: Bool = false, devices: Int = 0,
    limits: [Fault: Int] = [:], pause: Double = 0
  ) throws -> Scheduler {
    let space = try Space([Parameter("x", .categorical((1...count).map { .int(Int64($0)) }))])
    var progress = SweepProgress()
    progress.isAutomatic = automatic
    let machine = SweepMachine(
      search: try Search(method: "grid", problem: SearchProblem(space: space, seed: 1)), objective: nil,
      target: nil, budget: budget ?? count,
      maxParallel: parallel, progress: progress)
    let plan = TrialPlan(
      needs: NeedsRule(Needs(devices: devices > 0 ? 1 : 0)),
      retries: RetryPolicy(limits: limits, pause: pause))
    var scheduler = Scheduler(pool: DevicePool(devices), at: 0)
    begin(
      scheduler.handle(.addSweep(Self.sweep, Scheduler.Sweep(machine: machine, plan: plan)), at: 0),
      &scheduler)
    return scheduler
  }

  /// All that was started runs.
  private func begin(_ actions: [Scheduler.Action], _ scheduler: inout Scheduler) {
    for case .start(let id, let number, _) in actions {
      _ = scheduler.handle(.attempt(id, number: number, .running), at: 0)
    }
  }

  private func starts(_ actions: [Scheduler.Action]) -> [JobID] {
    actions.compactMap { if case .start(let id, _, _) = $0 { id } else { nil } }
  }

  private func changes(_ actions: [Scheduler.Action]) -> [String] {
    actions.compactMap { if case .setMaxParallel(_, _, let reason) = $0 { reason } else { nil } }
  }

  private func over(_ kind: JobEnd.Kind, _ state: AttemptState = .crashed) -> JobNews {
    .over(JobEnd(kind, state, reason: "It ended.", seconds: 100))
  }

  private func window(_ scheduler: Scheduler) -> Int? { scheduler.sweeps[Self.sweep]?.machine.maxParallel }

  private func left(_ free: Double, cpu: Double = 0.2, load: Double = 0.2) -> Headroom {
    Headroom(cpu: cpu, load: load, freeMemory: Int64(free * 64) << 30, memory: 64 << 30)
  }

  // MARK: - Memory

  @Test func `who runs out of memory beside others is tried again with fewer`() throws {
    var scheduler = try running(parallel: 3)
    let failed = scheduler.handle(.attempt(trial(1), number: 1, over(.fault(.oom))), at: 10)
    #expect(changes(failed) == ["Lowered from 3 to 2: trial 1 ran out of memory beside 2 others."])
    // Two others run, which is all that may: its second attempt stands in no line.
    #expect(starts(failed) == [])
    #expect(scheduler.jobs[trial(1)]?.number == 2)
    #expect(scheduler.pool.waiting.isEmpty)
    let held = scheduler.heldBack(at: 10)
    #expect(held.map(\.request.job) == [trial(1)])
    #expect(held.map(\.reason) == ["Its sweep runs 2 trials at a time now, and 2 run."])
    // It is next, before any new trial.
    #expect(
      starts(scheduler.handle(.attempt(trial(0), number: 1, over(.success(objective: nil))), at: 20)) == [
        trial(1)
      ])
    #expect(scheduler.heldBack(at: 20).isEmpty)
    _ = scheduler.handle(.attempt(trial(1), number: 2, .running), at: 20)
    // Once only.
    let again = scheduler.handle(.attempt(trial(1), number: 2, over(.fault(.oom))), at: 30)
    #expect(changes(again) == ["Lowered from 2 to 1: trial 1 ran out of memory beside 1 other."])
    #expect(again.contains(.endTrial(sweep: Self.sweep, number: 1, .failed(reason: "It ended."))))
    #expect(window(scheduler) == 1)
  }

  @Test func `alone it is not, nor where the retries say so`() throws {
    var alone = try running(parallel: 1)
    let end = alone.handle(.attempt(trial(0), number: 1, over(.fault(.oom))), at: 10)
    #expect(end.contains(.endTrial(sweep: Self.sweep, number: 0, .failed(reason: "It ended."))))
    #expect(changes(end) == [])
    #expect(window(alone) == 1)
    var never = try running(parallel: 3, limits: [.oom: 0])
    let failed = never.handle(.attempt(trial(0), number: 1, over(.fault(.oom))), at: 10)
    #expect(failed.contains(.endTrial(sweep: Self.sweep, number: 0, .failed(reason: "It ended."))))
    #expect(window(never) == 2)
  }

  @Test func `its own limit says nothing of those beside it`() throws {
    var scheduler = try running(parallel: 3)
    let killed = scheduler.handle(.attempt(trial(0), number: 1, over(.fault(.oom), .killed)), at: 10)
    #expect(killed.contains(.endTrial(sweep: Self.sweep, number: 0, .failed(reason: "It ended."))))
    #expect(window(scheduler) == 3)
    var retried = try running(parallel: 3, limits: [.oom: 1])
    let again = retried.handle(.attempt(trial(0), number: 1, over(.fault(.oom), .killed)), at: 10)
    #expect(starts(again) == [trial(0)])
  }

  @Test func `a restart holds back the same trials`() throws {
    var scheduler = try running(parallel: 4)
    _ = scheduler.handle(.attempt(trial(2), number: 1, over(.fault(.oom))), at: 10)
    let restored = Scheduler(
      pool: DevicePool(0), sweeps: scheduler.sweeps, jobs: Array(scheduler.jobs.values), at: 11)
    #expect(restored.heldBack(at: 11).map(\.request.job) == [trial(2)])
    #expect(restored.pool.waiting == scheduler.pool.waiting)
  }

  @Test func `a window that is widened lets go of who was held back`() throws {
    var scheduler = try running(parallel: 4)
    _ = scheduler.handle(.attempt(trial(2), number: 1, over(.fault(.oom))), at: 10)
    let wider = scheduler.handle(.sweep(Self.sweep, .setMaxParallel(5)), at: 11)
    #expect(starts(wider) == [trial(2), trial(4)])
  }

  // MARK: - What the machine has left

  @Test func `an automatic window grows by one while there is room`() throws {
    var scheduler = try running(parallel: 2, automatic: true)
    let first = scheduler.handle(.headroom(left(0.9)), at: 10)
    #expect(
      changes(first) == ["Raised from 2 to 3: 80 % of the processors' time and 57.0 GiB of memory are free."])
    #expect(starts(first) == [trial(2)])
    // Not before the last one was seen to run, nor at once.
    #expect(scheduler.handle(.headroom(left(0.9)), at: 30) == [])
    begin(first, &scheduler)
    #expect(scheduler.handle(.headroom(left(0.9)), at: 15) == [])
    #expect(changes(scheduler.handle(.headroom(left(0.9)), at: 30)).count == 1)
    #expect(window(scheduler) == 4)
  }

  @Test func `not where processors, memory or devices are used up`() throws {
    for (headroom, devices) in [
      (left(0.9, cpu: 0.9), 0), (left(0.9, load: 1.5), 0), (left(0.3), 0), (left(0.9), 2),
    ] {
      var scheduler = try running(parallel: 2, automatic: true, devices: devices)
      #expect(scheduler.handle(.headroom(headroom), at: 30) == [])
    }
    var free = try running(parallel: 2, automatic: true, devices: 3)
    #expect(starts(free.handle(.headroom(left(0.9)), at: 30)) == [trial(2)])
  }

  @Test func `nor beyond its budget, nor where a number was said`() throws {
    var small = try running(parallel: 2, budget: 2, automatic: true)
    #expect(small.handle(.headroom(left(0.9)), at: 30) == [])
    var fixed = try running(parallel: 2)
    #expect(fixed.handle(.headroom(left(0.9)), at: 30) == [])
    var told = try running(parallel: 2, automatic: true)
    begin(told.handle(.sweep(Self.sweep, .setMaxParallel(3)), at: 1), &told)
    #expect(told.handle(.headroom(left(0.9)), at: 30) == [])
    _ = told.handle(.sweep(Self.sweep, .setAutomatic), at: 31)
    #expect(changes(told.handle(.headroom(left(0.9)), at: 32)).count == 1)
  }

  @Test func `it falls under pressure, and then waits longer before it grows`() throws {
    var scheduler = try running(parallel: 3, automatic: true)
    #expect(
      changes(scheduler.handle(.headroom(left(0.05)), at: 10))
        == ["Lowered from 3 to 2: only 5 % of the memory are free."])
    #expect(scheduler.handle(.headroom(left(0.05)), at: 15) == [], "what that did is not seen yet")
    #expect(
      changes(scheduler.handle(.headroom(left(0.5, load: 3)), at: 25))
        == ["Lowered from 2 to 1: 3.0 threads want each processor."])
    #expect(scheduler.handle(.headroom(left(0.05)), at: 40) == [], "one is the least")
    for number in 0..<2 {
      _ = scheduler.handle(.attempt(trial(number), number: 1, over(.success(objective: nil))), at: 50)
    }
    #expect(scheduler.handle(.headroom(left(0.9)), at: 60) == [])
    #expect(changes(scheduler.handle(.headroom(left(0.9)), at: 90)).count == 1)
  }

  @Test func `it does not grow to where memory ran out`() throws {
    var scheduler = try running(parallel: 3, automatic: true, limits: [.oom: 0])
    begin(scheduler.handle(.attempt(trial(0), number: 1, over(.fault(.oom))), at: 10), &scheduler)
    #expect(window(scheduler) == 2)
    #expect(scheduler.handle(.headroom(left(0.9)), at: 1_000) == [])
  }

  // MARK: - Preparation

  private func prepared(_ limits: [Fault: Int] = [:]) throws -> (Scheduler, [Scheduler.Action]) {
    let space = try Space([Parameter("x", .categorical([1, 2, 3]))])
    let machine = SweepMachine(
      search: try Search(method: "grid", problem: SearchProblem(space: space, seed: 1)), objective: nil,
      target: nil, budget: 3, maxParallel: 2,
      prepares: true)
    var scheduler = Scheduler(pool: DevicePool(0), at: 0)
    let actions = scheduler.handle(
      .addSweep(
        Self.sweep,
        Scheduler.Sweep(
          machine: machine, plan: TrialPlan(),
          preparation: TrialPlan(retries: RetryPolicy(limits: limits, pause: 0)))), at: 0)
    return (scheduler, actions)
  }

  private let preparation = JobID.preparation(sweep: SweepWindowTests.sweep)

  @Test func `trials wait for the preparation`() throws {
    var (scheduler, actions) = try prepared()
    #expect(starts(actions) == [preparation])
    #expect(
      actions.contains(.setSweep(Self.sweep, .running, reason: "Its trials wait for its preparation.")))
    #expect(scheduler.sweeps[Self.sweep]?.machine.trials.isEmpty == true)
    #expect(starts(scheduler.handle(.sweep(Self.sweep, .setMaxParallel(3)), at: 1)) == [])
    _ = scheduler.handle(.attempt(preparation, number: 1, .running), at: 1)
    let done = scheduler.handle(.attempt(preparation, number: 1, over(.success(objective: nil))), at: 2)
    #expect(done.contains(.setSweep(Self.sweep, .running, reason: nil)))
    #expect(starts(done) == [trial(0), trial(1), trial(2)])
    // Another server does not prepare it again.
    var restored = Scheduler(
      pool: DevicePool(0), sweeps: scheduler.sweeps, jobs: Array(scheduler.jobs.values), at: 3)
    #expect(!restored.handle(.begin, at: 3).contains(.createPreparation(sweep: Self.sweep)))
  }

  @Test func `its failure ends the sweep with the reason, once it is not forgiven`() throws {
    var (scheduler, _) = try prepared([.failure: 1])
    #expect(
      starts(scheduler.handle(.attempt(preparation, number: 1, over(.fault(.failure))), at: 1)) == [
        preparation
      ])
    #expect(
      scheduler.handle(.attempt(preparation, number: 2, over(.fault(.failure))), at: 2).last
        == .endSweep(Self.sweep, .failed, reason: "Its preparation failed: It ended."))
    #expect(scheduler.jobs.isEmpty && scheduler.sweeps.isEmpty)
  }

  @Test func `a sweep that is stopped meanwhile stops it, and makes no trials`() throws {
    for now in [true, false] {
      var (scheduler, _) = try prepared()
      let stop = scheduler.handle(.sweep(Self.sweep, .stop(now: now, reason: "Stopped by Ann.")), at: 1)
      #expect(stop.contains(.ask(preparation, number: 1, .stop)))
      let left = JobNews.over(JobEnd(.left, .stopped, reason: "Stopped.", seconds: 1))
      #expect(
        scheduler.handle(.attempt(preparation, number: 1, left), at: 2).last
          == .endSweep(Self.sweep, .cancelled, reason: "Stopped by Ann."))
    }
  }

  @Test func `a paused sweep is prepared, and goes on when it is resumed`() throws {
    var (scheduler, _) = try prepared()
    _ = scheduler.handle(.sweep(Self.sweep, .pause(reason: "Paused.")), at: 1)
    #expect(
      starts(scheduler.handle(.attempt(preparation, number: 1, over(.success(objective: nil))), at: 2)) == [])
    #expect(starts(scheduler.handle(.sweep(Self.sweep, .resume), at: 3)) == [trial(0), trial(1)])
  }
}
