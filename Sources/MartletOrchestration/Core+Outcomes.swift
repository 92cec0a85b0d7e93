// What the end of an attempt means to the scheduler: a success, a fault of somebody's, or a request that was heard.

import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import MartletStore
import OrderedCollections

extension Core {
  /// - Throws: `OutdatedObjective`; what the store throws.
  func jobEnd(
    of attempt: OpenAttempt, _ end: AttemptEnd, _ writer: StoreWriter, _ now: Timestamp
  ) throws -> JobEnd {
    let lines = end.lastLines.isEmpty ? "" : "\n" + end.lastLines.joined(separator: "\n")
    var reason = end.exit.reason + lines
    var kind: JobEnd.Kind
    let seconds = end.startedAt.map { max(0, now - $0) } ?? .infinity
    if end.state != .finished, let judged = try judgedEnd(of: attempt, seconds: seconds, writer) {
      return judged
    }
    switch end.state {
    case .finished:
      kind = .success(objective: nil)
      if let sweep = attempt.sweep, attempt.trial != nil {
        switch try objectives(of: attempt, end, in: sweep, writer) {
        case .success(let value): kind = .success(objective: value.objective, value.measured)
        case .failure(let missing): (kind, reason) = (.hopeless, missing.reason)
        }
      }
    case .failed:
      let isNotStarted = end.exit.code == nil && end.exit.signal == nil
      kind = isNotStarted ? .impossible : .fault(end.ranOutOfMemory ? .oom : .failure)
      if isNotStarted { reason = end.exit.reason }
    case .timedOut: kind = .fault(.timeout)
    // By its limit of memory; or by that of output: the next attempt would write as much.
    case .killed: kind = end.ranOutOfMemory ? .fault(.oom) : .hopeless
    // By a signal that was not ours; or nobody knows how.
    case .crashed where end.ranOutOfMemory: kind = .fault(.oom)
    case .crashed: kind = .fault(end.exit.signal == nil ? .infra : .failure)
    case .stopped, .preempted: kind = .left
    case .queued, .starting, .running, .lost:
      throw Problem(.internal, "\(end.state.rawValue) is no end of an attempt.")
    }
    let madeRoom = kind == .left && scheduler.jobs[attempt.job]?.ask == .makeRoom
    return JobEnd(kind, madeRoom ? .preempted : end.state, reason: reason, seconds: seconds)
  }

  /// The end of an attempt that had been asked to leave because of its values: however it left then, that was the plan. Nil:
  /// it had not.
  func judgedEnd(of attempt: OpenAttempt, seconds: Double, _ writer: StoreWriter) throws -> JobEnd? {
    guard let verdict = verdict(of: attempt) else { return nil }
    let value = try lastReport(of: attempt, writer)
    switch verdict {
    case .prune(let reason):
      let kind = JobEnd.Kind.pruned(objective: value.objective, value.measured)
      return JobEnd(kind, .stopped, reason: reason, seconds: seconds)
    case .pause(let reason):
      let kind = JobEnd.Kind.paused(objective: value.objective, value.measured)
      return JobEnd(kind, .preempted, reason: reason, seconds: seconds)
    }
  }

  /// Why a running trial has been asked to leave; nil: it has not, or not because of its values.
  private func verdict(of attempt: OpenAttempt) -> Verdict? {
    guard let sweep = attempt.sweep, let trial = attempt.trial,
      let machine = scheduler.sweeps[sweep]?.machine,
      machine.trials.indices.contains(trial)
    else { return nil }
    return machine.trials[trial].verdict
  }

