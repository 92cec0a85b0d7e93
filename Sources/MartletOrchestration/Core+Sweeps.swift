// Sweeps inside a decision: their machines' actions written down.

import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import MartletStore
import OrderedCollections

extension Core {
  mutating func endTrial(
    _ number: Int, of id: PublicID, _ outcome: SweepMachine.Outcome, startedAt: Timestamp?,
    _ writer: StoreWriter,
    _ effects: inout Effects, by principal: Principal, _ now: Timestamp
  ) throws {
    let (state, objective, reason): (TrialState, Double?, String?) =
      switch outcome {
      case .complete(let value): (.complete, value, nil)
      case .pruned(let value): (.pruned, value, nil)
      case .failed(let reason), .notStarted(let reason): (.failed, nil, reason)
      }
    // A sweep that could not go on after a restart has ended before its last trials.
    try writer.setTrialState(
      ofSweep: try sweeps[id]?.row ?? writer.row(ofSweep: id), number: number, state, objective: objective,
      reason: reason, startedAt: startedAt,
      by: principal,
      now: now)
    effects.trials[id, default: []].append(number)
    if let sweep = sweeps[id] { effects.results[id] = sweep }
    try advance(id, .trialEnded(number, outcome), writer, &effects, by: principal, now)
  }

  /// Tells a sweep's machine what happened and writes down what it decides.
  mutating func advance(
    _ id: PublicID, _ event: SweepMachine.Event, _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    guard var sweep = sweeps[id] else { return }
    let actions = sweep.machine.handle(event)
    sweeps[id] = sweep
    effects.sweeps.append(id)
    try writer.setSamplerState(ofSweep: sweep.row, sweep.machine.sampler.state)
    for action in actions {
      switch action {
      case .create(let number, let point):
        try create(number, point, of: sweep, writer, &effects, by: principal, now)
      case .stop(let number):
        for attempt in Array(attempts.values) where attempt.sweep == id && attempt.trial == number {
          try stop(attempt, writer, &effects, by: principal, now)
        }
      case .setState(let state, let reason) where state.isEnd:
        effects.ends.append(Effects.SweepEnd(sweep: sweep, state: state, reason: reason))
        sweeps[id] = nil
      case .setState(let state, let reason):
        try writer.setSweepState(sweep.row, state, reason: reason, by: principal, now: now)
      case .setBest(let number):
        try writer.setBest(ofSweep: sweep.row, trial: number)
      }
    }
  }

  private mutating func create(
    _ number: Int, _ point: Point, of sweep: OpenSweep, _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    let specification = sweep.specification
    let id = try writer.freshRunID()
    let name = specification.runName(for: point, number: number, seed: sweep.seed)
    let directory = "\(sweep.directory)/\(name)"
    let paramsFile = "\(directory)/params.json"
    let isGhost =
      switch specification.form {
      case .ghost: true
      case .sweep: false
      }
    let settings = ExecutionSettings(
      timeout: specification.timeout, grace: specification.grace,
      stopSignal: specification.stopSignal == .usr1 ? .usr1 : .term,
      gpus: specification.gpus ?? min(1, pool.count),
      environmentFile: sweep.environmentFile, seed: sweep.seed &+ UInt64(number), readsTrainingLog: isGhost)
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
      ofSweep: sweep.row, number: number, parameters: point.values, run: id, by: principal, now: now)
    effects.trials[sweep.id, default: []].append(number)
    try queue(
      OpenAttempt(
        run: id, runName: name, number: 0, state: .queued, directory: AttemptDirectory(path: directory),
        settings: settings, command: command, workdir: sweep.workdir, runDirectory: directory,
        project: sweep.project, config: point.nested, sweep: sweep.id, trial: number, isStopRequested: false),
      writer, &effects, by: principal, now)
  }

  /// Asks an attempt to end: at once while it is queued, else through its supervisor.
  mutating func stop(
    _ attempt: OpenAttempt, _ writer: StoreWriter, _ effects: inout Effects, by principal: Principal,
    _ now: Timestamp
  ) throws {
    guard var attempt = attempts[attempt.run] else { return }
    try writer.requestStop(attempt.run, by: principal, now: now)
    if attempt.state == .queued {
      let end = AttemptEnd(state: .stopped, reason: "Stopped by \(principal.name) before it began.")
      return try endAttempt(attempt, end, writer, &effects, by: principal, now)
    }
    attempt.isStopRequested = true
    attempts[attempt.run] = attempt
    effects.stops.append(attempt)
    effects.runs.append(attempt.run)
  }
}
