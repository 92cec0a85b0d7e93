// What a server finds when it starts: sweeps to go on with, attempts that live, ended or never began.

import Foundation
import Logging
import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import MartletStore
import MartletTracking
import OrderedCollections

extension Conductor {
  /// Rebuilds the memory from the store. Attempts that were started are watched again; what became of them comes as
  /// news, as if this server had started them.
  func recover() async throws {
    try await withdrawDrafts()
    let (stored, attempts) = try await store.read { reader in
      (try reader.liveSweeps().map { ($0, try reader.trials(of: $0.sweep.id)) }, try reader.liveAttempts())
    }
    var sweeps: OrderedDictionary<PublicID, Scheduler.Sweep> = [:]
    for (sweep, trials) in stored { sweeps[sweep.sweep.id] = try await recover(sweep, trials) }
    var jobs: [Job] = []
    var starts: [JobID: Double] = [:]
    for (place, attempt) in attempts.enumerated() {
      var open = OpenAttempt(attempt)
      // What people were told of when it is killed stays true.
      open.patience = attempt.killAt.map { max(0, $0 - clock.now) }
      let sweep = open.sweep.flatMap { sweeps[$0] }
      if let number = open.trial, let machine = sweep?.machine, machine.trials.indices.contains(number) {
        // As the sampler chose it: a run's configuration may have been added to since.
        open.config = machine.trials[number].point.nested
      } else if open.sweep != nil, open.trial != nil || sweep == nil {
        // Its sweep could not go on.
        open.isStopRequested = true
      }
      core.keep(open)
      let (timeout, retries) = (open.settings.timeout, open.settings.retries ?? RetryPolicy())
      let own = open.trial == nil ? sweep?.preparation : sweep?.plan
      let plan = own ?? TrialPlan(retries: retries, timeout: timeout)
      starts[open.job] = attempt.startedAt?.seconds
      // Rows of before version 9 have no tickets: their order is the line's, and they were first.
      jobs.append(
        Job(attempt, of: open, plan: plan, ticket: attempt.queueing.ticket ?? place - attempts.count))
    }
    core.scheduler = Scheduler(
      pool: startingPool.pool, sweeps: sweeps, jobs: jobs, at: clock.now.seconds,
      starts: starts)
    try await recoverConfinement()
    // What agents have, they tell of themselves.
    for attempt in core.attempts.values where attempt.state != .queued && attempt.agent == nil {
      await findAgain(attempt)
    }
  }

  /// Takes over what keeps attempts within their limits, and removes what was left by those that ended meanwhile.
  private func recoverConfinement() async throws {
    let (confinement, started) = (
      confinement, core.attempts.values.filter { $0.state != .queued && $0.agent == nil }
    )
    try await blocking {
      for attempt in started {
        confinement.adopt(Confinement.name(attempt.run, attempt.number), attempt.directory.confined)
      }
      confinement.removeLeftovers(
        besides: Set(started.map { Confinement.name($0.run, $0.number) }))
    }
  }

  /// Nil: it cannot go on.
  private func recover(_ stored: StoredSweep, _ trials: [Trial]) async throws -> Scheduler.Sweep? {
    do {
      let (open, scheduled) = try await rebuilt(stored, trials)
      core.sweeps[open.id] = open
      return scheduled
    } catch {
      logger.error("Sweep \(stored.sweep.id) cannot go on: \(error)")
      let (now, system, row) = (clock.now, system, stored.row)
      try await store.write {
        try $0.setSweepState(
          row, .failed, reason: "It could not go on after a restart: \(error)", by: system, now: now)
      }
      return nil
    }
  }

  /// A sweep as it was, from what the store has of it.
  func rebuilt(
    _ stored: StoredSweep, _ trials: [Trial]
  ) async throws -> (open: OpenSweep, scheduled: Scheduler.Sweep) {
    let sweep = stored.sweep
    let file = Draft(.sweep, sweep.id, in: data).environmentFile
    let specification = try SweepSpecification.read(
      source: sweep.source, filename: stored.filename, command: stored.commandOverride)
    let environment = try await blocking {
      try JSONValue.parse(try Data(contentsOf: URL(fileURLWithPath: file)))
    }
    // The code that was submitted, not what lies there by now.
    let git = try await store.read { reader in try trials.first.flatMap { try reader.run($0.run)?.git } }
    let records = trials.map { SweepMachine.TrialRecord($0, in: specification.space) }
    let progress = SweepProgress(json: stored.progress)
    let imported = ImportedTrials(json: stored.imported)
    let search = try specification.search(
      seed: sweep.seed, added: progress.added, imported: imported,
      state: stored.samplerState, trials: records)
    let stopping = try await watcher(of: sweep.id, specification, seed: sweep.seed, trials)
    let open = OpenSweep(
      row: stored.row, id: sweep.id, name: sweep.name, project: sweep.project, specification: specification,
      seed: sweep.seed, workdir: sweep.workdir, directory: sweep.outputDirectory, environmentFile: file,
      environment: (environment.object ?? [:]).reduce(into: [:]) { $0[$1.key] = $1.value.string },
      git: git, creator: stored.creator)
    let machine = SweepMachine(
      state: sweep.state, search: search, stopping: stopping, trials: records, best: sweep.best?.trial,
      objectives: specification.objectives, targets: specification.targets,
      limits: specification.limits(budget: sweep.budget), penalties: specification.penalties,
      maxParallel: sweep.maxParallel,
      stopReason: sweep.state == .draining ? sweep.stateReason : nil, breaker: specification.breaker,
      prepares: specification.preparation != nil, progress: progress)
    var plan = specification.plan(devices: deviceCount)
    // As they were changed since.
    (plan.priority, plan.timeout) = (sweep.priority, sweep.timeout)
    return (
      open, Scheduler.Sweep(machine: machine, plan: plan, preparation: specification.preparationPlan)
    )
  }

