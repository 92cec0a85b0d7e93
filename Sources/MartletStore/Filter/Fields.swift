// The names that runs have, and how their values differ.

import GRDB
package import MartletModel

extension StoreReader {
  /// How many of the newest runs are looked at for values.
  static let sampledRuns = 1_000

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
    let sample = try sample(project)
    let sampled = try SQLRequest<Int>(literal: "SELECT count(*) FROM (\(sample))").fetchOne(db) ?? 0
    let values = try SQLRequest<Row>(
      literal: """
        SELECT key_id, count(DISTINCT value) + (count(value) < count(*)) AS n, count(*) AS runs
        FROM (\(sample)) picked CROSS JOIN config_value ON run_id = picked.id GROUP BY key_id
        """
    ).fetchAll(db)
    let byKey = Dictionary(uniqueKeysWithValues: values.map { ($0["key_id"] as Int64, $0) })
    return keys.map { key in
      let found = byKey[key["key_id"]]
      let count: Int = found?["n"] ?? 0
      let runs: Int = found?["runs"] ?? 0
      return ConfigFieldSummary(
        name: key["path"], runs: key["runs"], values: count, varies: count > 1 || count == 1 && runs < sampled
      )
    }
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
