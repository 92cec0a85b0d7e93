// What runs say of their metrics, and values that were set in their summaries.

import GRDB
package import MartletModel
import OrderedCollections

extension StoreReader {
  /// By name.
  package func metricDefinitions(of run: PublicID) throws -> [MetricDefinition] {
    let row = try requireRunRow(run)
    return try metricDefinitions(of: [row])[row] ?? []
  }

  func metricDefinitions(of runs: [Int64]) throws -> [Int64: [MetricDefinition]] {
    try ofRuns(
      runs,
      """
      SELECT * FROM metric_definition WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, name
      """
    ) { row in
      MetricDefinition(
        name: row["name"], summary: (row["summary"] as String?).flatMap(MetricDefinition.Summary.init),
        stepMetric: row["step_metric"], goal: (row["goal"] as String?).flatMap(Objective.Goal.init),
        isHidden: row["hidden"])
    }
  }

  func summaryValues(of runs: [Int64]) throws -> [Int64: [SummaryValue]] {
    try ofRuns(
      runs,
      "SELECT * FROM summary_value WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY run_id, name"
    ) {
      SummaryValue(
        name: $0["name"], value: try $0.json("value"), setAt: Timestamp(microseconds: $0["set_at"]))
    }
  }
}

extension StoreWriter {
  /// Defines metrics of a run by name, each in place of the name's old definition; nil takes that away.
  func define(_ definitions: OrderedDictionary<String, MetricDefinition?>, of run: Int64) throws {
    for (name, definition) in definitions {
      guard let definition else {
        try db.execute(
          sql: "DELETE FROM metric_definition WHERE run_id = ? AND name = ?",
          arguments: [run, name.inNormalForm])
        continue
      }
      try db.execute(
        sql: """
          INSERT INTO metric_definition (run_id, name, summary, step_metric, goal, hidden) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (run_id, name) DO UPDATE SET summary = excluded.summary, step_metric = excluded.step_metric,
            goal = excluded.goal, hidden = excluded.hidden
          """,
        arguments: [
          run, name.inNormalForm, definition.summary?.rawValue, definition.stepMetric?.inNormalForm,
          definition.goal?.rawValue, definition.isHidden,
        ])
    }
    try refreshBest(of: run)
  }

  /// Sets values in a run's summary, which stand before what was logged; null takes one away again.
  func setSummary(_ values: JSONObject, of run: Int64, now: Timestamp) throws {
    for (name, value) in values {
      try indexSummary(name.inNormalForm, value.isNull ? Optional.none : value, of: run)
      guard !value.isNull else {
        try db.execute(
          sql: "DELETE FROM summary_value WHERE run_id = ? AND name = ?",
          arguments: [run, name.inNormalForm])
        continue
      }
      try db.execute(
        sql: """
          INSERT INTO summary_value (run_id, name, value, set_at) VALUES (?, ?, ?, ?)
          ON CONFLICT (run_id, name) DO UPDATE SET value = excluded.value, set_at = excluded.set_at
          """, arguments: [run, name.inNormalForm, value.text, now.microseconds])
    }
  }
}
