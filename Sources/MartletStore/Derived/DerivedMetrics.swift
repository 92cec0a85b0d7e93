// The derived metrics of projects: defined, read, taken away.

import GRDB
package import MartletModel
import OrderedCollections

/// A derived metric and its row.
struct StoredDerivedMetric: Hashable {
  var row: Int64
  var metric: DerivedMetric
}

extension StoreReader {
  /// A project's derived metrics, by name.
  ///
  /// - Parameter project: its row.
  package func derivedMetrics(inProject project: Int64) throws -> [DerivedMetric] {
    try storedDerivedMetrics(inProject: project).map(\.metric)
  }

  /// By name or public id of the project.
  ///
  /// - Throws: `Problem.notFound`.
  package func derivedMetrics(inProject project: String) throws -> [DerivedMetric] {
    try derivedMetrics(inProject: try requireProjectRow(project))
  }

  /// The names of a project's derived metrics; none where there is no such project yet.
  package func derivedNames(inProject project: String) throws -> Set<String> {
    guard let row = try projectRowID(project) else { return [] }
    return Set(try derivedMetrics(inProject: row).map(\.name))
  }

  func storedDerivedMetrics(inProject project: Int64) throws -> [StoredDerivedMetric] {
    let statement = try db.cachedStatement(
      sql: """
        SELECT derived_metric.*, principal.name AS creator_name
        FROM derived_metric JOIN principal ON principal.id = derived_metric.created_by
        WHERE project_id = ? ORDER BY derived_metric.name
        """)
    return try Row.fetchAll(statement, arguments: [project]).map { row in
      StoredDerivedMetric(
        row: row["id"],
        metric: DerivedMetric(
          name: row["name"], expression: row["expression"], description: row["description"],
          goal: (row["goal"] as String?).flatMap(Objective.Goal.init),
          createdAt: Timestamp(microseconds: row["created_at"]), createdBy: row["creator_name"]))
    }
  }

  private func requireProjectRow(_ nameOrID: String) throws -> Int64 {
    guard let row = try projectRowID(nameOrID) else {
      let hint = nearest(to: nameOrID, in: try projectNames()).map { "Did you mean '\($0)'?" }
      throw Problem(.notFound, "There is no project '\(nameOrID)'.", hint: hint)
    }
    return row
  }

  /// Whether a run of the project, deleted ones too, has logged numbers under this name.
  func isLogged(_ name: String, inProject project: Int64) throws -> Bool {
    try Bool.fetchOne(
      db,
      sql: """
        SELECT EXISTS (SELECT 1 FROM project_metric
          WHERE key_id = (SELECT id FROM metric_key WHERE name = ?) AND project_id = ?)
        """, arguments: [name, project]) ?? false
  }

  /// The names under which runs of a project have logged numbers; at most a thousand.
  fileprivate func loggedMetrics(inProject project: Int64) throws -> [String] {
    try String.fetchAll(
      db,
      sql: """
        SELECT name FROM project_metric JOIN metric_key ON metric_key.id = key_id
        WHERE project_id = ? LIMIT 1000
        """, arguments: [project])
  }
}

/// What a new definition comes to.
private struct DerivedChange {
  var expression: MetricExpression
  /// The one in whose place it comes.
  var old: StoredDerivedMetric?
  /// All of the project, with it.
  var derived: DerivedExpressions
  /// Names of those whose aggregates are worthless then.
  var outdated: [String] = []
}

extension StoreReader {
  /// - Parameters:
  ///   - row: of the project.
  ///   - project: its name, for messages.
  /// - Throws: as `StoreWriter.defineDerived`.
  fileprivate func change(
    by new: NewDerivedMetric, inProject row: Int64, named project: String
  ) throws -> DerivedChange {
    let name = new.name.inNormalForm
    let expression = try MetricExpression(parsing: new.expression)
    guard try !isLogged(name, inProject: row) else {
      throw Problem(
        .conflict, "Project '\(project)' has a logged metric '\(name)' already.",
        hint: "Choose another name: what is logged stands before what is derived.")
    }
    let known = try storedDerivedMetrics(inProject: row)
    let old = known.first { $0.metric.name == name }
    guard old != nil || known.count < StoreWriter.derivedLimit else {
      throw Problem(
        .unprocessable, "Project '\(project)' has \(known.count) derived metrics; no more are allowed.",
        hint: "'martlet project underive' takes one away.")
    }
    var all = ParsedExpressions.all(known).expressions
    all[name] = expression
    var change = DerivedChange(expression: expression, old: old, derived: DerivedExpressions(all))
    try change.derived.check()
    if old.map({ ParsedExpressions.expression($0.metric.expression) != expression }) ?? true {
      change.outdated = [name] + change.derived.dependents(of: name)
    }
    return change
  }

  /// Rows of the derived metrics whose aggregates would be worthless after a definition.
  ///
  /// - Throws: as `StoreWriter.defineDerived`.
  package func derivedOutdated(
    by new: NewDerivedMetric, inProject project: String
  ) throws -> [Int64] {
    guard let row = try projectRowID(project) else { return [] }
    let names = Set(try change(by: new, inProject: row, named: project).outdated)
    return try storedDerivedMetrics(inProject: row).filter { names.contains($0.metric.name) }.map(\.row)
  }

