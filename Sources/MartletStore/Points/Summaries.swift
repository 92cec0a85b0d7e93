// The aggregates of metrics, read back.

import GRDB
import MartletModel

extension StoreReader {
  func summaries(of runs: [Int64]) throws -> [Int64: [MetricSummary]] {
    let logged = try ofRuns(
      runs,
      """
      SELECT metric_summary.*, metric_key.name AS name FROM metric_summary
        JOIN metric_key ON metric_key.id = metric_summary.key_id
      WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, metric_key.name
      """
    ) { Self.summary($0, name: $0["name"]) }
    return try withDerived(logged, of: runs)
  }

  /// - Parameter limit: values of more bytes are left out.
  func loggedValues(of runs: [Int64], upTo limit: Int = .max) throws -> [Int64: [LoggedValue]] {
    try ofRuns(
      runs,
      """
      SELECT logged_value.*, metric_key.name AS name FROM logged_value
        JOIN metric_key ON metric_key.id = logged_value.key_id
      WHERE run_id IN (SELECT value FROM json_each(?)) AND length(CAST(logged_value.value AS BLOB)) <= ?
      ORDER BY run_id, metric_key.name
      """, [limit]
    ) { LoggedValue(name: $0["name"], value: try $0.json("value"), lastStep: $0["last_step"]) }
  }

  /// A metric's goal is that of its definition, else of the derived metric that it is, else of the sweep whose metric it is.
  static func withGoals(
    _ metrics: [MetricSummary], definitions: [MetricDefinition], sweepMetric: String?,
    sweepGoal: Objective.Goal?
  ) -> [MetricSummary] {
    guard !definitions.isEmpty || sweepMetric != nil else { return metrics }
    return metrics.map { metric in
      var metric = metric
      metric.goal =
        definitions.definition(of: metric.name)?.goal ?? metric.goal
        ?? (metric.name == sweepMetric ? sweepGoal : nil)
      return metric
    }
  }

  static func summary(_ row: some NamedColumns, name: String) -> MetricSummary {
    MetricSummary(
      name: name, last: row["last"] ?? .nan, lastStep: row["last_step"],
      lastTime: Timestamp(microseconds: row["last_at"]), min: row["min"], minStep: row["min_step"],
      max: row["max"],
      maxStep: row["max_step"], sum: row["sum"] ?? .nan, count: row["count"], nanCount: row["nan_count"])
  }

  static func placeholders(_ count: Int) -> String {
    Array(repeating: "?", count: count).joined(separator: ", ")
  }
}
