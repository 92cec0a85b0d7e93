// What failed trials count as: by cause and time, for the search alone, and the same after a restart.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@Suite struct PenaltyTests {
  private static let sweep = PublicID(rawValue: "sweep001") ?? .random()
  private static let rule = PenaltyRule([
    .failure: [.init(900), .init(from: 0.5, 400)], .oom: [.init(1200)], .timeout: [.init(100)],
  ])

  private func search(_ goal: Objective.Goal = .minimize) throws -> Search {
    let space = try Space([Parameter("x", .categorical((1...9).map { .int($0) }))])
    return try Search(method: "grid", problem: SearchProblem(space: space, seed: 1))
  }

  private func scheduler(
    _ rule: PenaltyRule = PenaltyTests.rule, goal: Objective.Goal = .minimize, timeout: Double? = 100
  ) throws -> Scheduler {
    let machine = SweepMachine(
      search: try search(), objectives: [Objective(metric: "loss", goal: goal)], penalties: rule,
      maxParallel: 1)
    var scheduler = Scheduler(pool: DevicePool(0), at: 0)
    let plan = TrialPlan(needs: NeedsRule(Needs(devices: 0)), timeout: timeout)
    begin(
      scheduler.handle(.addSweep(Self.sweep, Scheduler.Sweep(machine: machine, plan: plan)), at: 0),
      &scheduler)
    return scheduler
  }

  private func begin(_ actions: [Scheduler.Action], _ scheduler: inout Scheduler) {
    for case .start(let id, let number, _) in actions {
      _ = scheduler.handle(.attempt(id, number: number, .running), at: 0)
    }
  }

  /// How the open trial ends, as it is written down.
  private func end(
    _ scheduler: inout Scheduler, _ kind: JobEnd.Kind, _ state: AttemptState = .failed,
    after seconds: Double = 10
  ) throws -> SweepMachine.Outcome {
    let open = try #require(scheduler.sweeps[Self.sweep]?.machine.open.first)
    let end = JobEnd(kind, state, reason: "It ended.", seconds: seconds)
    let actions = scheduler.handle(
      .attempt(.trial(sweep: Self.sweep, number: open), number: 1, .over(end)), at: 10)
    begin(actions, &scheduler)
    return try #require(
      actions.compactMap { if case .endTrial(_, open, let outcome) = $0 { outcome } else { nil } }.first)
  }

  @Test func `the sooner and by the worse cause, the more`() throws {
    #expect(Self.rule.value(of: .failure, after: 0, limit: 100) == 900)
    #expect(Self.rule.value(of: .failure, after: 49, limit: 100) == 900)
    #expect(Self.rule.value(of: .failure, after: 50, limit: 100) == 400)
    #expect(
      Self.rule.value(of: .failure, after: .infinity, limit: 100) == 900, "nobody knows how far it came")
    #expect(Self.rule.value(of: .failure, after: 50, limit: nil) == 900)
    #expect(Self.rule.value(of: .infra, after: 50, limit: 100) == nil)
    let graded = PenaltyRule.graded(.minimize)
    let seconds: [Double] = [0, 19, 20, 59, 60, 94, 95, 100]
    #expect(
      seconds.map { graded.value(of: .failure, after: $0, limit: 100) }
        == [1000, 1000, 500, 500, 200, 200, 100, 100])
    #expect(
      seconds.map { graded.value(of: .oom, after: $0, limit: 100) }
        == [1500, 1500, 750, 750, 300, 300, 150, 150])
    #expect(graded.value(of: .timeout, after: 100, limit: 100) == 100)
    #expect(PenaltyRule.graded(.maximize).value(of: .failure, after: 0, limit: 100) == -1000)
  }

  @Test func `how a trial ended says what it counts as`() throws {
    var scheduler = try scheduler()
    func penalty(_ kind: JobEnd.Kind, _ state: AttemptState = .failed, after seconds: Double = 10) throws
      -> Double?
    {
      guard case .failed(_, let penalty) = try end(&scheduler, kind, state, after: seconds) else {
        throw SearchError.unusableState(method: "test", reason: "it did not fail")
      }
      return penalty
    }
    #expect(try penalty(.fault(.failure)) == 900)
    #expect(try penalty(.fault(.failure), after: 80) == 400)
    #expect(try penalty(.fault(.oom), .killed) == 1200)
    #expect(try penalty(.fault(.timeout), .timedOut, after: 100) == 100)
    #expect(try penalty(.hopeless, .finished, after: 90) == 400, "it never logged what is looked for")
    #expect(try penalty(.fault(.infra), .crashed) == nil, "the machine is to blame")
    #expect(try penalty(.left, .stopped) == nil, "somebody stopped it")
    #expect(try end(&scheduler, .impossible) == .notStarted(reason: "It ended."))
  }

  @Test(arguments: [Objective.Goal.minimize, .maximize])
  func `only the search hears of it, and so does that of the next server`(goal: Objective.Goal) throws {
    // The values would be the best of all if they were any.
    let sign: Double = goal == .minimize ? 1 : -1
    var scheduler = try scheduler(PenaltyRule(value: sign * -7), goal: goal)
    _ = try end(&scheduler, .fault(.failure))
    _ = try end(&scheduler, .success(objective: sign * 3), .finished)
    _ = try end(&scheduler, .fault(.infra), .crashed)
    _ = try end(&scheduler, .fault(.timeout), .timedOut)
    let machine = try #require(scheduler.sweeps[Self.sweep]?.machine)
    #expect(machine.best == 1)
    #expect(machine.trials[0].objective == nil)
    let told = Array(machine.search.history.observations)
    #expect(told.map(\.losses) == [[-7], [3], [], [-7]])
    #expect(machine.search.history.best.map(\.trial) == [1])
    // As the store keeps them.
    let kept = machine.trials.map { record in
      var record = record
      record.measured = Measured(json: record.measured.json)
      return record
    }
    var restored = try search()
    try restored.restore(machine.search.state, trials: kept, objectives: machine.objectives)
    #expect(Array(restored.history.observations) == told)
    #expect(restored.history.pending == machine.search.history.pending)
  }

  @Test func `what the file changes holds for those that end from then on`() throws {
    var scheduler = try scheduler()
    _ = try end(&scheduler, .fault(.oom))
    let machine = try #require(scheduler.sweeps[Self.sweep]?.machine)
    begin(
      scheduler.handle(
        .sweep(
          Self.sweep,
          .change(machine.search, limits: machine.limits, penalties: PenaltyRule([.oom: [.init(5)]]))),
        at: 20), &scheduler)
    #expect(try end(&scheduler, .fault(.oom)) == .failed(reason: "It ended.", penalty: 5))
    #expect(scheduler.sweeps[Self.sweep]?.machine.trials.prefix(2).map(\.measured.penalty) == [1200, 5])
  }

  @Test func `without penalties nothing is said`() throws {
    var scheduler = try scheduler(PenaltyRule())
    #expect(try end(&scheduler, .fault(.oom)) == .failed(reason: "It ended."))
    #expect(scheduler.sweeps[Self.sweep]?.machine.trials[0].measured.json == .null)
    #expect(scheduler.sweeps[Self.sweep]?.machine.search.history.observations.first?.losses == [])
  }

  @Test func `words and JSON say all of it`() {
    #expect(
      Self.rule.json == [
        "failure": ["0.0": 900.0, "0.5": 400.0], "oom": 1200.0, "timeout": 100.0,
      ])
    #expect(
      Self.rule.words(metric: "loss")
        == "For the search alone, a trial that failed counts as a value of loss: one whose program failed as 900, 400 "
        + "from 50 % of its time on; one that ran out of memory as 1200; one that ran out of time as 100.")
  }
}
