// What the end of an attempt means to the scheduler: a success, a fault of somebody's, or a request that was heard.

import MartletExecution
import MartletFormats
import MartletModel
import MartletScheduling
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
    switch end.state {
    case .finished:
      kind = .success(objective: nil)
      if let sweep = attempt.sweep, attempt.trial != nil {
        switch try objective(of: attempt, end, in: sweep, writer) {
        case .success(let value): kind = .success(objective: value)
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
    let seconds = end.startedAt.map { max(0, now - $0) } ?? .infinity
    let madeRoom = kind == .left && scheduler.jobs[attempt.job]?.ask == .makeRoom
    return JobEnd(kind, madeRoom ? .preempted : end.state, reason: reason, seconds: seconds)
  }

  /// The value that a sweep ranks a trial by; nil when it ranks by nothing.
  private func objective(
    of attempt: OpenAttempt, _ end: AttemptEnd, in sweep: PublicID, _ writer: StoreWriter
  ) throws -> Result<Double?, MissingObjective> {
    guard let objective = sweeps[sweep]?.specification.objective else { return .success(nil) }
    func failed(reason: String) -> Result<Double?, MissingObjective> {
      .failure(MissingObjective(reason: reason))
    }
    if let fault = end.objectiveFault { return failed(reason: fault) }
    // What is derived may lag behind the points; here it must not.
    guard try !writer.isObjectiveOutdated(of: attempt.run) else { throw OutdatedObjective() }
    let run = try writer.run(attempt.run)
    if let summary = run?.metric(objective.metric),
      let value = objective.goal == .minimize ? summary.min : summary.max
    {
      return .success(value)
    }
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
    return failed(reason: "The metric '\(objective.metric)' was never logged; \(hint)")
  }
}

/// Why a trial whose command succeeded has failed.
private struct MissingObjective: Error {
  /// A sentence.
  var reason: String
}

/// What a sweep looks for is derived and has to be computed anew, which is done beside the writer: then the end of the
/// attempt is decided again.
struct OutdatedObjective: Error {}
