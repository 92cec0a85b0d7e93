// Early stopping of one sweep: a rule, and what holds for every rule.

import HashTreeCollections
public import MartletModel
import OrderedCollections

/// Decides, report by report, which trials are not worth their end.
///
/// Whatever the rule, the incumbent goes on: the trial with the lowest loss reported so far (with several objectives,
/// every trial whose last report no other one dominates), unless its last report was not a number. A trial that misses a
/// constraint is worse than all that do not. Trials that failed are no measure for others. A trial that was stopped and
/// reports again is told again.
public struct EarlyStopping: Sendable {
  private var rule: any StoppingRule
  private let objectiveCount: Int
  /// By number, in no order: copies share what they have in common.
  private var records: TreeDictionary<Int, Record> = [:]
  /// Those that stand still.
  private var standing: TreeSet<Int> = []
  /// With one objective the lowest loss of all that did not fail; nil: there is none.
  private var lowest = Lowest()

  private struct Lowest: Hashable, Sendable {
    /// Of those that miss no constraint, as far as is known.
    var feasible: Double?
    var infeasible: Double?
  }

  /// Where a trial stands among all.
  private struct Record: Hashable, Sendable {
    /// One objective: the lowest loss; several: the last. Empty: no number yet.
    var losses: [Double] = []
    var endsInNumber = false
    var state = TrialState.running
    /// It misses a constraint.
    var isInfeasible = false
    /// Why it was stopped.
    var verdict: String?

    /// It is a measure for others.
    var counts: Bool { state != .failed && !losses.isEmpty }
    /// Where its lowest loss belongs.
    var side: WritableKeyPath<Lowest, Double?> { isInfeasible ? \.infeasible : \.feasible }
  }

  /// - Parameters:
  ///   - objectives: what the losses of a report stand for, in order.
  ///   - seed: of the draw that gives trials to brackets.
  public init(_ configuration: StoppingRuleConfiguration, objectives: [Objective], seed: UInt64) {
    rule = configuration.rule(objectives: objectives, seed: seed)
    objectiveCount = max(objectives.count, 1)
  }

  /// What trial number `trial` measured at `step`.
  ///
  /// - Parameters:
  ///   - losses: one an objective, to be minimised; NaN counts as worse than every number, and so does one that is missing.
  ///   - isInfeasible: whether it misses a constraint by what is known of it.
  public mutating func report(
    trial: Int, step: Int64, losses: [Double], isInfeasible: Bool = false
  ) -> StoppingDecision {
    var losses = losses.prefix(objectiveCount).map { $0.isNaN ? .infinity : $0 }
    losses += Array(repeating: .infinity, count: objectiveCount - losses.count)
    let report = StoppingReport(trial: trial, step: step, losses: losses)
    note(report, isInfeasible: isInfeasible)
    let decision = rule.report(report)
    if let verdict = records[trial]?.verdict { return .stop(verdict) }
    guard case .stop(let reason) = decision else { return decision }
    if isIncumbent(trial), !rule.maySacrifice(trial: trial) { return .goOn }
    records[trial]?.verdict = reason
    return decision
  }

  /// A trial changed its state: `paused` when its program really stands still, `running` when it goes on.
  ///
  /// - Parameter isInfeasible: whether it misses a constraint; nil: as far as is known, as before.
  public mutating func settle(trial: Int, as state: TrialState, isInfeasible: Bool? = nil) {
    let before = records[trial] ?? Record()
    records[trial, default: Record()].state = state
    if let isInfeasible { records[trial, default: Record()].isInfeasible = isInfeasible }
    keepCount(of: trial, before: before)
    rule.settle(trial: trial, as: state)
  }

  /// The paused trial to go on with, which counts as running from now on; nil: none, begin a new one.
  ///
  /// - Parameter isExhausted: no new trial can begin. Then an incumbent that stands still goes on in any case, so that
  ///   the best of a sweep is always trained to its end.
  public mutating func resume(isExhausted: Bool = false) -> Int? {
    let trial =
      rule.resumable()
      ?? (isExhausted
        ? standing.filter { isIncumbent($0) }.min() : nil)
    if let trial { settle(trial: trial, as: .running) }
    return trial
  }

