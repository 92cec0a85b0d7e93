// What the scheduler decides, written down: each action is a few rows.

import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import MartletStore
import OrderedCollections

/// What the world told, beside what the scheduler has to know of it.
struct Circumstances: Sendable {
  /// The attempt that was told of.
  fileprivate var subject: (job: JobID, number: Int)?
  /// Of the command that runs.
  var pid: Int?
  /// How the attempt at hand ended, or why it is lost.
  var exit: ExitRecord?
  var startedAt: Timestamp?
  /// What the attempt at hand came to.
  var use: AttemptUse?
  /// What keeps the attempt at hand within its limits.
  var limits: JSONValue?

  init(pid: Int? = nil, exit: ExitRecord? = nil, startedAt: Timestamp? = nil) {
    (self.pid, self.exit, self.startedAt) = (pid, exit, startedAt)
  }

  /// Those of one attempt; of another nothing was told.
  fileprivate func of(_ job: JobID, _ number: Int) -> Circumstances {
    subject.map { $0 == (job, number) } ?? false ? self : Circumstances()
  }
}

extension Core {
  /// Lets the scheduler decide, and writes down what it decided.
  mutating func decide(
    _ event: Scheduler.Event, told circumstances: Circumstances = Circumstances(), _ writer: StoreWriter,
    _ effects: inout Effects, by principal: Principal, _ now: Timestamp
  ) throws {
    let actions = scheduler.handle(event, at: now.seconds, by: principal.name)
    effects.changesPool = true
    var told = circumstances
    if case .attempt(let job, let number, _) = event { told.subject = (job, number) }
    var touched: OrderedSet<JobID> = []
    for action in actions {
      try write(action, told, &touched, writer, &effects, by: principal, now)
    }
    for job in touched {
      if let attempt = attempt(of: job), attempt.state.isEnd { forget(attempt) }
    }
  }

