// Projects: made when something is first put into them.

import GRDB
package import MartletModel

extension StoreReader {
  /// By name or public id.
  func projectRowID(_ nameOrID: String) throws -> Int64? {
    try Int64.fetchOne(
      db.cachedStatement(
        sql: "SELECT id FROM project WHERE name = ?1 OR public_id = ?1 ORDER BY name = ?1 DESC LIMIT 1"),
      arguments: [nameOrID.inNormalForm])
  }

  /// A page of projects, latest activity first; only `only` when it is given.
  package func projects(_ page: PageRequest, only: String?) throws -> Page<Project> {
    let offset = try Cursor.offset(page.cursor)
    let rows = try Row.fetchAll(
      db,
      sql: Self.projectSQL
        + " WHERE ?1 IS NULL OR project.name = ?1 ORDER BY last_activity_at DESC, project.id DESC LIMIT ?2 OFFSET ?3",
      arguments: [only, page.limit + 1, offset])
    return Cursor.page(rows.compactMap(Self.project), page, offset: offset)
  }

  /// By name or public id.
  package func project(_ nameOrID: String) throws -> Project? {
    guard let row = try projectRowID(nameOrID) else { return nil }
    return try Row.fetchOne(db, sql: Self.projectSQL + " WHERE project.id = ?", arguments: [row])
      .flatMap(Self.project)
  }

  package func projectNames() throws -> [String] {
    try String.fetchAll(db, sql: "SELECT name FROM project ORDER BY last_activity_at DESC LIMIT 1000")
  }

  private static let projectSQL = """
    SELECT project.*, principal.name AS creator_name,
      (SELECT count(*) FROM run WHERE project_id = project.id)
        - (SELECT count(*) FROM run WHERE project_id = project.id AND deleted_at IS NOT NULL) AS runs,
      (SELECT count(*) FROM run
        WHERE project_id = project.id AND state IN ('starting', 'running') AND deleted_at IS NULL) AS running,
      (SELECT count(*) FROM sweep WHERE project_id = project.id) AS sweeps
    FROM project JOIN principal ON principal.id = project.created_by
    """

  private static func project(_ row: Row) -> Project? {
    PublicID(rawValue: row["public_id"]).map { id in
      Project(
        id: id, name: row["name"], description: row["description"],
        createdAt: Timestamp(microseconds: row["created_at"]), createdBy: row["creator_name"],
        runs: row["runs"],
        running: row["running"], sweeps: row["sweeps"],
        lastActivityAt: Timestamp(microseconds: row["last_activity_at"]))
    }
  }
}

extension StoreWriter {
  /// - Throws: `Problem.notFound`.
  package func describeProject(
    _ name: String, _ description: String, by principal: Principal, now: Timestamp
  ) throws {
    guard let row = try projectRowID(name) else {
      throw Problem(.notFound, "There is no project '\(name)'.")
    }
    try db.execute(sql: "UPDATE project SET description = ? WHERE id = ?", arguments: [description, row])
    try note("described", subject: "project", row: row, by: principal, at: now)
  }

  /// The row of the project with this name (or id), which is made where it is missing.
  func projectRow(_ name: String, by principal: Principal, now: Timestamp) throws -> Int64 {
    let name = name.inNormalForm
    if let row = try projectRowID(name) {
      try db.executeCached(
        sql: "UPDATE project SET last_activity_at = ? WHERE id = ?", arguments: [now.microseconds, row])
      return row
    }
    try db.execute(
      sql:
        "INSERT INTO project (public_id, name, created_at, created_by, last_activity_at) VALUES (?, ?, ?, ?, ?)",
      arguments: [
        try freshID(in: "project").rawValue, name, now.microseconds, principal.row, now.microseconds,
      ])
    let row = db.lastInsertedRowID
    try note("created", subject: "project", row: row, by: principal, at: now)
    return row
  }
}