  /// Who looks at the values of a sweep's trials, having seen what they logged so far; nil: nobody does.
  ///
  /// What followed from that has happened, but for a trial that shall not be gone on with and was not asked to leave: the
  /// server before ended in between. A pause that was missed comes again at the next rung.
  private func watcher(
    of sweep: PublicID, _ specification: SweepSpecification, seed: UInt64, _ trials: [Trial]
  ) async throws -> EarlyStopping? {
    guard var watcher = try specification.watcher(seed: seed) else { return nil }
    for trial in trials {
      let found = try await reports(of: trial.run, specification, since: nil)
      reading.rows[trial.run] = found.row
      for report in found.reports {
        let decision = watcher.report(
          trial: trial.number, step: report.step,
          losses: SweepMachine.losses(report.values, specification.objectives),
          isInfeasible: report.isInfeasible)
        if case .stop(let reason) = decision, trial.state == .running, trial.verdict.isNull {
          reading.verdicts[.trial(sweep: sweep, number: trial.number)] = .prune(reason: reason)
        }
      }
      if trial.state != .running {
        watcher.settle(
          trial: trial.number, as: trial.state,
          isInfeasible: SweepMachine.TrialRecord(trial, in: specification.space).missesConstraint)
      }
    }
    return watcher
  }

  private func findAgain(_ attempt: OpenAttempt) async {
    do {
      let condition = try await blocking { try attempt.directory.condition() }
      switch condition {
      case .alive:
        watchAgain(attempt)
        if core.scheduler.jobs[attempt.job]?.ask != nil {
          supervision.stop(attempt.directory, patience: attempt.patience)
        }
      case .ended, .lost, .neverStarted:
        Task { await take(.over(condition), of: attempt) }
      }
    } catch {
      // It cannot be looked at now, so nothing is known of it: whoever watches it asks until there is an answer.
      logger.error("The attempt in \(attempt.directory.path) cannot be read: \(error)")
      watchAgain(attempt)
    }
  }
}

extension OpenAttempt {
  init(_ live: LiveAttempt) {
    self.init(
      run: live.run, runName: live.runName, number: live.number, state: live.state,
      directory: AttemptDirectory(path: live.directory), settings: ExecutionSettings(json: live.execution),
      command: live.command, workdir: live.workdir, runDirectory: live.runDirectory, project: live.project,
      config: live.config, sweep: live.sweep, trial: live.trial, isStopRequested: live.stopRequested)
    agent = Agent(json: live.agent)
    isRecovered = true
    queuedAt = live.createdAt
  }
}

extension Job {
  /// A job as it was kept.
  fileprivate init(_ live: LiveAttempt, of open: OpenAttempt, plan: TrialPlan, ticket: Int) {
    self.init(
      id: open.job, needs: open.settings.needs, priority: live.queueing.priority, ticket: ticket,
      policy: plan.retries, expected: open.settings.timeout)
    number = live.number
    devices = live.devices
    agent = open.agent
    failedStarts = live.queueing.failedStarts
    for (name, count) in live.queueing.retries {
      if let fault = Fault(rawValue: name) { retries[fault] = count }
    }
    ask = open.isStopRequested ? .stop : live.roomRequested ? .makeRoom : nil
    state =
      switch live.state {
      case .starting: .starting
      case .running: .running
      case .lost: .lost
      case .queued, .finished, .failed, .timedOut, .killed, .stopped, .preempted, .crashed:
        live.queueing.notBefore.map { .pausing(until: $0.seconds) } ?? .waiting
      }
  }
}

extension SweepSpecification {
  /// How what goes before its first trial is executed: with what it asks for itself, and its trials' retries.
  var preparationPlan: TrialPlan { TrialPlan(needs: preparationNeeds, retries: retries, priority: priority) }

  /// How many trials an automatic sweep begins with: as many as the devices suffice for, or the processors where they need
  /// no devices.
  func firstWindow(devices: Int, processors: Int) -> Int {
    let rule = plan(devices: devices).needs
    let most: Int
    switch (rule.devices, rule.cpus) {
    case (.number(let count)?, _) where count > 0: most = devices / Int(count)
    case (.expression?, _): most = devices
    case (_, .number(let count)?): most = processors / Int(count)
    case (_, .expression?), (_, nil): most = processors
    }
    return max(1, min(most, budget ?? .max))
  }

  /// How its trials are executed on a server that has so many devices.
  func plan(devices: Int) -> TrialPlan {
    var rule = needs ?? NeedsRule()
    rule.devices = rule.devices ?? .number(Int64(min(1, devices)))
    return TrialPlan(needs: rule, retries: retries, priority: priority, timeout: timeout)
  }
}
