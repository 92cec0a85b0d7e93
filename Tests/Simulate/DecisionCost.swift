// What a trial costs the scheduler, where every decision is made on a copy as the server makes it.

import Glibc
import MartletModel
import MartletScheduling
import MartletSearch

/// Processor time of the decisions for one trial, in a sweep that has had many: its begin, its end and what follows.
struct DecisionCost {
  /// Of the search.
  var method: String
  /// Whether somebody looks at the values of running trials.
  var stopsEarly: Bool
  /// Trials that are timed, the last ones.
  private static let sample = 500
  private static let sweep = PublicID.random()

  /// Microseconds of processor time for each of the last trials of so many.
  func measure(trials count: Int) throws -> Double {
    var scheduler = Scheduler(pool: DevicePool(devices: []), at: 0)
    var begun = 0.0
    var (ended, running) = (0, [Int]())
    take(scheduler.handle(.addSweep(Self.sweep, try sweep(budget: count)), at: 0), &running)
    while !running.isEmpty {
      if ended == count - Self.sample { begun = Self.processorTime }
      let number = running.removeFirst()
      let job = JobID.trial(sweep: Self.sweep, number: number)
      let value = Double((number &* 2_654_435_761) % 1_000_003) / 1_000_003
      decide(.attempt(job, number: 1, .running), &scheduler, &running)
      if stopsEarly {
        let reports = (1...3).map { SweepMachine.Report(step: $0, values: [value]) }
        // A rule's verdict is not followed: every trial goes to its end.
        _ = scheduler.report(Self.sweep, trial: number, reports)
      }
      let end = JobEnd(.success(objective: value), .finished, reason: "", seconds: 1)
      decide(.attempt(job, number: 1, .over(end)), &scheduler, &running)
      ended += 1
    }
    return (Self.processorTime - begun) / Double(min(Self.sample, count)) * 1e6
  }

  /// The copy becomes the memory; what was the memory is held until then, as the server does until its transaction ends.
  private func decide(_ event: Scheduler.Event, _ scheduler: inout Scheduler, _ running: inout [Int]) {
    let before = scheduler
    var after = before
    let actions = after.handle(event, at: 0)
    withExtendedLifetime(before) { scheduler = after }
    take(actions, &running)
  }

  private func take(_ actions: [Scheduler.Action], _ running: inout [Int]) {
    for case .start(.trial(_, let number), _, _) in actions { running.append(number) }
  }

  private func sweep(budget: Int) throws -> Scheduler.Sweep {
    let space = try Space([
      Parameter("lr", .real(.logUniformValues(min: 1e-5, max: 1))),
      Parameter("width", .integers(min: 1, max: 4_096)),
      Parameter("decay", .real(.uniform(min: 0, max: 1))),
      Parameter("kind", .categorical(["a", "b", "c"])),
    ])
    let objective = Objective(metric: "loss", goal: .minimize)
    let search = try Search(
      method: method, problem: SearchProblem(space: space, budget: budget, parallelism: 4, seed: 1))
    let rule: JSONValue = ["type": "asha", "min_iter": 1, "eta": 3]
    let stopping =
      stopsEarly
      ? EarlyStopping(
        try StoppingRuleConfiguration(rule, objectives: [objective]), objectives: [objective], seed: 1)
      : nil
    let machine = SweepMachine(
      search: search, stopping: stopping, objectives: [objective], limits: SweepLimits(trials: budget),
      maxParallel: 4)
    return Scheduler.Sweep(machine: machine, plan: TrialPlan(needs: NeedsRule(Needs(devices: 0))))
  }

  /// Seconds that this process had of its processors.
  private static var processorTime: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