  private mutating func write(
    _ action: Scheduler.Action, _ told: Circumstances, _ touched: inout OrderedSet<JobID>,
    _ writer: StoreWriter, _ effects: inout Effects, by principal: Principal, _ now: Timestamp
  ) throws {
    switch action {
    case .createTrial(let id, let number, let point, let origin):
      guard let sweep = sweeps[id] else { return }
      try createTrial(number, point, origin, of: sweep, writer, &effects, by: principal, now)
    case .resumeTrial(let id, let number):
      guard let sweep = sweeps[id] else { return }
      try resumeTrial(number, of: sweep, writer, &effects, by: principal, now)
    case .setVerdict(let id, let number, let verdict):
      guard let row = sweeps[id]?.row else { return }
      try writer.setVerdict(ofSweep: row, number: number, verdict.json, by: principal, now: now)
      effects.trials[id, default: []].append(number)
    case .createPreparation(let id):
      guard let sweep = sweeps[id] else { return }
      try createPreparation(of: sweep, writer, &effects, by: principal, now)
    case .createAttempt(let job):
      try createAttempt(job, writer, &effects, by: principal, now)
    case .start(let id, let number, let devices):
      try start(id, number, devices, writer, &effects, by: principal, now)
    case .lend(let id, let number, let agent):
      try lend(id, number, to: agent, writer, &effects, by: principal, now)
    case .setRunning(let id, let number):
      try move(id, number, .running, told.of(id, number), writer, &effects, by: principal, now)
    case .setLost(let id, let number):
      try move(id, number, .lost, told.of(id, number), writer, &effects, by: principal, now)
    case .endAttempt(let id, let number, let state, let reason):
      var end = told.of(id, number)
      end.exit = end.exit ?? ExitRecord(code: nil, signal: nil, reason: reason)
      touched.append(id)
      try move(id, number, state, end, writer, &effects, by: principal, now)
    case .ask(let id, _, let ask):
      try self.ask(id, ask, writer, &effects, by: principal, now)
    case .setPlace(let id, let priority, let ticket):
      guard let attempt = attempt(of: id) else { return }
      try writer.setPlace(
        of: attempt.run, number: attempt.number, priority: priority, ticket: ticket, by: principal, now: now)
      effects.runs.append(attempt.run)
    case .setTimeout(let id, let timeout):
      guard var attempt = attempt(of: id) else { return }
      attempt.settings.timeout = timeout
      keep(attempt)
      try writer.setExecution(of: attempt.run, attempt.settings.json)
    case .savePlan(let id, let priority, let timeout):
      guard let row = sweeps[id]?.row else { return }
      try writer.setPlan(ofSweep: row, priority: priority, timeout: timeout)
      effects.sweeps.append(id)
    case .setTrialRunning(let id, let number):
      guard let row = sweeps[id]?.row else { return }
      try writer.setTrialState(ofSweep: row, number: number, .running, by: principal, now: now)
      effects.trials[id, default: []].append(number)
      effects.sweeps.append(id)
    case .endTrial(let id, let number, let outcome):
      let isSubject = told.subject?.job == .trial(sweep: id, number: number)
      try endTrial(
        number, of: id, outcome, isSubject ? told.startedAt : nil, writer, &effects, by: principal, now)
    case .saveSweep(let id, let saved):
      guard let row = sweeps[id]?.row else { return }
      try writer.save(
        ofSweep: row, sampler: saved.sampler, progress: saved.progress.json, maxParallel: saved.maxParallel)
      effects.sweeps.append(id)
    case .setSweep(let id, let state, let reason):
      guard let row = sweeps[id]?.row else { return }
      try writer.setSweepState(row, state, reason: reason, by: principal, now: now)
      effects.sweeps.append(id)
    case .setBest(let id, let trial):
      guard let row = sweeps[id]?.row else { return }
      try writer.setBest(ofSweep: row, trial: trial)
    case .setMaxParallel(let id, let count, let reason):
      guard let row = sweeps[id]?.row else { return }
      try writer.noteParallel(ofSweep: row, count, reason: reason, by: principal, now: now)
      effects.sweeps.append(id)
    case .endSweep(let id, let state, let reason):
      guard let sweep = sweeps[id] else { return }
      effects.ends.append(Effects.SweepEnd(sweep: sweep, state: state, reason: reason))
      effects.sweeps.append(id)
      sweeps[id] = nil
    case .setStanding(let device, let standing):
      try setStanding(standing, of: device, writer, by: principal, now)
    case .setPolicy(let policy):
      try setPolicy(policy, writer, by: principal, now)
    case .wake(let time):
      effects.wakes.append(time)
    }
  }

  // MARK: - Attempts

  private mutating func createAttempt(
    _ job: Job, _ writer: StoreWriter, _ effects: inout Effects, by principal: Principal, _ now: Timestamp
  ) throws {
    guard var attempt = attempt(of: job.id) else { return }
    let (data, run) = (data, attempt.run)
    var notBefore: Timestamp?
    if case .pausing(let until) = job.state { notBefore = Timestamp(seconds: until) }
    attempt.number = try writer.createAttempt(
      of: run,
      QueuedAttempt(
        priority: job.priority, ticket: job.ticket, notBefore: notBefore,
        retries: job.retries.reduce(into: [:]) { $0[$1.key.rawValue] = $1.value },
        failedStarts: job.failedStarts),
      directory: { data.attempt($0, of: run) }, by: principal, now: now)
    guard attempt.number == job.number else {
      throw Problem(.internal, "Attempt \(job.number) of run '\(run)' is stored as \(attempt.number).")
    }
    attempt.directory = AttemptDirectory(path: data.attempt(attempt.number, of: run))
    (attempt.state, attempt.isStopRequested, attempt.patience) = (.queued, false, nil)
    (attempt.isRecovered, attempt.agent) = (false, nil)
    attempt.queuedAt = now
    keep(attempt)
    effects.runs.append(run)
  }

  private mutating func start(
    _ id: JobID, _ number: Int, _ devices: [Int], _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    guard var attempt = attempt(of: id) else { return }
    let run = attempt.run
    attempt.state = .starting
    attempt.isRecovered = false
    keep(attempt)
    try writer.setAttemptState(
      of: run, number: number, .starting, devices: devices, by: principal, now: now)
    var patch = RunPatch()
    patch.host = host
    try writer.patchRun(run, patch, now: now)
    let token = try giveToken(to: attempt, writer, by: principal, now)
    effects.launches.append(Effects.Launch(attempt: attempt, devices: devices, token: token))
    effects.runs.append(run)
  }

