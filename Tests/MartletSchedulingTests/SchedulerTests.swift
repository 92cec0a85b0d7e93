// The scheduler: what follows an attempt's end, and what people may ask for.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@Suite struct SchedulerTests {
  private static let sweep = PublicID(rawValue: "sweep001") ?? .random()

  private static func run(_ number: Int) -> PublicID { PublicID(rawValue: "run0000\(number)") ?? .random() }

  private func scheduler(_ devices: Int) -> Scheduler {
    Scheduler(pool: DevicePool(devices), at: 0)
  }

  private func plan(_ devices: Int = 1, _ limits: [Fault: Int] = [:], pause: Double = 1) -> TrialPlan {
    TrialPlan(
      needs: NeedsRule(Needs(devices: devices)), retries: RetryPolicy(limits: limits, pause: pause))
  }

  private func fault(_ fault: Fault, seconds: Double = 100) -> JobNews {
    .over(JobEnd(.fault(fault), .failed, reason: "It failed.", seconds: seconds))
  }

  private let success = JobNews.over(
    JobEnd(.success(objective: 1), .finished, reason: "It succeeded.", seconds: 100))

  private func starts(_ actions: [Scheduler.Action]) -> [JobID] {
    actions.compactMap { if case .start(let id, _, _) = $0 { id } else { nil } }
  }

  private func created(_ actions: [Scheduler.Action]) -> [Job] {
    actions.compactMap { if case .createAttempt(let job) = $0 { job } else { nil } }
  }

  @Test func `a run is queued, started, and gives its devices to the next`() {
    var scheduler = scheduler(1)
    let (a, b) = (JobID.run(Self.run(1)), JobID.run(Self.run(2)))
    #expect(starts(scheduler.handle(.submit(Self.run(1), plan()), at: 0)) == [a])
    #expect(starts(scheduler.handle(.submit(Self.run(2), plan()), at: 0)) == [])
    #expect(
      scheduler.handle(.attempt(a, number: 1, .running), at: 1) == [.setRunning(a, number: 1)])
    #expect(
      scheduler.handle(.attempt(a, number: 1, success), at: 2) == [
        .endAttempt(a, number: 1, .finished, reason: "It succeeded."), .start(b, number: 1, devices: [0]),
      ])
    #expect(Array(scheduler.jobs.keys) == [b])
  }

  @Test func `faults are forgiven by cause, after pauses that double`() {
    var scheduler = scheduler(1)
    let id = JobID.run(Self.run(1))
    _ = scheduler.handle(.submit(Self.run(1), plan(1, [.infra: 2, .failure: 1])), at: 0)
    var actions = scheduler.handle(.attempt(id, number: 1, fault(.infra)), at: 10)
    #expect(created(actions).map(\.state) == [.pausing(until: 11)])
    #expect(actions.last == .wake(at: 11))
    #expect(starts(scheduler.handle(.wake, at: 10.5)) == [])
    #expect(starts(scheduler.handle(.wake, at: 11)) == [id])
    actions = scheduler.handle(.attempt(id, number: 2, fault(.infra)), at: 20)
    #expect(created(actions).map(\.state) == [.pausing(until: 22)])
    _ = scheduler.handle(.wake, at: 22)
    actions = scheduler.handle(.attempt(id, number: 3, fault(.failure)), at: 30)
    #expect(created(actions).map(\.state) == [.pausing(until: 31)])
    _ = scheduler.handle(.wake, at: 31)
    #expect(
      scheduler.handle(.attempt(id, number: 4, fault(.infra)), at: 40)
        == [.endAttempt(id, number: 4, .failed, reason: "It failed.")])
    #expect(scheduler.jobs.isEmpty && scheduler.pool.isUnused)
  }

  @Test func `what is not forgiven ends at once`() {
    for cause in [Fault.oom, .timeout] {
      var scheduler = scheduler(1)
      let id = JobID.run(Self.run(1))
      _ = scheduler.handle(.submit(Self.run(1), plan(1, [.infra: 3, .failure: 3])), at: 0)
      #expect(created(scheduler.handle(.attempt(id, number: 1, fault(cause)), at: 1)).isEmpty)
      #expect(scheduler.jobs.isEmpty)
    }
  }

  @Test func `news of an earlier attempt change nothing`() {
    var scheduler = scheduler(1)
    let id = JobID.run(Self.run(1))
    _ = scheduler.handle(.submit(Self.run(1), plan(1, [.infra: 1], pause: 0)), at: 0)
    #expect(starts(scheduler.handle(.attempt(id, number: 1, fault(.infra)), at: 1)) == [id])
    #expect(scheduler.handle(.attempt(id, number: 1, fault(.infra)), at: 2) == [])
    #expect(scheduler.jobs[id]?.number == 2)
  }

  @Test func `who makes room comes back with its place in the line`() {
    var scheduler = scheduler(1)
    let (a, b) = (JobID.run(Self.run(1)), JobID.run(Self.run(2)))
    _ = scheduler.handle(.submit(Self.run(1), plan()), at: 0)
    _ = scheduler.handle(.attempt(a, number: 1, .running), at: 0)
    _ = scheduler.handle(.submit(Self.run(2), plan()), at: 0)
    #expect(
      scheduler.handle(.makeRoom(a, keepsPlace: false), at: 1).last == .ask(a, number: 1, .makeRoom))
    let left = JobNews.over(JobEnd(.left, .preempted, reason: "It made room.", seconds: 5))
    #expect(starts(scheduler.handle(.attempt(a, number: 1, left), at: 2)) == [b])
    #expect(scheduler.jobs[a]?.state == .waiting)
    #expect(starts(scheduler.handle(.attempt(b, number: 1, success), at: 3)) == [a])
    #expect(scheduler.jobs[a]?.number == 2)
    // A device that is drained is emptied in the same way, and its holder stays before those who came later.
    _ = scheduler.handle(.submit(Self.run(3), plan()), at: 4)
    let drained = scheduler.handle(.pool(.drain(device: 0, reason: "repair")), at: 4)
    #expect(
      drained == [
        .setStanding(device: 0, .draining(reason: "repair")), .ask(a, number: 2, .makeRoom),
      ])
    #expect(starts(scheduler.handle(.attempt(a, number: 2, left), at: 5)) == [])
    #expect(starts(scheduler.handle(.pool(.uncordon(device: 0)), at: 6)) == [a])
  }

  @Test func `supervisors that start nothing are tried five times`() {
    var scheduler = scheduler(1)
    let id = JobID.run(Self.run(1))
    func never(_ isBlamed: Bool) -> JobNews {
      .over(JobEnd(.neverStarted(isBlamed: isBlamed), .preempted, reason: "Never started.", seconds: 0))
    }
    _ = scheduler.handle(.submit(Self.run(1), plan()), at: 0)
    for number in 1...20 {
      #expect(starts(scheduler.handle(.attempt(id, number: number, never(false)), at: 0)) == [id])
    }
    for number in 21...24 {
      #expect(starts(scheduler.handle(.attempt(id, number: number, never(true)), at: 0)) == [id])
    }
    #expect(
      scheduler.handle(.attempt(id, number: 25, never(true)), at: 0)
        == [.endAttempt(id, number: 25, .failed, reason: "Its supervisor started nothing, 5 times.")])
  }

  @Test func `places in the line can be changed`() {
    var scheduler = scheduler(1)
    for number in 1...4 { _ = scheduler.handle(.submit(Self.run(number), plan()), at: 0) }
    let ids = (1...4).map { JobID.run(Self.run($0)) }
    #expect(scheduler.pool.waiting.map(\.job) == [ids[1], ids[2], ids[3]])
    _ = scheduler.handle(.moveToFront(ids[3]), at: 0)
    #expect(scheduler.pool.waiting.map(\.job) == [ids[3], ids[1], ids[2]])
    _ = scheduler.handle(.moveToBack(ids[1]), at: 0)
    #expect(scheduler.pool.waiting.map(\.job) == [ids[3], ids[2], ids[1]])
    _ = scheduler.handle(.setPriority(ids[1], 1), at: 0)
    #expect(scheduler.pool.waiting.map(\.job) == [ids[1], ids[3], ids[2]])
    #expect(scheduler.handle(.setPriority(ids[0], 9), at: 0) == [], "it runs already")
  }

  // MARK: - Sweeps

  private func sweep(_ count: Int, _ plan: TrialPlan, parallel: Int = 2, breaker: Int? = nil) throws
    -> Scheduler.Sweep
  {
    let space = try Space([Parameter("tp", .categorical((1...count).map { .int(Int64($0)) }))])
    return Scheduler.Sweep(
      machine: SweepMachine(
        search: try Search(method: "grid", problem: SearchProblem(space: space, seed: 1)), objective: nil,
        target: nil, budget: count,
        maxParallel: parallel, breaker: breaker), plan: plan)
  }

  @Test func `each trial gets what its own parameters ask for`() throws {
    var scheduler = scheduler(8)
    var plan = plan()
    plan.needs.devices = try NeedsRule.Amount(parsing: "2 * tp")
    let actions = scheduler.handle(.addSweep(Self.sweep, try sweep(3, plan, parallel: 3)), at: 0)
    #expect(created(actions).map(\.needs.devices) == [2, 4, 6])
    #expect(starts(actions).count == 2)
    #expect(
      scheduler.pool.waits(at: 0).map(\.reason) == ["It needs 6 devices: 2 are free and 6 are held."])
  }

  @Test func `needs that cannot be told end the trial with the reason`() throws {
    var scheduler = scheduler(8)
    var plan = plan()
    plan.needs.devices = try NeedsRule.Amount(parsing: "tp / 2")
    let actions = scheduler.handle(.addSweep(Self.sweep, try sweep(2, plan)), at: 0)
    #expect(
      actions.contains(
        .endTrial(
          sweep: Self.sweep, number: 0,
          .notStarted(reason: "'gpus: tp / 2' is 0.5, and must be a whole number from 0 on."))))
    #expect(starts(actions) == [.trial(sweep: Self.sweep, number: 1)])
  }

  @Test func `a sweep whose trials can never run makes no more of them`() throws {
    var scheduler = scheduler(1)
    let actions = scheduler.handle(.addSweep(Self.sweep, try sweep(9, plan(2))), at: 0)
    #expect(
      actions.last
        == .endSweep(Self.sweep, .stopped, reason: "It needs 2 devices, but this server has 1."))
    #expect(scheduler.sweeps.isEmpty && scheduler.jobs.isEmpty)
    #expect(created(actions).count == 2)
  }

  @Test func `quick failures in a row pause a sweep, and resuming it counts anew`() throws {
    var scheduler = scheduler(0)
    _ = scheduler.handle(.addSweep(Self.sweep, try sweep(9, plan(0), parallel: 1, breaker: 3)), at: 0)
    func fail(_ number: Int, _ seconds: Double) -> [Scheduler.Action] {
      scheduler.handle(
        .attempt(.trial(sweep: Self.sweep, number: number), number: 1, fault(.failure, seconds: seconds)),
        at: 1)
    }
    _ = fail(0, 1)
    _ = fail(1, 1)
    // One that took its time is no quick failure.
    _ = fail(2, 3_600)
    _ = fail(3, 1)
    _ = fail(4, 1)
    #expect(
      fail(5, 1).contains(
        .setSweep(
          Self.sweep, .paused, reason: "3 trials in a row failed within 60 s. The first: It failed.")))
    #expect(scheduler.jobs.isEmpty)
    #expect(starts(scheduler.handle(.sweep(Self.sweep, .resume), at: 2)).count == 1)
    #expect(scheduler.sweeps[Self.sweep]?.machine.progress.quickFailuresInARow == 0)
  }

  @Test func `a window can be widened and narrowed while a sweep runs`() throws {
    var scheduler = scheduler(0)
    _ = scheduler.handle(.addSweep(Self.sweep, try sweep(9, plan(0))), at: 0)
    #expect(starts(scheduler.handle(.sweep(Self.sweep, .setMaxParallel(5)), at: 0)).count == 3)
    #expect(scheduler.handle(.sweep(Self.sweep, .setMaxParallel(1)), at: 0).count == 1)
    let end = scheduler.handle(
      .attempt(.trial(sweep: Self.sweep, number: 0), number: 1, success), at: 1)
    #expect(starts(end).isEmpty)
  }
}
