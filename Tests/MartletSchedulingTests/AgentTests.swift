// Trials that agents run: lent once, taken back, counted once.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@Suite struct AgentTests {
  private static let sweep = PublicID(rawValue: "sweep001") ?? .random()
  private let a = Agent(id: "a", name: "here")
  private let b = Agent(id: "b", name: "there", devices: 2)

  /// A scheduler with a grid of `points`, begun.
  private func scheduler(
    points: Int, parallel: Int, devices: Int = 1, limits: SweepLimits? = nil
  ) throws -> Scheduler {
    let space = try Space([Parameter("x", .categorical((1...points).map { .int(Int64($0)) }))])
    let search = try Search(method: "grid", problem: SearchProblem(space: space, seed: 0))
    let machine = SweepMachine(
      search: search, objectives: [Objective(metric: "loss", goal: .minimize)],
      limits: limits ?? SweepLimits(trials: points), maxParallel: parallel)
    var scheduler = Scheduler(pool: DevicePool(devices), at: 0)
    let plan = TrialPlan(needs: NeedsRule(Needs(devices: 1)))
    _ = scheduler.handle(.addSweep(Self.sweep, Scheduler.Sweep(machine: machine, plan: plan)), at: 0)
    return scheduler
  }

  private func trial(_ number: Int) -> JobID { .trial(sweep: Self.sweep, number: number) }

  private func lent(_ actions: [Scheduler.Action]) -> [JobID] {
    actions.compactMap { if case .lend(let id, _, _) = $0 { id } else { nil } }
  }

  private func created(_ actions: [Scheduler.Action]) -> [Int] {
    actions.compactMap { if case .createTrial(_, let number, _, _) = $0 { number } else { nil } }
  }

  private func over(_ kind: JobEnd.Kind, seconds: Double = 10) -> JobNews {
    .over(JobEnd(kind, .finished, reason: "It is over.", seconds: seconds))
  }

  @Test func `that there is nothing left to lend is written down`() throws {
    var scheduler = try scheduler(points: 1, parallel: 1, limits: SweepLimits())
    let actions = scheduler.handle(.lend(Self.sweep, to: a), at: 0)
    let saved = actions.compactMap { if case .saveSweep(_, let saved) = $0 { saved.progress } else { nil } }
    #expect(saved == [scheduler.sweeps[Self.sweep]?.machine.progress])
    #expect(saved.first?.isExhausted == true)
    #expect(scheduler.handle(.lend(Self.sweep, to: a), at: 0).isEmpty, "it is known by now")
  }

  @Test func `a sweep of agents alone makes each trial when one is asked for, and ends after the last`()
    throws
  {
    var scheduler = try scheduler(points: 3, parallel: 0)
    #expect(scheduler.sweeps[Self.sweep]?.machine.state == .running)
    #expect(scheduler.jobs.isEmpty)
    let first = scheduler.handle(.lend(Self.sweep, to: a), at: 0)
    #expect(created(first) == [0])
    #expect(lent(first) == [trial(0)])
    // Whoever has one gets no other; somebody else gets the next.
    #expect(scheduler.handle(.lend(Self.sweep, to: a), at: 0).isEmpty)
    #expect(lent(scheduler.handle(.lend(Self.sweep, to: b), at: 0)) == [trial(1)])
    #expect(scheduler.pool.isUnused)
    _ = scheduler.handle(.attempt(trial(0), number: 1, over(.success(objective: 1))), at: 1)
    #expect(lent(scheduler.handle(.lend(Self.sweep, to: a), at: 1)) == [trial(2)])
    for number in 1...2 {
      _ = scheduler.handle(.attempt(trial(number), number: 1, .running), at: 2)
      let actions = scheduler.handle(.attempt(trial(number), number: 1, over(.success(objective: 1))), at: 3)
      #expect(
        actions.contains { if case .endSweep(_, .finished, _) = $0 { true } else { false } } == (number == 2))
    }
    #expect(scheduler.handle(.lend(Self.sweep, to: a), at: 4).isEmpty)
  }

  @Test func `what an agent leaves is the next one's, as the same trial`() throws {
    var scheduler = try scheduler(points: 2, parallel: 0)
    _ = scheduler.handle(.lend(Self.sweep, to: a), at: 0)
    _ = scheduler.handle(.attempt(trial(0), number: 1, .running), at: 1)
    let gone = scheduler.handle(.attempt(trial(0), number: 1, over(.abandoned(isBlamed: true))), at: 60)
    #expect(created(gone).isEmpty)
    #expect(scheduler.pool.isLineEmpty, "the server runs none of them itself")
    let again = scheduler.handle(.lend(Self.sweep, to: b), at: 61)
    #expect(again.contains(.lend(trial(0), number: 2, b)))
    // News of the first one's comes too late.
    #expect(scheduler.handle(.attempt(trial(0), number: 1, over(.success(objective: 1))), at: 62).isEmpty)
    #expect(scheduler.jobs[trial(0)]?.agent == b)
  }

  @Test func `a trial that silences its agents is given up after five of them`() throws {
    var scheduler = try scheduler(points: 1, parallel: 0)
    for number in 1...5 {
      #expect(lent(scheduler.handle(.lend(Self.sweep, to: a), at: 0)) == [trial(0)])
      let actions = scheduler.handle(
        .attempt(trial(0), number: number, over(.abandoned(isBlamed: true))), at: Double(number))
      let isOver = actions.contains { if case .endTrial = $0 { true } else { false } }
      #expect(isOver == (number == 5))
    }
  }

  @Test func `beside the server an agent takes what waits, and the server makes itself another`() throws {
    var scheduler = try scheduler(points: 5, parallel: 2)
    // One device: trial 0 has it, trial 1 waits for it.
    #expect(scheduler.jobs[trial(0)]?.devices == [0])
    let actions = scheduler.handle(.lend(Self.sweep, to: a), at: 0)
    #expect(lent(actions) == [trial(1)])
    #expect(created(actions) == [2])
    #expect(scheduler.sweeps[Self.sweep]?.machine.lent == [1])
    // Given back, it waits behind the window, and nobody makes a third for the server.
    let back = scheduler.handle(.attempt(trial(1), number: 1, over(.abandoned(isBlamed: false))), at: 1)
    #expect(created(back).isEmpty)
    #expect(scheduler.pool.waiting.map(\.job) == [trial(1)])
    #expect(scheduler.heldBack(at: 1).map(\.request.job) == [trial(2)])
  }

  @Test func `pausing and draining reach agents`() throws {
    var scheduler = try scheduler(points: 4, parallel: 0)
    _ = scheduler.handle(.lend(Self.sweep, to: a), at: 0)
    _ = scheduler.handle(.sweep(Self.sweep, .pause(reason: "Paused.")), at: 0)
    #expect(scheduler.handle(.lend(Self.sweep, to: b), at: 0).isEmpty)
    _ = scheduler.handle(.sweep(Self.sweep, .resume), at: 0)
    #expect(lent(scheduler.handle(.lend(Self.sweep, to: b), at: 0)) == [trial(1)])
    _ = scheduler.handle(.sweep(Self.sweep, .stop(now: false, reason: "Enough.")), at: 1)
    // What was begun is gone on with, and nothing else.
    _ = scheduler.handle(.attempt(trial(0), number: 1, over(.abandoned(isBlamed: false))), at: 2)
    #expect(lent(scheduler.handle(.lend(Self.sweep, to: a), at: 2)) == [trial(0)])
    _ = scheduler.handle(.attempt(trial(0), number: 2, over(.success(objective: 1))), at: 3)
    #expect(scheduler.handle(.lend(Self.sweep, to: a), at: 3).isEmpty)
    let stopped = scheduler.handle(.sweep(Self.sweep, .stop(now: true, reason: "Now.")), at: 4)
    #expect(stopped.contains(.ask(trial(1), number: 1, .stop)))
  }

  @Test func `devices of agents count as the sweep's, and limits hold for agents`() throws {
    var scheduler = try scheduler(
      points: 4, parallel: 0, limits: SweepLimits(trials: 4, deviceSeconds: 100))
    _ = scheduler.handle(.lend(Self.sweep, to: b), at: 0)
    let end = over(.success(objective: 1), seconds: 60)
    let actions = scheduler.handle(.attempt(trial(0), number: 1, end), at: 60)
    #expect(actions.contains { if case .endSweep = $0 { true } else { false } })
  }

  @Test func `a restart finds what is lent`() throws {
    var before = try scheduler(points: 3, parallel: 1)
    _ = before.handle(.lend(Self.sweep, to: a), at: 0)
    let after = Scheduler(
      pool: DevicePool(1), sweeps: before.sweeps, jobs: Array(before.jobs.values), at: 1)
    #expect(after.lent(to: "a")?.id == before.lent(to: "a")?.id)
    #expect(after.sweeps[Self.sweep]?.machine.lent == before.sweeps[Self.sweep]?.machine.lent)
    #expect(after.pool.holdings.count == before.pool.holdings.count)
  }
}
