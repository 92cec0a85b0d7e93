// Where the values of a field lie: a table with a row for each run that has it, or columns of `run`.

import GRDB
import MartletModel

/// A table, called `s` in what is built of it, with `run_id` and a value.
struct FieldSource {
  var table: SQL
  /// Which of its rows are the field's.
  var keys: SQL
  /// Whether a row of these has the value.
  var isThere: SQL
  /// NULL: NaN.
  var value: SQL
  /// A number, or NULL.
  var isNumber: Bool
  /// The index whose order is (key, value, run); nil: the value is computed.
  var index: SQL?
  /// Whether a value can be sorted by: those that cannot count as missing.
  var isSortable: SQL
  /// The table is a short list, made for this question, which is read as a whole.
  var isList = false

  /// Whether the run of a row id has a row of which `condition` holds.
  func has(_ run: SQL, _ condition: SQL) -> SQL {
    isList
      ? "\(run) IN (SELECT s.run_id FROM \(table) s WHERE \(condition))"
      : "EXISTS (SELECT 1 FROM \(table) s WHERE s.run_id = \(run) AND \(keys) AND \(condition))"
  }
}

extension FilterSQL {
  /// Nil: the field is an attribute, or nothing is known of its name.
  func source(of subject: FilterSubject) throws -> FieldSource? {
    switch subject {
    case .attribute: nil
    case .config(let path): try reader.configKey(.config, path).map(Self.configSource)
    case .summary(let name): try reader.configKey(.summary, name).map(Self.configSource)
    case .metric(let name, .at(let step)), .derived(let name, .at(let step)):
      try steps.source(name, step, project: project, reader)
    case .metric(let name, let aggregate):
      try reader.metricKey(name).map { Self.metricSource("metric_summary", "s.key_id = \($0)", aggregate) }
    case .derived(let name, let aggregate): try derivedSource(name, aggregate)
    }
  }

  private static func configSource(_ key: Int64) -> FieldSource {
    FieldSource(
      table: "config_value", keys: "s.key_id = \(key)", isThere: "1", value: "s.value", isNumber: false,
      index: "config_value_by_value", isSortable: "s.value IS NOT NULL AND s.value IS NOT x'03'")
  }

  private static func metricSource(
    _ table: String, _ keys: SQL, _ aggregate: FilterAggregate, best: SQL = "s.best"
  ) -> FieldSource {
    func column(_ name: String) -> FieldSource {
      FieldSource(
        table: SQL(sql: table), keys: keys, isThere: SQL(sql: "s.\(name) IS NOT NULL"),
        value: SQL(sql: "s.\(name)"),
        isNumber: true, index: SQL(sql: "\(table)_\(name)"), isSortable: SQL(sql: "s.\(name) IS NOT NULL"))
    }
    switch aggregate {
    case .last:
      var source = column("last")
      source.isThere = "s.count > 0"
      return source
    case .min: return column("min")
    case .max: return column("max")
    case .best:
      if table == "metric_summary" { return column("best") }
      return FieldSource(
        table: SQL(sql: table), keys: keys, isThere: "\(best) IS NOT NULL", value: best, isNumber: true,
        index: nil,
        isSortable: "\(best) IS NOT NULL")
    case .mean:
      let mean: SQL = "(s.sum / (s.count - s.nan_count))"
      return FieldSource(
        table: SQL(sql: table), keys: keys, isThere: "s.count > s.nan_count", value: mean, isNumber: true,
        index: nil, isSortable: "s.count > s.nan_count AND \(mean) IS NOT NULL")
    case .at:
      return FieldSource(
        table: SQL(sql: table), keys: keys, isThere: never, value: "NULL", isNumber: true, index: nil,
        isSortable: never)
    }
  }

  /// A derived metric belongs to a project: over all, each project's of that name.
  private func derivedSource(_ name: String, _ aggregate: FilterAggregate) throws -> FieldSource? {
    let rows = try Row.fetchAll(
      reader.db,
      sql: "SELECT id, goal FROM derived_metric WHERE name = ?1 AND (?2 IS NULL OR project_id = ?2)",
      arguments: [name, project])
    guard !rows.isEmpty else { return nil }
    let goals = Set(rows.map { $0["goal"] as String? })
    if aggregate == .best, goals.count == 1, let only = goals.first {
      // One goal for all: best is a column of its own.
      guard let only else { return nil }
      return try derivedSource(name, only == "minimize" ? .min : .max)
    }
    let ids = rows.map { "\($0["id"] as Int64)" as SQL }
    let keys: SQL =
      ids.count == 1 ? "s.derived_id = \(ids[0])" : "s.derived_id IN (\(ids.joined(separator: ", ")))"
    var source = Self.metricSource(
      "derived_summary", keys, aggregate,
      best: """
        (CASE (SELECT goal FROM derived_metric WHERE derived_metric.id = s.derived_id)
          WHEN 'minimize' THEN s.min WHEN 'maximize' THEN s.max END)
        """)
    // Of several keys an index has each in its own order.
    if ids.count > 1 { source.index = nil }
    return source
  }
}

extension StoreReader {
  /// Nil: no run has logged this name.
  func metricKey(_ name: String) throws -> Int64? {
    try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT id FROM metric_key WHERE name = ?"), arguments: [name])
  }
}

/// What names the runs of a project have, or of all.
struct StoreCatalog: FilterCatalog {
  let reader: StoreReader
  /// Nil: all.
  let project: Int64?

  func hasMetric(_ name: String) throws -> Bool {
    guard let key = try reader.metricKey(name) else { return false }
    return try has(key, in: "project_metric")
  }

  /// Over all projects a name that was logged is the logged one: another project may compute it.
  func hasDerived(_ name: String) throws -> Bool {
    if project == nil, try hasMetric(name) { return false }
    return try Bool.fetchOne(
      reader.db,
      sql: "SELECT EXISTS (SELECT 1 FROM derived_metric WHERE name = ?1 AND (?2 IS NULL OR project_id = ?2))",
      arguments: [name, project]) ?? false
  }

  func hasConfig(_ path: String) throws -> Bool {
    guard let key = try reader.configKey(.config, path) else { return false }
    return try has(key, in: "project_config")
  }

  func hasSummary(_ name: String) throws -> Bool {
    guard let key = try reader.configKey(.summary, name) else { return false }
    return try has(key, in: "project_config")
  }

  private func has(_ key: Int64, in counts: String) throws -> Bool {
    let scope = project == nil ? "?2 IS NULL" : "project_id = ?2"
    return try Bool.fetchOne(
      reader.db.cachedStatement(
        sql: "SELECT EXISTS (SELECT 1 FROM \(counts) WHERE key_id = ?1 AND \(scope))"),
      arguments: [key, project]) ?? false
  }

  /// The names that most runs have.
  func names() throws -> [String] {
    let scope = project == nil ? "?1 IS NULL" : "project_id = ?1"
    return try String.fetchAll(
      reader.db,
      sql: """
        SELECT name FROM (
          SELECT metric_key.name AS name, sum(runs) AS n FROM project_metric JOIN metric_key ON metric_key.id = key_id
            WHERE \(scope) GROUP BY key_id
          UNION ALL
          SELECT config_key.path, sum(runs) FROM project_config JOIN config_key ON config_key.id = key_id
            WHERE \(scope) GROUP BY key_id
          UNION ALL
          SELECT name, 1 FROM derived_metric WHERE \(scope))
        ORDER BY n DESC LIMIT 3000
        """, arguments: [project])
  }
}