  /// The row of a derived metric that may be taken away.
  ///
  /// - Throws: as `StoreWriter.removeDerived`.
  package func removableDerived(_ name: String, inProject project: String) throws -> Int64 {
    let name = name.inNormalForm
    let known = try projectRowID(project).map { try storedDerivedMetrics(inProject: $0) } ?? []
    guard let found = known.first(where: { $0.metric.name == name }) else {
      let near = nearest(to: name, in: known.map(\.metric.name)).map { "Did you mean '\($0)'?" }
      throw Problem(.notFound, "Project '\(project)' has no derived metric '\(name)'.", hint: near)
    }
    let dependents = ParsedExpressions.all(known).dependents(of: name)
    guard dependents.isEmpty else {
      throw Problem(
        .conflict,
        "The derived metric '\(name)' is part of \(dependents.map { "'\($0)'" }.joined(separator: ", ")).",
        hint: "Change or take these away first.")
    }
    return found.row
  }
}

extension StoreWriter {
  /// Derived metrics that a project may have.
  package static let derivedLimit = 200

  /// Defines a derived metric, in place of the one of that name, and makes the project where it is missing.
  ///
  /// - Returns: whether it is new, and sentences on metrics that it names and nobody has logged.
  /// - Throws: `Problem`: `conflict` where a run of the project has logged a metric of that name; `unprocessable` where it
  ///   would be made of itself, or there would be too many. `ExpressionError`.
  package func defineDerived(
    _ new: NewDerivedMetric, inProject project: String, by principal: Principal, now: Timestamp
  ) throws -> (isNew: Bool, notes: [String]) {
    let row = try projectRow(project, by: principal, now: now)
    let name = new.name.inNormalForm
    let change = try change(by: new, inProject: row, named: project)
    if let old = change.old {
      try db.execute(
        sql: "UPDATE derived_metric SET expression = ?, description = ?, goal = ? WHERE id = ?",
        arguments: [new.expression, new.description, new.goal?.rawValue, old.row])
    } else {
      try db.execute(
        sql: """
          INSERT INTO derived_metric (project_id, name, expression, description, goal, created_at, created_by)
          VALUES (?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          row, name, new.expression, new.description, new.goal?.rawValue, now.microseconds, principal.row,
        ])
    }
    if !change.outdated.isEmpty { try dropDerivedSummaries(of: change.outdated, inProject: row) }
    try note(
      "derived", subject: "project", row: row,
      payload: ["name": .string(name), "expression": .string(new.expression)], by: principal, at: now)
    return (change.old == nil, try notes(on: change.expression, change.derived, project: row))
  }

  /// Takes a derived metric and its aggregates away.
  ///
  /// - Throws: `Problem`: `notFound`; `conflict` where others are made of it.
  package func removeDerived(
    _ name: String, inProject project: String, by principal: Principal, now: Timestamp
  ) throws {
    let name = name.inNormalForm
    let derived = try removableDerived(name, inProject: project)
    guard let row = try projectRowID(project) else { return }
    try db.execute(sql: "DELETE FROM derived_metric WHERE id = ?", arguments: [derived])
    try note(
      "underived", subject: "project", row: row, payload: ["name": .string(name)], by: principal, at: now)
    hot.tell(.derived(project: row))
  }

  /// Drops some of the aggregates of derived metrics, because these are about to change: of many runs they are too many
  /// for one transaction.
  ///
  /// - Parameter rows: of the derived metrics.
  /// - Returns: whether there may be more.
  package func dropSomeDerivedSummaries(of rows: [Int64], limit: Int = 5_000) throws -> Bool {
    guard !rows.isEmpty else { return false }
    try db.execute(
      sql: """
        DELETE FROM derived_summary WHERE (derived_id, run_id) IN (
          SELECT derived_id, run_id FROM derived_summary
          WHERE derived_id IN (\(Self.placeholders(rows.count))) LIMIT ?)
        """, arguments: StatementArguments(rows) + [limit])
    return db.changesCount >= limit
  }

  /// Says that what is derived in a project has to be looked at.
  package func tellDerived(inProject project: String) throws {
    if let row = try projectRowID(project) { hot.tell(.derived(project: row)) }
  }

  private func dropDerivedSummaries(of names: [String], inProject project: Int64) throws {
    for name in names {
      try db.execute(
        sql: """
          DELETE FROM derived_summary
          WHERE derived_id = (SELECT id FROM derived_metric WHERE project_id = ? AND name = ?)
          """, arguments: [project, name])
    }
    hot.tell(.derived(project: project))
  }

  /// What a person may have meant otherwise: metrics that no run of the project has logged, once there are any.
  private func notes(
    on expression: MetricExpression, _ derived: DerivedExpressions, project: Int64
  ) throws -> [String] {
    let unknown = try expression.metrics.filter {
      try derived.expressions[$0] == nil && !isLogged($0, inProject: project)
    }
    guard !unknown.isEmpty else { return [] }
    let logged = try loggedMetrics(inProject: project)
    guard !logged.isEmpty else { return [] }
    return unknown.map { name in
      var note = "No run of this project has logged '\(name)' yet"
      if let near = nearest(to: name, in: logged + Array(derived.expressions.keys)) {
        note += "; did you mean '\(near)'?"
      } else if name.contains(where: { "-/".contains($0) }) {
        note += "; where - and / are operators, spaces stand around them."
      } else {
        note += "."
      }
      return note
    }
  }

  /// Forgets what derived metrics are of a run: it moved to another project, or was changed otherwise than by points.
  func forgetDerived(of run: Int64) throws {
    try db.execute(sql: "DELETE FROM derived_summary WHERE run_id = ?", arguments: [run])
    try tellReconfigured(run)
  }
}
