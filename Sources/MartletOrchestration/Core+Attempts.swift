// Attempts inside a decision: queued, granted devices, started, ended.

import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
import MartletStore
import OrderedCollections

extension Core {
  /// How often a run is queued again when its supervisors start nothing. A server that was killed in between is not
  /// counted: that is no fault of the run.
  static let neverStartedLimit = 5

  /// Makes a new attempt of a run and asks for its devices.
  mutating func queue(
    _ attempt: OpenAttempt, _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    var attempt = attempt
    let (data, run) = (data, attempt.run)
    attempt.number = try writer.createAttempt(
      of: run, directory: { data.attempt($0, of: run) }, by: principal, now: now)
    attempt.directory = AttemptDirectory(path: data.attempt(attempt.number, of: run))
    attempt.state = .queued
    attempts[attempt.run] = attempt
    effects.runs.append(attempt.run)
    try request(attempt, writer, &effects, by: principal, now)
  }

  mutating func request(
    _ attempt: OpenAttempt, _ writer: StoreWriter, _ effects: inout Effects, by principal: Principal,
    _ now: Timestamp
  ) throws {
    let actions = pool.handle(.request(attempt.holder, count: attempt.settings.gpus))
    try carryOut(actions, writer, &effects, by: principal, now)
  }

  private mutating func carryOut(
    _ actions: [MartletExecution.DevicePool.Action], _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal,
    _ now: Timestamp
  ) throws {
    for action in actions {
      switch action {
      case .grant(let holder, let devices):
        guard let run = PublicID(rawValue: holder), var attempt = attempts[run] else { continue }
        attempt.state = .starting
        attempt.isRecovered = false
        attempts[run] = attempt
        try writer.setAttemptState(
          of: run, number: attempt.number, .starting, devices: devices, by: principal, now: now)
        var patch = RunPatch()
        patch.host = host
        try writer.patchRun(run, patch, now: now)
        let secret = TokenSecret.random()
        let owner = try writer.createPrincipal(kind: .attempt, name: attempt.runName, now: now)
        _ = try writer.createToken(
          name: "attempt \(attempt.number)", principal: owner, hash: TokenSecret.hash(secret),
          scopes: [.read, .ingest], project: attempt.project, run: run, expiresAt: nil, by: principal,
          now: now)
        effects.launches.append(Effects.Launch(attempt: attempt, devices: devices, token: secret))
        effects.runs.append(run)
      case .refuse(let holder, let count, let total):
        guard let run = PublicID(rawValue: holder), let attempt = attempts[run] else { continue }
        let words = total == 0 ? "this server was started without devices" : "this server has \(total)"
        let reason = "It needs \(count) devices, but \(words)."
        // Its other trials need as many: none is made any more.
        if let sweep = attempt.sweep {
          try advance(sweep, .stop(now: false, reason: reason), writer, &effects, by: principal, now)
        }
        try endAttempt(
          attempt, AttemptEnd(state: .failed, reason: reason), writer, &effects, by: principal, now)
      }
    }
  }

  /// Ends an attempt, gives its devices to whoever is next, and tells its sweep.
  mutating func endAttempt(
    _ attempt: OpenAttempt, _ end: AttemptEnd, _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    try writer.setAttemptState(
      of: attempt.run, number: attempt.number, end.state, exit: end.exit, startedAt: end.startedAt,
      by: principal,
      now: now)
    attempts[attempt.run] = nil
    effects.runs.append(attempt.run)
    let actions = pool.handle(.release(attempt.holder))
    if let sweep = attempt.sweep, let trial = attempt.trial {
      let outcome = try outcome(of: attempt, end, in: sweep, writer)
      try endTrial(trial, of: sweep, outcome, startedAt: end.startedAt, writer, &effects, by: principal, now)
    }
    try carryOut(actions, writer, &effects, by: principal, now)
  }

  /// Nothing was started: the run is queued again, unless its end was asked for or it is hopeless.
  mutating func requeue(
    _ attempt: OpenAttempt, _ writer: StoreWriter, _ effects: inout Effects,
    by principal: Principal, _ now: Timestamp
  ) throws {
    var attempt = attempt
    if !attempt.isRecovered { attempt.failedStarts += 1 }
    if attempt.isStopRequested || attempt.failedStarts >= Self.neverStartedLimit {
      let end =
        attempt.isStopRequested
        ? AttemptEnd(state: .stopped, reason: "Stopped on request before it began.")
        : AttemptEnd(state: .failed, reason: "Its supervisor started nothing, \(attempt.failedStarts) times.")
      return try endAttempt(attempt, end, writer, &effects, by: principal, now)
    }
    try writer.setAttemptState(
      of: attempt.run, number: attempt.number, .preempted,
      exit: ExitRecord(
        code: nil, signal: nil,
        reason: attempt.isRecovered ? "Never started: the server ended before." : "Never started."),
      by: principal, now: now)
    let actions = pool.handle(.release(attempt.holder))
    try queue(attempt, writer, &effects, by: principal, now)
    try carryOut(actions, writer, &effects, by: principal, now)
  }

  /// What an attempt's end means for its trial.
  private func outcome(
    of attempt: OpenAttempt, _ end: AttemptEnd, in sweep: PublicID, _ writer: StoreWriter
  ) throws -> SweepMachine.Outcome {
    guard end.state == .finished else {
      let lines = end.lastLines.isEmpty ? "" : "\n" + end.lastLines.joined(separator: "\n")
      let isNotStarted = end.state == .failed && end.exit.code == nil && end.exit.signal == nil
      return isNotStarted
        ? .notStarted(reason: end.exit.reason) : .failed(reason: end.exit.reason + lines)
    }
    guard let objective = sweeps[sweep]?.specification.objective else { return .complete(objective: nil) }
    if let fault = end.objectiveFault { return .failed(reason: fault) }
    // What is derived may lag behind the points; here it must not.
    guard try !writer.isObjectiveOutdated(of: attempt.run) else { throw OutdatedObjective() }
    let run = try writer.run(attempt.run)
    if let summary = run?.metric(objective.metric),
      let value = objective.goal == .minimize ? summary.min : summary.max
    {
      return .complete(objective: value)
    }
    let logged = run?.metrics.map(\.name) ?? []
    let isDerived =
      try run.map { try writer.derivedMetrics(inProject: $0.project) }?
      .contains { $0.name == objective.metric } ?? false
    if isDerived, run?.metric(objective.metric) == nil {
      let words = logged.isEmpty ? "no metric was logged" : "logged were: \(logged.joined(separator: ", "))"
      return .failed(reason: "The derived metric '\(objective.metric)' has no point in this run; \(words)")
    }
    let hint: String
    if run?.metric(objective.metric) != nil {
      hint = "every value of it was NaN"
    } else if let near = nearest(to: objective.metric, in: logged) {
      hint = "did you mean '\(near)'?"
    } else {
      hint = logged.isEmpty ? "no metric was logged" : "logged were: \(logged.joined(separator: ", "))"
    }
    return .failed(reason: "The metric '\(objective.metric)' was never logged; \(hint)")
  }
}

/// What a sweep looks for is derived and has to be computed anew, which is done beside the writer: then the end of the
/// attempt is decided again.
struct OutdatedObjective: Error {}
