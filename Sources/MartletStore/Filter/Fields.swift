// The names that runs have, and how their values differ.

import Dispatch
import GRDB
package import MartletModel

extension StoreReader {
  /// How many of the newest runs are looked at for values.
  static let sampledRuns = 1_000
  /// Values that are looked at, and seconds that this takes, for the names of one kind: where the runs have more, fewer
  /// of them are looked at.
  static let sampledValues = 200_000
  private static let sampledSeconds = 2.0

  /// Ids of the newest runs.
  private func sample(_ project: Int64?) throws -> SQL {
    let scope: SQL = project.map { "project_id = \($0)" } ?? "1"
    return
      "SELECT id FROM run WHERE \(scope) AND deleted_at IS NULL ORDER BY id DESC LIMIT \(Self.sampledRuns)"
  }

  /// The names of a project's runs, or of all, the most frequent first.
  ///
  /// - Parameters:
  ///   - search: only names with this in them, in either case.
  ///   - limit: of each kind.
  /// - Throws: `Problem.notFound` for a project that is not there.
  package func fields(project name: String?, search: String?, limit: Int) throws -> FieldList {
    try limited {
      let project = try name.map { try requireProject($0) }
      var list = FieldList()
      list.config = try configFields(.config, project, search, limit)
      list.summary = try configFields(.summary, project, search, limit)
      list.metrics = try metricFields(project, search, limit)
      list.derived = try Row.fetchAll(
        db,
        sql: """
          SELECT DISTINCT name, expression FROM derived_metric
          WHERE (?1 IS NULL OR project_id = ?1) AND (?2 IS NULL OR instr(lower(name), lower(?2)) > 0)
          ORDER BY name LIMIT ?3
          """, arguments: [project, search, limit]
      ).map { (name: $0["name"], expression: $0["expression"]) }
      return list
    }
  }

  private static func found(_ column: String, _ search: String?) -> SQL {
    search.map { "instr(lower(\(sql: column)), lower(\($0))) > 0" } ?? "1"
  }

  private func configFields(
    _ space: ConfigSpace, _ project: Int64?, _ search: String?, _ limit: Int
  ) throws -> [ConfigFieldSummary] {
    let scope: SQL = project.map { "project_id = \($0)" } ?? "1"
    let keys = try SQLRequest<Row>(
      literal: """
        SELECT key_id, path, sum(runs) AS runs FROM project_config JOIN config_key ON config_key.id = key_id
        WHERE \(scope) AND space = \(space.rawValue) AND \(Self.found("path", search))
        GROUP BY key_id ORDER BY sum(runs) DESC, path LIMIT \(limit)
        """
    ).fetchAll(db)
    guard !keys.isEmpty else { return [] }
    let sample = try valueSample(project, Set(keys.map { $0["key_id"] as Int64 }))
    return keys.map { key in
      let found = sample.values[key["key_id"]]
      let count = found?.different.count ?? 0
      let runs = found?.runs ?? 0
      return ConfigFieldSummary(
        name: key["path"], runs: key["runs"], values: count,
        varies: count > 1 || count == 1 && runs < sample.runs)
    }
  }

  /// How the newest runs differ.
  struct ValueSample {
    /// By key; of values their hashes.
    var values: [Int64: (different: Set<Int>, runs: Int)] = [:]
    /// How many runs were looked at.
    var runs = 0
  }

  /// Looks at the values of some keys, from the newest run on, as long as that does not take too much.
  func valueSample(
    _ project: Int64?, _ keys: Set<Int64>, limit: Int = StoreReader.sampledValues
  ) throws -> ValueSample {
    let runs = try SQLRequest<Int64>(literal: try sample(project)).fetchAll(db)
    // A few keys are looked up; for many, all that a run has is read.
    let list = keys.sorted().map(String.init).joined(separator: ", ")
    let statement = try db.makeStatement(
      sql: "SELECT key_id, value FROM config_value WHERE run_id = ?"
        + (keys.count > 100 ? "" : " AND key_id IN (\(list))"))
    let end = DispatchTime.now().uptimeNanoseconds + UInt64(Self.sampledSeconds * 1e9)
    var found = ValueSample()
    var looked = 0
    for run in runs {
      let rows = try Row.fetchCursor(statement, arguments: [run])
      while let row = try rows.next() {
        looked += 1
        let key: Int64 = row[0]
        guard keys.contains(key) else { continue }
        found.values[key, default: ([], 0)].different.insert((row[1] as DatabaseValue).hashValue)
        found.values[key, default: ([], 0)].runs += 1
      }
      found.runs += 1
      if looked >= limit || DispatchTime.now().uptimeNanoseconds >= end { break }
    }
    return found
  }

  private func metricFields(_ project: Int64?, _ search: String?, _ limit: Int) throws -> [MetricFieldSummary]
  {
    let scope: SQL = project.map { "project_id = \($0)" } ?? "1"
    let rows = try SQLRequest<Row>(
      literal: """
        SELECT metric_key.name AS name, sum(runs) AS runs FROM project_metric JOIN metric_key ON metric_key.id = key_id
        WHERE \(scope) AND \(Self.found("metric_key.name", search))
        GROUP BY key_id ORDER BY sum(runs) DESC, metric_key.name LIMIT \(limit)
        """
    ).fetchAll(db)
    let goals = try goals(project)
    return rows.map { row in
      let name: String = row["name"]
      return MetricFieldSummary(name: name, runs: row["runs"], goal: goals.goal(of: name))
    }
  }

  /// What the newest runs and sweeps say.
  private func goals(_ project: Int64?) throws -> MetricGoals {
    let rows = try SQLRequest<Row>(
      literal: """
        SELECT name, goal FROM (\(try sample(project))) picked CROSS JOIN metric_definition ON run_id = picked.id
        WHERE goal IS NOT NULL ORDER BY run_id DESC
        """
    ).fetchAll(db)
    let sweeps = try Row.fetchAll(
      db,
      sql: """
        SELECT metric AS name, goal FROM sweep WHERE (?1 IS NULL OR project_id = ?1) AND metric IS NOT NULL
        ORDER BY id DESC LIMIT 100
        """, arguments: [project])
    var seen = Set<String>()
    var definitions: [MetricDefinition] = []
    for row in rows + sweeps {
      guard seen.insert(row["name"]).inserted else { continue }
      definitions.append(
        MetricDefinition(
          name: row["name"], goal: (row["goal"] as String?).flatMap(Objective.Goal.init(rawValue:))))
    }
    return MetricGoals(definitions: definitions, sweep: nil)
  }
}