  /// All trials standing still, ascending.
  public var paused: [Int] { standing.sorted() }

  // MARK: - The incumbent

  private mutating func note(_ report: StoppingReport, isInfeasible: Bool) {
    let before = records[report.trial] ?? Record()
    var record = before
    record.endsInNumber = report.isFinite
    record.isInfeasible = isInfeasible
    if report.isFinite {
      if objectiveCount > 1 || record.losses.isEmpty || report.losses[0] < record.losses[0] {
        record.losses = report.losses
      }
    }
    records[report.trial] = record
    keepCount(of: report.trial, before: before)
  }

  /// Brings up to date what is known of all trials together, which a decision would else have to look at one by one.
  private mutating func keepCount(of trial: Int, before: Record) {
    guard let record = records[trial] else { return }
    if record.state == .paused { standing.insert(trial) } else { standing.remove(trial) }
    guard objectiveCount == 1 else { return }
    let side = before.side
    if before.counts, !record.counts || record.side != side, before.losses.first == lowest[keyPath: side] {
      // It is no measure for others any more, or for others than before: the one time that all are looked at.
      lowest[keyPath: side] =
        records.values.lazy.filter { $0.counts && $0.side == side }.compactMap(\.losses.first).min()
    }
    guard record.counts, let loss = record.losses.first else { return }
    lowest[keyPath: record.side] = min(lowest[keyPath: record.side] ?? loss, loss)
  }

  /// Whether no trial is better. Several trials may be that.
  public func isIncumbent(_ trial: Int) -> Bool {
    guard let own = records[trial], own.endsInNumber, !own.losses.isEmpty else { return false }
    if objectiveCount == 1 {
      if own.isInfeasible, lowest.feasible != nil { return false }
      return lowest[keyPath: own.side].map { own.losses[0] <= $0 } ?? true
    }
    return !records.values.contains { other in
      guard other.counts else { return false }
      return own.isInfeasible == other.isInfeasible
        ? Pareto.dominates(other.losses, own.losses) : own.isInfeasible
    }
  }

  // MARK: - Memory

  /// All that is known of a trial, a small object; nil: it is not known.
  public func memory(of trial: Int) -> JSONValue? {
    guard let record = records[trial] else { return nil }
    var members: JSONObject = [
      "state": .string(record.state.rawValue), "losses": .array(record.losses.map(JSONValue.double)),
      "number": .bool(record.endsInNumber), "rule": rule.memory(of: trial) ?? .null,
    ]
    if record.isInfeasible { members["infeasible"] = true }
    if let verdict = record.verdict { members["verdict"] = .string(verdict) }
    return .object(members)
  }

  /// The memories of all trials, by number.
  public var state: JSONValue {
    var members = JSONObject()
    for trial in records.keys.sorted() { members[String(trial)] = memory(of: trial) }
    return .object(members)
  }

  /// Takes one memory back. To be called once a trial, at the beginning.
  ///
  /// - Throws: `SearchError.unusableState`.
  public mutating func restore(trial: Int, _ memory: JSONValue) throws(SearchError) {
    guard let state = memory["state"]?.string.flatMap(TrialState.init(rawValue:)),
      let losses = memory["losses"]?.array?.map(\.double), !losses.contains(nil),
      let endsInNumber = memory["number"]?.bool, let kept = memory["rule"]
    else { throw rule.unusable(trial: trial) }
    records[trial] = Record(
      losses: losses.compactMap { $0 }, endsInNumber: endsInNumber, state: state,
      isInfeasible: memory["infeasible"]?.bool ?? false,
      verdict: memory["verdict"]?.string)
    keepCount(of: trial, before: Record())
    if !kept.isNull { try rule.restore(trial: trial, kept) }
    rule.settle(trial: trial, as: state)
  }

  /// Takes a saved `state` back.
  ///
  /// - Throws: `SearchError.unusableState`.
  public mutating func restore(_ state: JSONValue) throws(SearchError) {
    guard let members = state.object else {
      throw .unusableState(method: "early_terminate", reason: "it was not saved by this version")
    }
    for (name, memory) in members {
      guard let trial = Int(name) else {
        throw .unusableState(method: "early_terminate", reason: "'\(name)' is no trial")
      }
      try restore(trial: trial, memory)
    }
  }
}
