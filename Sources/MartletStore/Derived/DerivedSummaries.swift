// The aggregates of derived metrics: computed of a run as it is, written down, read back.

import GRDB
package import MartletModel
import MartletSeries
import OrderedCollections

/// What was computed of a run, and from which state of it.
struct DerivedPlan {
  var run: Int64
  var id: PublicID
  var project: Int64
  var rows: Int64
  var rewrites: Int64
  var config: String
  var definitions: [StoredDerivedMetric]
  /// By the row of the definition.
  var summaries: [(derived: Int64, summary: RunningSummary)]
}

extension StoreReader {
  /// Computes a run's derived metrics anew; nil: there are none, or they are up to date.
  ///
  /// - Parameter always: also where they are up to date.
  func derivedPlan(of run: Int64, always: Bool = false) throws -> DerivedPlan? {
    let statement = try db.cachedStatement(
      sql: "SELECT public_id, project_id, rows, rewrites, config FROM run WHERE id = ? AND purge IS NULL")
    guard let row = try Row.fetchOne(statement, arguments: [run]),
      let id = PublicID(rawValue: row["public_id"])
    else { return nil }
    var plan = DerivedPlan(
      run: run, id: id, project: row["project_id"], rows: row["rows"], rewrites: row["rewrites"],
      config: row["config"], definitions: [], summaries: [])
    plan.definitions = try storedDerivedMetrics(inProject: plan.project)
    guard !plan.definitions.isEmpty, try always || !isUpToDate(plan) else { return nil }
    let all = DerivedExpressions(plan.definitions.map(\.metric))
    let derived = try derived(of: run)
    let reading = DerivedReading(reader: self, run: run, derived: derived)
    for definition in plan.definitions {
      // A name that the run has logged means what was logged, so that whoever looks here finds it.
      let expression = all.expanded(definition.metric.name) { derived.keys[$0] != nil }
      plan.summaries.append(
        (definition.row, try expression.map { try reading.summary(of: $0) } ?? RunningSummary()))
    }
    return plan
  }

  /// As `derivedPlan`; nil also where the run's points are damaged, or there is no such run.
  func soundDerivedPlan(of id: PublicID) throws -> DerivedPlan? {
    guard let run = try runRow(id) else { return nil }
    do {
      return try derivedPlan(of: run)
    } catch let problem as Problem where problem.code == .internal {
      return nil
    }
  }

  private func isUpToDate(_ plan: DerivedPlan) throws -> Bool {
    let count = try Int.fetchOne(
      db.cachedStatement(
        sql: """
          SELECT count(*) FROM derived_summary
            JOIN derived_metric ON derived_metric.id = derived_summary.derived_id
          WHERE run_id = ? AND project_id = ? AND rows = ? AND rewrites = ?
          """), arguments: [plan.run, plan.project, plan.rows, plan.rewrites])
    return count == plan.definitions.count
  }

  /// With what is derived of these runs beside what they logged, by name.
  func withDerived(
    _ logged: [Int64: [MetricSummary]], of runs: [Int64]
  ) throws -> [Int64: [MetricSummary]] {
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT derived_summary.*, derived_metric.name AS name, derived_metric.goal AS goal
        FROM derived_summary INDEXED BY derived_summary_by_run
          JOIN derived_metric ON derived_metric.id = derived_summary.derived_id
          JOIN run ON run.id = derived_summary.run_id
        WHERE run_id IN (\(Self.placeholders(runs.count))) AND count > 0
          AND derived_metric.project_id = run.project_id
        """, arguments: StatementArguments(runs))
    guard !rows.isEmpty else { return logged }
    var all = logged
    for row in rows {
      let (run, name): (Int64, String) = (row["run_id"], row["name"])
      guard all[run]?.contains(where: { $0.name == name }) != true else { continue }
      var summary = Self.summary(row, name: name)
      summary.isDerived = true
      summary.goal = (row["goal"] as String?).flatMap(Objective.Goal.init)
      all[run, default: []].append(summary)
    }
    return all.mapValues { metrics in
      metrics.contains(where: \.isDerived) ? metrics.sorted { $0.name < $1.name } : metrics
    }
  }
}

extension StoreWriter {
  /// Computes what is derived of a run and not up to date, in this transaction.
  ///
  /// Where its points are damaged nothing is derived: whoever reads them is told, and 'martlet doctor' finds them.
  package func deriveNow(_ id: PublicID) throws {
    if let plan = try soundDerivedPlan(of: id) { try write(plan) }
  }

  /// Writes what was computed, unless something newer is known, or it was computed from what is no more.
  func write(_ plan: DerivedPlan) throws {
    let statement = try db.cachedStatement(
      sql: """
        SELECT project_id, rewrites, config,
          (SELECT max(rows) FROM derived_summary WHERE run_id = run.id AND rewrites = run.rewrites) AS known
        FROM run WHERE id = ? AND purge IS NULL
        """)
    guard let row = try Row.fetchOne(statement, arguments: [plan.run]), row["project_id"] == plan.project,
      row["rewrites"] == plan.rewrites, row["config"] == plan.config,
      (row["known"] as Int64?).map({ $0 <= plan.rows }) ?? true,
      try storedDerivedMetrics(inProject: plan.project) == plan.definitions
    else { return }
    try db.executeCached(sql: "DELETE FROM derived_summary WHERE run_id = ?", arguments: [plan.run])
    for (derived, summary) in plan.summaries { try insert(summary, derived: derived, plan) }
  }

  private func insert(_ summary: RunningSummary, derived: Int64, _ plan: DerivedPlan) throws {
    let statement = try RawStatement(
      db,
      """
      INSERT INTO derived_summary (derived_id, run_id, rows, rewrites, last, last_step, last_at, min, min_step, max,
        max_step, sum, count, nan_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    try statement.bind(1, derived)
    try statement.bind(2, plan.run)
    try statement.bind(3, plan.rows)
    try statement.bind(4, plan.rewrites)
    let hasPoint = summary.count > 0
    try statement.bind(5, summary.last)
    try statement.bind(6, hasPoint ? summary.lastStep : nil)
    try statement.bind(7, hasPoint ? summary.lastTime : nil)
    try statement.bind(8, summary.hasNumbers ? summary.min : .nan)
    try statement.bind(9, summary.hasNumbers ? summary.minStep : nil)
    try statement.bind(10, summary.hasNumbers ? summary.max : .nan)
    try statement.bind(11, summary.hasNumbers ? summary.maxStep : nil)
    try statement.bind(12, summary.sum)
    try statement.bind(13, summary.count)
    try statement.bind(14, summary.nanCount)
    try statement.run()
  }

  /// Says that what is derived of a run has to be computed anew, because its configuration changed.
  func outdateDerived(of run: Int64) throws {
    try db.executeCached(
      sql: "UPDATE derived_summary SET rewrites = -1 WHERE run_id = ?", arguments: [run])
    hot.tell(.reconfigured(run: run))
  }
}