  private mutating func move(
    _ id: JobID, _ number: Int, _ state: AttemptState, _ told: Circumstances, _ writer: StoreWriter,
    _ effects: inout Effects, by principal: Principal, _ now: Timestamp
  ) throws {
    guard var attempt = attempt(of: id) else { return }
    attempt.state = state
    keep(attempt)
    try writer.setAttemptState(
      of: attempt.run, number: number, state, exit: told.exit, pid: told.pid, startedAt: told.startedAt,
      by: principal, now: now)
    if let use = told.use { try writer.setUse(of: attempt.run, number: number, use) }
    if let limits = told.limits, limits != .null {
      try writer.setLimits(of: attempt.run, number: number, limits)
    }
    effects.runs.append(attempt.run)
  }

  private mutating func ask(
    _ id: JobID, _ ask: Job.Ask, _ writer: StoreWriter, _ effects: inout Effects, by principal: Principal,
    _ now: Timestamp
  ) throws {
    guard var attempt = attempt(of: id) else { return }
    switch ask {
    case .stop:
      if !attempt.isStopRequested { try writer.requestStop(attempt.run, by: principal, now: now) }
      attempt.isStopRequested = true
    case .makeRoom:
      try writer.askForRoom(of: attempt.run, number: attempt.number, by: principal, now: now)
    }
    keep(attempt)
    if attempt.state != .queued {
      let patience = attempt.patience ?? attempt.settings.grace
      try writer.setKill(
        of: attempt.run, number: attempt.number, at: now + patience, isStop: ask == .stop, now: now)
      effects.stops.append(attempt)
    }
    effects.runs.append(attempt.run)
  }

  // MARK: - Trials

  private func endTrial(
    _ number: Int, of id: PublicID, _ outcome: SweepMachine.Outcome, _ startedAt: Timestamp?,
    _ writer: StoreWriter, _ effects: inout Effects, by principal: Principal, _ now: Timestamp
  ) throws {
    let (state, objective, measured, reason): (TrialState, Double?, Measured?, String?) =
      switch outcome {
      case .complete(let value, let measured): (.complete, value, measured, nil)
      case .pruned(let value, let measured, let reason): (.pruned, value, measured, reason)
      case .paused(let value, let measured, let reason): (.paused, value, measured, reason)
      case .failed(let reason, let penalty): (.failed, nil, Measured(penalty: penalty), reason)
      case .notStarted(let reason): (.failed, nil, nil, reason)
      }
    // A sweep that could not go on after a restart has ended before its last trials.
    try writer.setTrialState(
      ofSweep: try sweeps[id]?.row ?? writer.row(ofSweep: id), number: number, state, objective: objective,
      measured: measured?.json ?? .null, reason: reason, startedAt: startedAt, by: principal, now: now)
    effects.trials[id, default: []].append(number)
    if let sweep = sweeps[id] { effects.results[id] = sweep }
  }

