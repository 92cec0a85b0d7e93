// The ranked table of a sweep, and its CSV text.

import Foundation
package import MartletModel
import MartletSearch
package import OrderedCollections

/// The runs of a sweep, best first.
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

  /// One trial and its run.
  package struct Row: Sendable {
    package var number: Int
    package var runName: String
    package var trialState: TrialState
    /// The word in the `state` column.
    package var state: String
    /// Flat, by dotted name.
    package var parameters: JSONObject
    package var metrics: [String: MetricSummary]
    /// What the run is ranked by.
    package var objective: Double?

    package init(
      number: Int, runName: String, trialState: TrialState, state: String, parameters: JSONObject,
      metrics: [String: MetricSummary], objective: Double?
    ) {
      self.number = number
      self.runName = runName
      self.trialState = trialState
      self.state = state
      self.parameters = parameters
      self.metrics = metrics
      self.objective = objective
    }
  }

  /// The complete ones, best first; then those still running or ended early, those without a value, and the failed.
  package let ranked: [Row]
  private let objective: Objective?
  private let form: SweepSpecification.Form
  private let parameters: [String]

  package init(of specification: SweepSpecification, rows: [Row]) {
    objective = specification.objective
    form = specification.form
    parameters = specification.space.parameters.map(\.name)
    ranked = Self.rank(rows, by: specification.objective)
  }

  /// The best of the complete runs that have a value.
  package var best: Row? { ranked.first { Self.group($0) == 0 } }

  package static func rank(_ rows: [Row], by objective: Objective?) -> [Row] {
    rows.sorted { a, b in
      let groups = (group(a), group(b))
      if groups.0 != groups.1 { return groups.0 < groups.1 }
      if groups.0 < 2, let objective, let x = a.objective, let y = b.objective, x != y {
        return objective.isBetter(x, than: y)
      }
      return a.number < b.number
    }
  }

  private static func group(_ row: Row) -> Int {
    switch row.trialState {
    case .failed: 3
    case .complete where row.objective?.isNaN == false: 0
    case .waiting, .running, .paused, .pruned, .complete: row.objective?.isNaN == false ? 1 : 2
    }
  }

  // MARK: - CSV

  /// RFC 4180 with a header, but that lines end with a bare newline, as every reader takes them.
  package var csv: String {
    ([header] + ranked.map(cells)).map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
  }

  private var header: [String] {
    switch form {
    case .ghost:
      guard let metric = objective?.metric else { return ["run_name"] }
      return ["run_name", "final_\(metric)", "\(extreme)_\(metric)", "final_train_loss"]
    case .sweep:
      let metrics = objective.map { ["final_\($0.metric)", "\(extreme)_\($0.metric)"] } ?? []
      return ["run_name", "state"] + parameters + metrics
    }
  }

  private func cells(_ row: Row) -> [String] {
    let metric = objective.flatMap { row.metrics[$0.metric] }
    let values = objective == nil ? [] : [Self.cell(metric?.final), Self.cell(best(of: metric))]
    switch form {
    case .ghost:
      guard objective != nil else { return [row.runName] }
      return [row.runName] + values + [Self.cell(row.metrics["train_loss"]?.final)]
    case .sweep:
      return [row.runName, row.state] + parameters.map { row.parameters[$0].map(PythonText.text) ?? "" }
        + values
    }
  }

  private var extreme: String { objective?.goal == .maximize ? "max" : "min" }

  private func best(of metric: MetricSummary?) -> Double? {
    objective?.goal == .maximize ? metric?.max : metric?.min
  }

  private static func cell(_ value: Double?) -> String { value.map { PythonText.text($0) } ?? "" }

  static func quoted(_ cell: String) -> String {
    guard cell.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}

/// What stands beside a copied best checkpoint, in `best_model_metadata.json`.
package struct BestModel: Sendable {
  /// SHA-256 of what was copied, in hexadecimal digits.
  package enum Digest: Sendable, Hashable {
    case file(String)
    /// Of each file of a folder, by its path in it.
    case folder(OrderedDictionary<String, String>)
  }

  package var runName: String
  package var runID: PublicID
  package var sweep: String
  /// Nested, as the file has them.
  package var parameters: JSONValue
  package var objective: Objective
  package var value: Double
  /// Where the checkpoint was copied from.
  package var sourcePath: String
  package var digest: Digest
  package var command: [String]
  package var gitCommit: String?
  /// When it was copied.
  package var time: Timestamp

  package init(
    runName: String, runID: PublicID, sweep: String, parameters: JSONValue, objective: Objective,
    value: Double,
    sourcePath: String, digest: Digest, command: [String], gitCommit: String?, time: Timestamp
  ) {
    self.runName = runName
    self.runID = runID
    self.sweep = sweep
    self.parameters = parameters
    self.objective = objective
    self.value = value
    self.sourcePath = sourcePath
    self.digest = digest
    self.command = command
    self.gitCommit = gitCommit
    self.time = time
  }

  /// The members of the file; `time` is ISO 8601 in UTC, since people read it. Of a folder `sha256` is null, and `files`
  /// has one for each of its files.
  package var metadata: JSONValue {
    var members: JSONObject = [
      "run_name": .string(runName), "run_id": .string(runID.rawValue), "sweep": .string(sweep),
      "parameters": parameters,
      "objective": [
        "name": .string(objective.metric), "goal": .string(objective.goal.rawValue), "value": .double(value),
      ],
      "source_path": .string(sourcePath),
    ]
    switch digest {
    case .file(let hash): members["sha256"] = .string(hash)
    case .folder(let hashes):
      members["sha256"] = .null
      members["files"] = .object(
        JSONObject(uniqueKeysWithValues: hashes.map { ($0.key, .string($0.value)) }))
    }
    members["command"] = JSONValue(command)
    members["git_commit"] = JSONValue(gitCommit)
    members["time"] = .string(
      Date(timeIntervalSince1970: Double(time.microseconds) / 1e6).formatted(.iso8601))
    return .object(members)
  }
}
