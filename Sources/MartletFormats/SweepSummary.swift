// The ranked table of a sweep as CSV, a line at a time.

package import MartletModel
import MartletSearch
import OrderedCollections

/// The trials of a sweep, best first.
package struct SweepSummary: Sendable {
  /// One metric of one run.
  package struct MetricSummary: Sendable, Hashable {
    package var final: Double?
    package var min: Double?
    package var max: Double?

    package init(final: Double? = nil, min: Double? = nil, max: Double? = nil) {
      self.final = final
      self.min = min
      self.max = max
    }
  }

  /// What a line shows.
  package struct Row: Sendable {
    package var runName: String
    /// The word in the `state` column.
    package var state: String
    /// Flat, by dotted name.
    package var parameters: JSONObject
    /// Of what the sweep looks for.
    package var metric: MetricSummary
    /// The last `train_loss`, which ghost's tables show.
    package var trainLoss: Double?

    package init(
      runName: String, state: String, parameters: JSONObject, metric: MetricSummary, trainLoss: Double?
    ) {
      self.runName = runName
      self.state = state
      self.parameters = parameters
      self.metric = metric
      self.trainLoss = trainLoss
    }
  }

  /// The complete ones, best first; then those still running or ended early, those without a value, and the failed.
  package let ranked: [TrialStanding]
  private let objective: Objective?
  private let form: SweepSpecification.Form
  private let parameters: [String]

  package init(of specification: SweepSpecification, _ standings: [TrialStanding]) {
    objective = specification.objective
    form = specification.form
    parameters = specification.space.parameters.map(\.name)
    ranked = Self.rank(standings, by: specification.objective)
  }

  /// The best of the complete runs that have a value.
  package var best: TrialStanding? { ranked.first.flatMap { Self.group($0) == 0 ? $0 : nil } }

  /// The metric of which lines need the last value beside what the sweep looks for.
  package var secondMetric: String? {
    if case .ghost = form, objective != nil { "train_loss" } else { nil }
  }

  private static func rank(_ standings: [TrialStanding], by objective: Objective?) -> [TrialStanding] {
    standings.sorted { a, b in
      let groups = (group(a), group(b))
      if groups.0 != groups.1 { return groups.0 < groups.1 }
      if groups.0 < 2, let objective, let x = a.objective, let y = b.objective, x != y {
        return objective.isBetter(x, than: y)
      }
      return a.number < b.number
    }
  }

  private static func group(_ standing: TrialStanding) -> Int {
    switch standing.state {
    case .failed: 3
    case .complete where standing.objective?.isNaN == false: 0
    case .waiting, .running, .paused, .pruned, .complete: standing.objective?.isNaN == false ? 1 : 2
    }
  }

  // MARK: - CSV (RFC 4180, but that lines end with a bare newline, as every reader takes them)

  package var header: String {
    switch form {
    case .ghost:
      guard let metric = objective?.metric else { return Self.line(["run_name"]) }
      return Self.line(["run_name", "final_\(metric)", "\(extreme)_\(metric)", "final_train_loss"])
    case .sweep:
      let metrics = objective.map { ["final_\($0.metric)", "\(extreme)_\($0.metric)"] } ?? []
      return Self.line(["run_name", "state"] + parameters + metrics)
    }
  }

  package func line(_ row: Row) -> String {
    let best = objective?.goal == .maximize ? row.metric.max : row.metric.min
    let values = objective == nil ? [] : [Self.cell(row.metric.final), Self.cell(best)]
    switch form {
    case .ghost:
      return Self.line([row.runName] + (objective == nil ? [] : values + [Self.cell(row.trainLoss)]))
    case .sweep:
      return Self.line(
        [row.runName, row.state] + parameters.map { row.parameters[$0].map(PythonText.text) ?? "" } + values)
    }
  }

  private var extreme: String { objective?.goal == .maximize ? "max" : "min" }

  static func cell(_ value: Double?) -> String { value.map { PythonText.text($0) } ?? "" }

  static func line(_ cells: [String]) -> String { cells.map(quoted).joined(separator: ",") + "\n" }

  private static func quoted(_ cell: String) -> String {
    guard cell.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}