  private mutating func createTrial(
    _ number: Int, _ point: Point, _ origin: TrialOrigin, of sweep: OpenSweep, _ writer: StoreWriter,
    _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    let specification = sweep.specification
    let id = try writer.freshRunID()
    let name = specification.runName(
      for: point, number: number, seed: sweep.seed, isRepeat: origin.isRepeat)
    let directory = "\(sweep.directory)/\(name)"
    let paramsFile = "\(directory)/params.json"
    let isGhost =
      switch specification.form {
      case .ghost: true
      case .sweep: false
      }
    let plan = scheduler.sweeps[sweep.id]?.plan
    let needs = plan?.needs.needs(of: point)
    var settings = ExecutionSettings(
      timeout: plan.map(\.timeout) ?? specification.timeout, grace: specification.grace,
      stopSignal: specification.stopSignal == .usr1 ? .usr1 : .term,
      needs: (try? needs?.get()) ?? Needs(),
      environmentFile: sweep.environmentFile, seed: sweep.seed &+ UInt64(number), readsTrainingLog: isGhost)
    settings.shards = specification.shards
    (settings.shared, settings.resume) = (sweep.sharedDirectory, specification.resume)
    let limits = plan?.needs.limits(of: point)
    settings.limits = (try? limits?.get()) ?? AttemptLimits()
    if let from = origin.from, let trials = scheduler.sweeps[sweep.id]?.machine.trials,
      trials.indices.contains(from)
    {
      let name = specification.runName(
        for: trials[from].point, number: from, seed: sweep.seed, isRepeat: trials[from].origin.isRepeat)
      settings.firstCheckpoints = "\(sweep.directory)/\(name)/checkpoints"
    }
    let command = specification.arguments(
      for: point,
      run: RunPlace(name: name, directory: directory, paramsFile: paramsFile, environment: sweep.environment))
    try writer.createExecutedRun(
      ExecutedRun(
        project: sweep.project, name: name, sweepRow: sweep.row, trial: number, config: point.nested,
        command: command, workdir: sweep.workdir, directory: directory, execution: settings.json),
      id: id, by: sweep.creator, now: now)
    if let git = sweep.git {
      var patch = RunPatch()
      patch.git = git
      try writer.patchRun(id, patch, now: now)
    }
    try writer.createTrial(
      ofSweep: sweep.row, number: number, parameters: point.values, origin: origin.json, run: id,
      by: principal,
      now: now)
    effects.trials[sweep.id, default: []].append(number)
    keep(
      OpenAttempt(
        run: id, runName: name, number: 0, state: .queued, directory: AttemptDirectory(path: directory),
        settings: settings, command: command, workdir: sweep.workdir, runDirectory: directory,
        project: sweep.project, config: point.nested, sweep: sweep.id, trial: number, isStopRequested: false))
  }

  /// A trial that was paused has another attempt: what is known of its run is read back.
  private mutating func resumeTrial(
    _ number: Int, of sweep: OpenSweep, _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    guard let last = try writer.lastAttempt(ofSweep: sweep.row, trial: number) else {
      throw Problem(.internal, "Trial \(number) of sweep '\(sweep.id)' has no attempt to go on from.")
    }
    var attempt = OpenAttempt(last)
    if let machine = scheduler.sweeps[sweep.id]?.machine {
      attempt.config = machine.trials[number].point.nested
    }
    try writer.setTrialState(ofSweep: sweep.row, number: number, .waiting, by: principal, now: now)
    effects.trials[sweep.id, default: []].append(number)
    keep(attempt)
  }

  /// The run that goes before the first trial. It has all the time that it takes.
  private mutating func createPreparation(
    of sweep: OpenSweep, _ writer: StoreWriter, _ effects: inout Effects, by principal: Principal,
    _ now: Timestamp
  ) throws {
    let specification = sweep.specification
    let id = try writer.freshRunID()
    let name = SweepSpecification.fileName(sweep.name, suffix: "-prepare")
    let directory = "\(sweep.directory)/prepare"
    let rule = scheduler.sweeps[sweep.id]?.preparation.needs ?? NeedsRule()
    var settings = ExecutionSettings(
      timeout: nil, grace: specification.grace, stopSignal: specification.stopSignal == .usr1 ? .usr1 : .term,
      needs: (try? rule.needs(of: Point()).get()) ?? Needs(), environmentFile: sweep.environmentFile,
      seed: sweep.seed, readsTrainingLog: false)
    (settings.shared, settings.resume) = (sweep.sharedDirectory, specification.resume)
    settings.limits = (try? rule.limits(of: Point()).get()) ?? AttemptLimits()
    let command = specification.preparationArguments(environment: sweep.environment)
    try writer.createExecutedRun(
      ExecutedRun(
        project: sweep.project, name: name, sweepRow: sweep.row, trial: nil, config: [:], command: command,
        workdir: sweep.workdir, directory: directory, execution: settings.json),
      id: id, by: sweep.creator, now: now)
    effects.sweeps.append(sweep.id)
    keep(
      OpenAttempt(
        run: id, runName: name, number: 0, state: .queued, directory: AttemptDirectory(path: directory),
        settings: settings, command: command, workdir: sweep.workdir, runDirectory: directory,
        project: sweep.project, config: [:], sweep: sweep.id, trial: nil, isStopRequested: false))
  }
}
