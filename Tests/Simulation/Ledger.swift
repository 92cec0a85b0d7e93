// What a store would keep: made from the scheduler's actions alone, and enough to make the scheduler again.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

/// The durable side. It refuses what no store would take, by noting it as a flaw.
struct Ledger {
  struct SweepRecord {
    var setup: SweepSetup
    var state = SweepState.pending
    var reason: String?
    var saved: Scheduler.SavedSweep?
    var trials: [SweepMachine.TrialRecord] = []
    var best: Int?
  }

  var sweeps: OrderedDictionary<PublicID, SweepRecord> = [:]
  /// Those whose attempts have not ended.
  var jobs: OrderedDictionary<JobID, Job> = [:]
  /// Jobs whose newest attempt is over.
  private var idle: Set<JobID> = []
  private var attempts: [JobID: Int] = [:]
  private var preparations: Set<PublicID> = []
  var standings: [Int: DeviceStanding] = [:]
  var policy = PoolPolicy()
  /// What it was asked to write down and could not.
  var flaws: [String] = []

  mutating func write(_ actions: [Scheduler.Action]) {
    for action in actions { write(action) }
    for id in idle { jobs[id] = nil }
    idle = []
  }

  private mutating func write(_ action: Scheduler.Action) {
    switch action {
    case .createTrial(let sweep, let number, let point, let origin):
      if sweeps[sweep]?.trials.count != number { flaws.append("trial \(number) of \(sweep) is out of order") }
      sweeps[sweep]?.trials.append(
        .init(point: point, origin: origin, state: .waiting, objective: nil))
    case .resumeTrial(let sweep, let number):
      sweeps[sweep]?.trials[number].state = .waiting
      // Another job, which comes after those that there are.
      let id = JobID.trial(sweep: sweep, number: number)
      jobs[id] = nil
      idle.remove(id)
    case .setVerdict(let sweep, let number, let verdict): sweeps[sweep]?.trials[number].verdict = verdict
    case .createPreparation(let sweep):
      if !preparations.insert(sweep).inserted { flaws.append("sweep \(sweep) is prepared twice") }
    case .createAttempt(let job):
      if jobs[job.id] != nil, !idle.contains(job.id) {
        flaws.append("\(job.id) has two attempts at a time")
      }
      if job.number != attempts[job.id, default: 0] + 1 {
        flaws.append("attempt \(job.number) of \(job.id) follows \(attempts[job.id, default: 0])")
      }
      attempts[job.id] = job.number
      idle.remove(job.id)
      jobs[job.id] = job
    case .start(let id, let number, let devices):
      change(id, number) { job in
        job.state = .starting
        job.devices = devices
      }
    case .lend(let id, let number, let agent):
      change(id, number) { job in
        job.state = .starting
        (job.agent, job.devices) = (agent, [])
      }
    case .setRunning(let id, let number): change(id, number) { $0.state = .running }
    case .setLost(let id, let number): change(id, number) { $0.state = .lost }
    case .ask(let id, let number, let ask): change(id, number) { $0.ask = ask }
    case .endAttempt(let id, let number, let state, _):
      if !state.isEnd { flaws.append("\(state) is no end") }
      change(id, number) { _ in }
      idle.insert(id)
    case .setPlace(let id, let priority, let ticket):
      jobs[id]?.priority = priority
      jobs[id]?.ticket = ticket
    case .setTimeout(let id, let timeout): jobs[id]?.expected = timeout
    case .savePlan(let id, let priority, let timeout):
      sweeps[id]?.setup.plan.priority = priority
      sweeps[id]?.setup.plan.timeout = timeout
    case .setTrialRunning(let sweep, let number):
      sweeps[sweep]?.trials[number].state = .running
    case .endTrial(let sweep, let number, let outcome):
      end(number, of: sweep, outcome)
    case .saveSweep(let id, let saved): sweeps[id]?.saved = saved
    case .setSweep(let id, let state, let reason):
      sweeps[id]?.state = state
      sweeps[id]?.reason = reason
    case .setBest(let id, let trial): sweeps[id]?.best = trial
    case .setStanding(let device, let standing): standings[device] = standing
    case .setPolicy(let policy): self.policy = policy
    case .endSweep, .wake, .setMaxParallel: break
    }
  }

