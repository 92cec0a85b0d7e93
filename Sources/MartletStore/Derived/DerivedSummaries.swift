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
  /// All of the project.
  var definitions: [StoredDerivedMetric]
  /// By the row of the definition.
  var summaries: [(derived: Int64, summary: RunningSummary)] = []
  /// Names of those that take too much in this run, and have no points here.
  var tooLarge: [String] = []
  /// There is more to compute than one snapshot should be held for.
  var isPart = false
}

extension StoreReader {
  /// Computes those of a run's derived metrics that are not up to date; nil: there are none.
  ///
  /// - Parameters:
  ///   - always: all, also where they are up to date.
  ///   - name: this one alone.
  ///   - isOver: whether it is wanted no more.
  ///   - limit: parts times rows that one of them may take, and all that are computed at a time.
  /// - Throws: `CancellationError`; `Problem.internal` where the run's points are damaged.
  func derivedPlan(
    of run: Int64, always: Bool = false, only name: String? = nil, limit: Int = DerivedEffort.ofSnapshot,
    until isOver: @escaping () -> Bool = { false }
  ) throws -> DerivedPlan? {
    let statement = try db.cachedStatement(
      sql: "SELECT public_id, project_id, rows, rewrites, config FROM run WHERE id = ? AND purge IS NULL")
    guard let row = try Row.fetchOne(statement, arguments: [run]),
      let id = PublicID(rawValue: row["public_id"])
    else { return nil }
    var plan = DerivedPlan(
      run: run, id: id, project: row["project_id"], rows: row["rows"], rewrites: row["rewrites"],
      config: row["config"], definitions: [])
    plan.definitions = try storedDerivedMetrics(inProject: plan.project)
    let current: Set<Int64> =
      try always || plan.definitions.isEmpty ? [] : currentDerived(of: plan)
    let due = plan.definitions.filter { definition in
      !current.contains(definition.row) && name.map { $0 == definition.metric.name } ?? true
    }
    guard !due.isEmpty else { return nil }
    let all = ParsedExpressions.all(plan.definitions)
    let derived = try derived(of: run, due.map(\.metric.name), from: all)
    var chosen: [(row: Int64, expression: MetricExpression)] = []
    var left = limit
    for definition in due {
      // A name that the run has logged means what was logged, so that whoever looks here finds it.
      let expression = all.expanded(definition.metric.name) { derived.keys[$0] != nil }
      // A run has no more steps than rows.
      let (cost, isHuge) = (expression?.size ?? 0).multipliedReportingOverflow(by: Int(plan.rows))
      guard let expression, !isHuge, cost <= limit else {
        if expression != nil { plan.tooLarge.append(definition.metric.name) }
        plan.summaries.append((definition.row, RunningSummary()))
        continue
      }
      guard cost <= left || always else {
        plan.isPart = true
        continue
      }
      left -= cost
      chosen.append((definition.row, expression))
    }
    let effort = DerivedEffort(.max, until: isOver)
    let reading = DerivedReading(reader: self, run: run, derived: derived, effort: effort)
    let summaries = try reading.summaries(of: chosen.map(\.expression))
    plan.summaries += zip(chosen, summaries).map { (derived: $0.row, summary: $1) }
    return plan
  }

  /// Rows of the definitions whose aggregates are those of the run as it is.
  private func currentDerived(of plan: DerivedPlan) throws -> Set<Int64> {
    let statement = try db.cachedStatement(
      sql: "SELECT derived_id FROM derived_summary WHERE run_id = ? AND rows = ? AND rewrites = ?")
    return try Set(Int64.fetchAll(statement, arguments: [plan.run, plan.rows, plan.rewrites]))
  }

  /// The derived metric that the sweep of a run looks for, where the run has not logged it itself.
  private func derivedObjective(of id: PublicID) throws -> (run: Int64, name: String)? {
    let statement = try db.cachedStatement(
      sql: """
        SELECT run.id, derived_metric.name FROM run JOIN sweep ON sweep.id = run.sweep_id
          JOIN derived_metric ON derived_metric.project_id = run.project_id AND derived_metric.name = sweep.metric
        WHERE run.public_id = ? AND run.purge IS NULL AND NOT EXISTS (
          SELECT 1 FROM metric_summary WHERE run_id = run.id
            AND key_id = (SELECT id FROM metric_key WHERE name = sweep.metric))
        """)
    return try Row.fetchOne(statement, arguments: [id.rawValue]).map { ($0[0], $0[1]) }
  }

