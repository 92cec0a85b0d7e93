// The better of a metric's minimum and maximum, kept beside them for runs that say which way is better.

import GRDB
import MartletModel

/// The goals of a run's metrics: of its definitions, else of its sweep.
struct MetricGoals {
  private let definitions: [MetricDefinition]
  private let sweep: Objective?

  init(definitions: [MetricDefinition], sweep: Objective?) {
    // One without a goal has a part in it only beside others: it stands before those of shorter beginnings.
    self.definitions = definitions.contains { $0.goal != nil } ? definitions : []
    self.sweep = sweep
  }

  var isEmpty: Bool { definitions.isEmpty && sweep == nil }

  /// Nil: nobody said.
  func goal(of metric: String) -> Objective.Goal? {
    definitions.definition(of: metric)?.goal ?? (sweep?.metric == metric ? sweep?.goal : nil)
  }
}

extension StoreReader {
  func metricGoals(of run: Int64) throws -> MetricGoals {
    let row = try Row.fetchOne(
      db.cachedStatement(
        sql: "SELECT metric, goal FROM sweep WHERE id = (SELECT sweep_id FROM run WHERE id = ?)"),
      arguments: [run])
    var sweep: Objective?
    if let metric = row?["metric"] as String?,
      let goal = (row?["goal"] as String?).flatMap(Objective.Goal.init(rawValue:))
    {
      sweep = Objective(metric: metric, goal: goal)
    }
    return MetricGoals(definitions: try metricDefinitions(of: [run])[run] ?? [], sweep: sweep)
  }
}

extension StoreWriter {
  /// Sets the best values of a run's metrics anew, where they have changed.
  func refreshBest(of run: Int64) throws {
    let goals = try metricGoals(of: run)
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT key_id, name, min, max, best FROM metric_summary JOIN metric_key ON metric_key.id = key_id
        WHERE run_id = ?
        """, arguments: [run])
    let update = try db.cachedStatement(
      sql: "UPDATE metric_summary SET best = ? WHERE run_id = ? AND key_id = ?")
    for row in rows {
      let best: Double? =
        switch goals.goal(of: row["name"]) {
        case .minimize: row["min"]
        case .maximize: row["max"]
        case nil: nil
        }
      if best != row["best"] as Double? {
        try update.execute(arguments: [best, run, row["key_id"] as Int64])
      }
    }
    hot.forget(run)
  }
}