  /// What a trial that did not come to its end reported; nothing where it said nothing.
  private func lastReport(of attempt: OpenAttempt, _ writer: StoreWriter) throws -> TrialValues {
    guard let specification = attempt.sweep.flatMap({ sweeps[$0] })?.specification,
      let main = specification.objective, let run = try writer.run(attempt.run),
      let summary = run.metric(main.metric) ?? main.fallback.flatMap(run.metric)
    else { return TrialValues() }
    let others = specification.objectives.dropFirst().map { objective in
      objective.value(of: run.metric) ?? .nan
    }
    let value = main.value(in: summary)
    return TrialValues(
      objective: value.map { (try? specification.score($0, in: run.metric).get()) ?? $0 },
      measured: Measured(
        others: others,
        violations: specification.constraints.map { $0.violation(in: run.metric($0.metric)) },
        step: Int(exactly: summary.lastStep)))
  }

  /// What a sweep judges a trial by; nothing when it ranks by nothing.
  private func objectives(
    of attempt: OpenAttempt, _ end: AttemptEnd, in sweep: PublicID, _ writer: StoreWriter
  ) throws -> Result<TrialValues, MissingObjective> {
    guard let specification = sweeps[sweep]?.specification else { return .success(TrialValues()) }
    var values: [Double] = []
    for objective in specification.objectives {
      switch try value(of: objective, attempt, end, writer) {
      case .success(let value): values.append(value)
      case .failure(let missing): return .failure(missing)
      }
    }
    let isJudged = !specification.constraints.isEmpty || !specification.softBounds.isEmpty
    let run = isJudged ? try writer.run(attempt.run) : nil
    if let value = values.first {
      switch specification.score(value, in: { run?.metric($0) }) {
      case .success(let score): values[0] = score
      case .failure(let unknown):
        return .failure(
          MissingObjective(
            reason:
              "The metric '\(unknown.metric)', which has a weight in the sweep's constraints, has no number"
          ))
      }
    }
    return .success(
      TrialValues(
        objective: values.first,
        measured: Measured(
          others: Array(values.dropFirst()),
          violations: specification.constraints.map { $0.violation(in: run?.metric($0.metric)) })))
  }

  private func value(
    of objective: Objective, _ attempt: OpenAttempt, _ end: AttemptEnd, _ writer: StoreWriter
  ) throws -> Result<Double, MissingObjective> {
    func failed(reason: String) -> Result<Double, MissingObjective> {
      .failure(MissingObjective(reason: reason))
    }
    if let fault = end.objectiveFault { return failed(reason: fault) }
    // What is derived may lag behind the points; here it must not.
    guard try !writer.isObjectiveOutdated(of: attempt.run) else { throw OutdatedObjective() }
    let run = try writer.run(attempt.run)
    if let run, let value = objective.value(of: run.metric) { return .success(value) }
    let logged = run?.metrics.map(\.name) ?? []
    let isDerived =
      try run.map { try writer.derivedMetrics(inProject: $0.project) }?
      .contains { $0.name == objective.metric } ?? false
    if isDerived, run?.metric(objective.metric) == nil {
      let words = logged.isEmpty ? "no metric was logged" : "logged were: \(logged.joined(separator: ", "))"
      return failed(reason: "The derived metric '\(objective.metric)' has no point in this run; \(words)")
    }
    let hint: String
    if run?.metric(objective.metric) != nil {
      hint = "every value of it was NaN"
    } else if let near = nearest(to: objective.metric, in: logged) {
      hint = "did you mean '\(near)'?"
    } else {
      hint = logged.isEmpty ? "no metric was logged" : "logged were: \(logged.joined(separator: ", "))"
    }
    let names = ([objective.metric] + [objective.fallback].compactMap(\.self)).map { "'\($0)'" }
    let subject =
      names.count == 1 ? "The metric \(names[0]) was" : "Neither \(names.joined(separator: " nor ")) was"
    return failed(reason: "\(subject) \(names.count == 1 ? "never" : "ever") logged; \(hint)")
  }
}

/// What a trial is judged by.
private struct TrialValues {
  var objective: Double?
  var measured = Measured()
}

/// Why a trial whose command succeeded has failed.
private struct MissingObjective: Error {
  /// A sentence.
  var reason: String
}

/// What a sweep looks for is derived and has to be computed anew, which is done beside the writer: then the end of the
/// attempt is decided again.
struct OutdatedObjective: Error {}