  /// Computes what the sweep of a run looks for; nil: it is not derived, or up to date.
  func objectivePlan(of id: PublicID, until isOver: @escaping () -> Bool) throws -> DerivedPlan? {
    guard let (run, name) = try derivedObjective(of: id) else { return nil }
    return try derivedPlan(of: run, only: name, until: isOver)
  }

  /// Whether what the sweep of a run looks for is derived, and has to be computed anew: the run changed since, or the
  /// definition did.
  package func isObjectiveOutdated(of id: PublicID) throws -> Bool {
    guard let (run, name) = try derivedObjective(of: id) else { return false }
    let statement = try db.cachedStatement(
      sql: """
        SELECT EXISTS (SELECT 1 FROM derived_summary JOIN derived_metric ON derived_metric.id = derived_id
          JOIN run ON run.id = run_id
          WHERE run_id = ? AND derived_metric.name = ? AND derived_metric.project_id = run.project_id
            AND derived_summary.rows = run.rows AND derived_summary.rewrites = run.rewrites)
        """)
    return try Bool.fetchOne(statement, arguments: [run, name]) != true
  }

  /// With what is derived of these runs beside what they logged, by name.
  func withDerived(
    _ logged: [Int64: [MetricSummary]], of runs: [Int64]
  ) throws -> [Int64: [MetricSummary]] {
    let derived = try ofRuns(
      runs,
      """
      SELECT derived_summary.*, derived_metric.name AS name, derived_metric.goal AS goal
      FROM derived_summary INDEXED BY derived_summary_by_run
        JOIN derived_metric ON derived_metric.id = derived_summary.derived_id
        JOIN run ON run.id = derived_summary.run_id
      WHERE run_id IN (SELECT value FROM json_each(?)) AND count > 0
        AND derived_metric.project_id = run.project_id
      """
    ) { row in
      var summary = Self.summary(row, name: row["name"])
      summary.isDerived = true
      summary.goal = (row["goal"] as String?).flatMap(Objective.Goal.init)
      return summary
    }
    guard !derived.isEmpty else { return logged }
    var all = logged
    for (run, summaries) in derived {
      let names = Set((logged[run] ?? []).map(\.name))
      all[run, default: []] += summaries.filter { !names.contains($0.name) }
    }
    return all.mapValues { metrics in
      metrics.contains(where: \.isDerived) ? metrics.sorted { $0.name < $1.name } : metrics
    }
  }
}

extension StoreWriter {
  /// Writes what was computed, unless something newer is known, or it was computed from what is no more.
  func write(_ plan: DerivedPlan) throws {
    let statement = try db.cachedStatement(
      sql: """
        SELECT project_id, rewrites, config FROM run WHERE id = ? AND purge IS NULL
        """)
    guard let row = try Row.fetchOne(statement, arguments: [plan.run]), row["project_id"] == plan.project,
      row["rewrites"] == plan.rewrites, row["config"] == plan.config,
      try storedDerivedMetrics(inProject: plan.project) == plan.definitions
    else { return }
    for (derived, summary) in plan.summaries { try insert(summary, derived: derived, plan) }
  }

  private func insert(_ summary: RunningSummary, derived: Int64, _ plan: DerivedPlan) throws {
    let statement = try RawStatement(
      db,
      """
      INSERT INTO derived_summary (derived_id, run_id, rows, rewrites, last, last_step, last_at, min, min_step, max,
        max_step, sum, count, nan_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (derived_id, run_id) DO UPDATE SET rows = excluded.rows, rewrites = excluded.rewrites,
        last = excluded.last, last_step = excluded.last_step, last_at = excluded.last_at, min = excluded.min,
        min_step = excluded.min_step, max = excluded.max, max_step = excluded.max_step, sum = excluded.sum,
        count = excluded.count, nan_count = excluded.nan_count
      WHERE derived_summary.rewrites != excluded.rewrites OR derived_summary.rows <= excluded.rows
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
    try tellReconfigured(run)
  }

  func tellReconfigured(_ run: Int64) throws {
    let hasEnded = try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT ended_at IS NOT NULL FROM run WHERE id = ?"), arguments: [run])
    hot.tell(.reconfigured(run: run, hasEnded: hasEnded ?? true))
  }
}