  private mutating func change(_ id: JobID, _ number: Int, _ change: (inout Job) -> Void) {
    guard var job = jobs[id], job.number == number, !idle.contains(id) else {
      return flaws.append("attempt \(number) of \(id) is not open")
    }
    change(&job)
    jobs[id] = job
  }

  private mutating func end(_ number: Int, of sweep: PublicID, _ outcome: SweepMachine.Outcome) {
    sweeps[sweep]?.trials[number].attempts = attempts[.trial(sweep: sweep, number: number), default: 0]
    sweeps[sweep]?.trials[number].verdict = nil
    guard let record = sweeps[sweep]?.trials[number], !record.state.isEnd else {
      return flaws.append("trial \(number) of \(sweep) ended twice")
    }
    switch outcome {
    case .complete(let value, _):
      sweeps[sweep]?.trials[number].state = .complete
      sweeps[sweep]?.trials[number].objective = value
      sweeps[sweep]?.trials[number].reason = nil
    case .pruned(let value, _, let reason):
      sweeps[sweep]?.trials[number].state = .pruned
      sweeps[sweep]?.trials[number].objective = value
      sweeps[sweep]?.trials[number].reason = reason
    case .paused(let value, _, let reason):
      sweeps[sweep]?.trials[number].state = .paused
      sweeps[sweep]?.trials[number].objective = value
      sweeps[sweep]?.trials[number].reason = reason
    case .failed(let reason, let penalty):
      sweeps[sweep]?.trials[number].state = .failed
      sweeps[sweep]?.trials[number].reason = reason
      sweeps[sweep]?.trials[number].objective = nil
      sweeps[sweep]?.trials[number].measured = Measured(penalty: penalty)
    case .notStarted(let reason):
      sweeps[sweep]?.trials[number].state = .failed
      sweeps[sweep]?.trials[number].reason = reason
      sweeps[sweep]?.trials[number].objective = nil
    }
  }

  // MARK: - After a crash

  /// The scheduler that a new server makes.
  ///
  /// - Parameter reports: what trials have logged, which outlives servers.
  func scheduler(
    devices: [Device], at now: Double, laws: Laws, reports: [JobID: [SweepMachine.Report]]
  ) throws -> Scheduler {
    var pool = DevicePool(devices: devices, policy: policy, laws: laws)
    for (device, standing) in standings.sorted(by: { $0.key < $1.key }) {
      pool.restore(standing, of: device)
    }
    var open: OrderedDictionary<PublicID, Scheduler.Sweep> = [:]
    for (id, record) in sweeps where !record.state.isEnd {
      open[id] = Scheduler.Sweep(
        machine: try machine(of: record, laws: laws) { reports[.trial(sweep: id, number: $0)] ?? [] },
        plan: record.setup.plan,
        preparation: record.setup.preparation)
    }
    return Scheduler(pool: pool, sweeps: open, jobs: Array(jobs.values), at: now, laws: laws)
  }

  private func machine(
    of record: SweepRecord, laws: Laws, reports: (Int) -> [SweepMachine.Report]
  ) throws -> SweepMachine {
    let setup = record.setup
    return SweepMachine(
      state: record.state, search: try setup.search(state: record.saved?.sampler, trials: record.trials),
      stopping: setup.stopping(record.trials, reports: reports), trials: record.trials,
      best: record.best, objectives: setup.objectives, targets: setup.target.map { [$0] } ?? [],
      limits: SweepLimits(trials: setup.budget), penalties: setup.penalties,
      maxParallel: record.saved?.maxParallel ?? setup.maxParallel,
      stopReason: record.state == .draining ? record.reason : nil, breaker: setup.breaker,
      prepares: setup.prepares, progress: record.saved?.progress ?? setup.progress, laws: laws)
  }
}
