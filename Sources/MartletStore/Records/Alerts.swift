// Alerts: what runs, and the server about them, want somebody to see.

import GRDB
package import MartletModel

extension StoreReader {
  /// Alerts first, by the order of their ids: else the runs of a project would be read, all of them.
  private static let alertSQL = """
    SELECT alert.*, run.public_id AS run_public_id, run.name AS run_name, project.name AS project_name,
      principal.name AS creator_name
    FROM alert CROSS JOIN run ON run.id = alert.run_id JOIN project ON project.id = run.project_id
      JOIN principal ON principal.id = alert.created_by
    """

  /// A page of a run's alerts, newest first.
  package func alerts(of run: PublicID, _ page: PageRequest) throws -> Page<Alert> {
    try alerts("alert.run_id = ?", [try requireRunRow(run)], page)
  }

  /// A page of all alerts of runs that are not in the trash, newest first.
  ///
  /// - Parameters:
  ///   - project: only this one's, by name or id.
  ///   - run: only this one's.
  ///   - id: only those that were raised after the one of this id.
  /// - Throws: `Problem.notFound` for an unknown project.
  package func alerts(
    project: String?, run: PublicID?, after id: Int64?, _ page: PageRequest
  ) throws -> Page<Alert> {
    var conditions = ["run.deleted_at IS NULL"]
    var arguments = StatementArguments()
    if let project {
      guard let row = try projectRowID(project) else {
        let hint = nearest(to: project, in: try projectNames()).map { "Did you mean '\($0)'?" }
        throw Problem(.notFound, "There is no project '\(project)'.", hint: hint)
      }
      conditions.append("run.project_id = ?")
      arguments += [row]
    }
    if let run {
      conditions.append("run.public_id = ?")
      arguments += [run.rawValue]
    }
    if let id {
      conditions.append("alert.id > ?")
      arguments += [id]
    }
    return try alerts(conditions.joined(separator: " AND "), arguments, page)
  }

  private func alerts(
    _ condition: String, _ arguments: StatementArguments, _ page: PageRequest
  ) throws -> Page<Alert> {
    var (condition, arguments) = (condition, arguments)
    if let last = try Cursor.last(page.cursor) {
      condition += " AND alert.id < ?"
      arguments += [last]
    }
    arguments += [page.limit + 1]
    let found = try Row.fetchAll(
      db, sql: "\(Self.alertSQL) WHERE \(condition) ORDER BY alert.id DESC LIMIT ?", arguments: arguments
    ).compactMap(Self.alert)
    return Cursor.page(found, page, row: \.id)
  }

  /// Alerts by their ids; those that are gone are left out.
  package func alerts(_ ids: [Int64]) throws -> [Alert] {
    try ids.compactMap { id in
      try Row.fetchOne(
        db, sql: "\(Self.alertSQL) WHERE alert.id = ? AND run.purge IS NULL", arguments: [id]
      ).flatMap(Self.alert)
    }
  }

  private static func alert(_ row: Row) -> Alert? {
    guard let run = PublicID(rawValue: row["run_public_id"]), let level = AlertLevel(rawValue: row["level"])
    else { return nil }
    return Alert(
      id: row["id"], run: run, runName: row["run_name"], project: row["project_name"],
      at: Timestamp(microseconds: row["at"]), level: level, title: row["title"], text: row["text"],
      key: row["key"], by: row["creator_name"])
  }
}

extension StoreWriter {
  /// Raises an alert of a run.
  ///
  /// - Parameter limit: alerts that a run may have.
  /// - Returns: its id, and whether it is new: of a key that the run has raised before it is the old one's.
  /// - Throws: `Problem`: `notFound`, also for a run in the trash, `conflict` beyond the limit.
  package func raise(
    _ alert: NewAlert, of id: PublicID, limit: Int, by principal: Principal, now: Timestamp
  ) throws -> (id: Int64, isNew: Bool) {
    let run = try requireRunRow(id)
    try refuseDeleted(id, run)
    if let key = alert.key,
      let known = try Int64.fetchOne(
        db, sql: "SELECT id FROM alert WHERE run_id = ? AND key = ?", arguments: [run, key])
    {
      return (known, false)
    }
    let count = try hot.run(id, db).map { try hot.count(\.alerts, in: "alert", of: $0, db) } ?? 0
    guard count < limit else {
      throw Problem(
        .conflict, "Run '\(id)' has raised \(count) alerts, which is as many as a run may.",
        hint: "Give alerts that repeat a key: a run raises an alert of one key once.")
    }
    return (try insert(alert, run: run, sweep: nil, by: principal, now: now), true)
  }

  private func insert(
    _ alert: NewAlert, run: Int64, sweep: Int64?, by principal: Principal, now: Timestamp
  ) throws -> Int64 {
    try db.execute(
      sql: """
        INSERT INTO alert (run_id, sweep_id, at, level, title, text, key, created_by)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        run, sweep, now.microseconds, alert.level.rawValue, alert.title, alert.text, alert.key, principal.row,
      ])
    let row = db.lastInsertedRowID
    raisedAlerts.append(row)
    hot.add(1, to: \.alerts, of: run)
    return row
  }

  /// Says that a run ended as nobody wanted. Of a sweep's trials the first of each reason speaks for all, of a run's
  /// attempts likewise: their alerts have the state and the reason as their key.
  func alertOfEnd(
    of run: Int64, _ state: RunState, reason: String, by principal: Principal, now: Timestamp
  ) throws {
    let sweep = try Int64.fetchOne(db, sql: "SELECT sweep_id FROM run WHERE id = ?", arguments: [run])
    let title = reason.prefix { !$0.isNewline }
    var alert = NewAlert(
      title: title.isEmpty ? "It ended in '\(state.rawValue)'." : String(title.prefix(500)), level: .error)
    let key = String(decoding: "end \(state.rawValue): \(alert.title)".utf8.prefix(250), as: UTF8.self)
    let isTold = try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM alert WHERE run_id = ? AND key = ?)", arguments: [run, key])
    guard isTold == false else { return }
    alert.key = key
    if let sweep {
      let isKnown = try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM alert WHERE sweep_id = ? AND title = ?)",
        arguments: [sweep, alert.title])
      guard isKnown == false else { return }
    }
    _ = try insert(alert, run: run, sweep: sweep, by: principal, now: now)
  }
}
