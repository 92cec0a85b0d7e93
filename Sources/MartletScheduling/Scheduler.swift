// Sweeps, attempts and devices of one server as one pure machine: what happened goes in, what to do comes out.

import HashTreeCollections
package import MartletModel
package import MartletSearch
package import OrderedCollections

/// Decides all that a server executes. No clock, no disk, no processes: times come with events; whoever runs the machine
/// writes its actions down in one transaction, and only then makes the new value its memory and carries them out.
///
/// What is written down is enough to make the same machine again: `init(pool:sweeps:jobs:)`.
package struct Scheduler: Sendable {
  /// A sweep and how its trials are executed.
  package struct Sweep: Sendable {
    package var machine: SweepMachine
    package var plan: TrialPlan
    /// Of what goes before its first trial, where something does.
    package var preparation: TrialPlan

    package init(machine: SweepMachine, plan: TrialPlan, preparation: TrialPlan = TrialPlan()) {
      self.machine = machine
      self.plan = plan
      self.preparation = preparation
    }
  }

  /// What is kept of a sweep beside its trials and its state.
  package struct SavedSweep: Sendable, Hashable {
    package var sampler: JSONValue
    package var progress: SweepProgress
    package var maxParallel: Int
  }

  package enum Event: Sendable {
    /// After a restart, once: what waits may go on.
    case begin
    case addSweep(PublicID, Sweep)
    case sweep(PublicID, SweepMachine.Event)
    /// A run that belongs to no sweep.
    case submit(PublicID, TrialPlan)
    case attempt(JobID, number: Int, JobNews)
    case stop(JobID)
    /// Its devices are for somebody else; it comes back with its place in the line, or at its end.
    case makeRoom(JobID, keepsPlace: Bool)
    case setPriority(JobID, Int)
    /// To the beginning or the end of the line of its priority.
    case moveToFront(JobID)
    case moveToBack(JobID)
    /// How trials of a sweep are executed whose attempts have not begun; nil: as before.
    case changePlan(PublicID, PlanChange)
    /// Everything about devices; requests and releases are the scheduler's own.
    case pool(DevicePool.Event)
    /// The time that was asked for has come.
    case wake
    /// What the machine has left, for sweeps that follow it.
    case headroom(Headroom)
  }

  package enum Action: Sendable, Hashable {
    case createTrial(sweep: PublicID, number: Int, Point, TrialOrigin)
    /// A paused trial is gone on with; its attempt follows.
    case resumeTrial(sweep: PublicID, number: Int)
    /// A trial has been asked to leave because of its values.
    case setVerdict(sweep: PublicID, number: Int, Verdict)
    /// What goes before its first trial; its attempt follows.
    case createPreparation(sweep: PublicID)
    /// A new attempt, queued: the whole job as it has to be kept.
    case createAttempt(Job)
    /// The attempt has its devices: it is to be started.
    case start(JobID, number: Int, devices: [Int])
    case setRunning(JobID, number: Int)
    case setLost(JobID, number: Int)
    /// An attempt is to end; one that holds nothing does so at once.
    case ask(JobID, number: Int, Job.Ask)
    case endAttempt(JobID, number: Int, AttemptState, reason: String)
    /// Another place in the line.
    case setPlace(JobID, priority: Int, ticket: Int)
    /// Another time limit for an attempt that has not begun, seconds.
    case setTimeout(JobID, Double?)
    /// What trials are given that are made from now on.
    case savePlan(PublicID, priority: Int, timeout: Double?)
    case setTrialRunning(sweep: PublicID, number: Int)
    case endTrial(sweep: PublicID, number: Int, SweepMachine.Outcome)
    /// Its sampler, its progress or its limits may be others than before.
    case saveSweep(PublicID, SavedSweep)
    case setSweep(PublicID, SweepState, reason: String?)
    case setBest(PublicID, trial: Int?)
    /// It decided to have another number of trials at a time; the number itself is in what `saveSweep` keeps.
    case setMaxParallel(PublicID, Int, reason: String)
    /// It has ended: the scheduler has forgotten it.
    case endSweep(PublicID, SweepState, reason: String?)
    /// A device was taken out of service, or put back.
    case setStanding(device: Int, DeviceStanding)
    case setPolicy(PoolPolicy)
    /// Nothing to write down: at this time a `wake` is needed.
    case wake(at: Double)
  }

  package internal(set) var pool: DevicePool
  package internal(set) var sweeps: OrderedDictionary<PublicID, Sweep>
  /// In the order in which their runs were made.
  package internal(set) var jobs = Roster<JobID, Job>()
  /// Those whose next attempt has to wait for its time, and for which.
  var pauses: TreeDictionary<JobID, Double> = [:]
  /// Trials that stand in no line, because their sweep runs as many as it may; by sweep. It follows from the rest.
  var held: OrderedDictionary<PublicID, OrderedSet<JobID>> = [:]
  var nextTicket = 1
  /// Of the event at hand.
  var asker = ""
  let laws: Laws

  /// - Parameters:
  ///   - pool: with its devices, nobody in it.
  ///   - jobs: as they were kept, whose attempts have not ended.
  ///   - starts: when those that hold something got it, as far as that is known; it counts for estimates.
  package init(
    pool: DevicePool, sweeps: OrderedDictionary<PublicID, Sweep> = [:], jobs: [Job] = [], at now: Double,
    starts: [JobID: Double] = [:], laws: Laws = .all
  ) {
    self.pool = pool
    self.sweeps = sweeps
    self.laws = laws
    for var job in jobs {
      if case .pausing(let until) = job.state, until <= now { job.state = .waiting }
      self.jobs[job.id] = job
      nextTicket = max(nextTicket, job.ticket + 1)
      switch job.state {
      case .waiting: self.pool.enter(job.request)
      case .pausing(let until): pauses[job.id] = until
      case .starting, .running, .lost:
        self.pool.adopt(job.request, devices: job.devices, since: starts[job.id] ?? now)
      }
    }
    holdBack()
  }

  /// What is seen of devices when nobody waits, or before `begin`: nothing is decided.
  package mutating func know(_ readings: [Int: DeviceReading], absent: [Int: String]) {
    pool.know(readings, absent: absent)
  }

  /// - Parameters:
  ///   - now: seconds of a clock that goes on through restarts.
  ///   - asker: who wants it, for sentences.
  package mutating func handle(_ event: Event, at now: Double, by asker: String = "Martlet") -> [Action] {
    var actions: [Action] = []
    self.asker = asker
    switch event {
    case .begin:
      for job in jobs.values where !job.state.holds && job.ask == .stop {
        end(job, stopped("Stopped on request before it began."), at: now, &actions)
      }
      wake(at: now, &actions)
      for id in sweeps.keys { advance(id, .start, at: now, &actions) }
    case .addSweep(let id, let sweep):
      guard sweeps[id] == nil else { return [] }
      sweeps[id] = sweep
      advance(id, .start, at: now, &actions)
    case .sweep(let id, let event):
      advance(id, event, at: now, &actions)
    case .submit(let run, let plan):
      guard jobs[.run(run)] == nil else { return [] }
      add(.run(run), plan, point: Point(), at: now, &actions)
    case .attempt(let job, let number, let news):
      hear(job, number, news, at: now, &actions)
    case .stop(let job):
      stop(job, at: now, &actions)
    case .makeRoom(let job, let keepsPlace):
      makeRoom(job, keepsPlace: keepsPlace, &actions)
    case .setPriority(let job, let priority):
      guard let old = jobs[job], !old.state.holds else { return [] }
      place(old, priority: priority, ticket: old.ticket, at: now, &actions)
    case .moveToFront(let job):
      guard let old = jobs[job], !old.state.holds else { return [] }
      // Before those that hold something too: whoever makes room comes back with its own.
      let first = jobs.values.lazy.map(\.ticket).min() ?? 0
      place(old, priority: old.priority, ticket: first - 1, at: now, &actions)
    case .moveToBack(let job):
      guard let old = jobs[job], !old.state.holds else { return [] }
      place(old, priority: old.priority, ticket: newTicket(), at: now, &actions)
    case .changePlan(let sweep, let change):
      changePlan(of: sweep, change, &actions)
    case .pool(.request), .pool(.release), .pool(.reorder):
      return []
    case .pool(let event):
      keep(event, &actions)
      take(pool.handle(event, at: now), at: now, &actions)
    case .wake:
      wake(at: now, &actions)
      for (id, sweep) in sweeps where sweep.machine.limits.seconds != nil {
        advance(id, .tick, at: now, &actions)
      }
    case .headroom(let headroom):
      for (id, sweep) in sweeps where sweep.machine.progress.isAutomatic {
        let hasRoom = hasRoom(for: sweep)
        advance(id, .headroom(headroom, hasRoom: hasRoom, at: now), at: now, &actions)
      }
    }
    settle(at: now, &actions)
    return actions
  }

  /// Grants, once everybody who asks or leaves on this occasion stands where he belongs.
  private mutating func settle(at now: Double, _ actions: inout [Action]) {
    while true {
      holdBack()
      // Whoever is refused may leave room for somebody of its sweep, who then stands before others.
      var decisions = pool.handle(.refuse, at: now)
      if decisions.isEmpty { decisions = pool.handle(.look, at: now) }
      if decisions.isEmpty { return }
      take(decisions, at: now, &actions)
    }
  }

  /// What of an event about devices has to outlive the server.
  private func keep(_ event: DevicePool.Event, _ actions: inout [Action]) {
    guard laws.hold(.ordersSurvive) else { return }
    func stand(_ device: Int, _ standing: DeviceStanding) {
      guard let place = pool.place(of: device), pool.devices[place].ordered != standing else { return }
      actions.append(.setStanding(device: device, standing))
    }
    switch event {
    case .cordon(let device, let reason): stand(device, .cordoned(reason: reason))
    case .drain(let device, let reason): stand(device, .draining(reason: reason))
    case .uncordon(let device): stand(device, .open)
    case .policy(let policy): if policy != pool.policy { actions.append(.setPolicy(policy)) }
    case .request, .release, .devices, .readings, .absent, .reorder, .refuse, .look: break
    }
  }

  mutating func newTicket() -> Int {
    nextTicket += 1
    return nextTicket - 1
  }

  func stopped(_ reason: String) -> JobEnd { JobEnd(.left, .stopped, reason: reason, seconds: 0) }

  // MARK: - The line

  private mutating func place(
    _ old: Job, priority: Int, ticket: Int, at now: Double, _ actions: inout [Action]
  ) {
    var job = old
    (job.priority, job.ticket) = (priority, ticket)
    jobs[job.id] = job
    actions.append(.setPlace(job.id, priority: priority, ticket: ticket))
    // Nothing is granted before it is known who of its sweep stands in the line now.
    if pool.isWaiting(job.id) {
      pool.withdraw(job.id)
      pool.enter(job.request)
    }
  }

  /// Those whose pauses are over stand in the line again.
  private mutating func wake(at now: Double, _ actions: inout [Action]) {
    var next = Double.infinity
    for (id, until) in pauses {
      guard until <= now, laws.hold(.backoffsEnd) else {
        next = min(next, until)
        continue
      }
      pauses[id] = nil
      guard var job = jobs[id] else { continue }
      job.state = .waiting
      jobs[job.id] = job
      pool.enter(job.request)
    }
    if next.isFinite { actions.append(.wake(at: next)) }
  }

  /// What the pool decided.
  mutating func take(_ decisions: [DevicePool.Action], at now: Double, _ actions: inout [Action]) {
    for decision in decisions {
      switch decision {
      case .grant(let id, let devices):
        guard var job = jobs[id] else { continue }
        (job.state, job.devices) = (.starting, devices)
        jobs[id] = job
        actions.append(.start(id, number: job.number, devices: devices))
      case .refuse(let id, let reason):
        guard let job = jobs[id] else { continue }
        // Its other trials need as much: none is made any more.
        if case .trial(let sweep, _) = id {
          advance(sweep, .stop(now: false, reason: reason), at: now, &actions)
        }
        end(job, JobEnd(.impossible, .failed, reason: reason, seconds: 0), at: now, &actions)
      case .vacate(let id, _, _):
        makeRoom(id, keepsPlace: true, &actions)
      }
    }
  }
}
