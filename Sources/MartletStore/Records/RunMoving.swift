// Runs moved to another project.

import GRDB
package import MartletModel

extension StoreWriter {
  /// Runs that go along at most: all go in one transaction, or none.
  static let movedAtOnce = 5_000

  /// Moves a run, and all that is nested in it, to another project, which is made where it is missing. What it was nested
  /// in stays behind. The names that clients have for these runs go along; what was computed of them by the definitions
  /// of the old project is dropped.
  ///
  /// - Returns: the runs that were moved, and from where; none: it is there already.
  /// - Throws: `Problem`: `notFound`, `unprocessable` when too much is nested in it, `conflict` for a trial of a sweep, a run that is being executed or is locked, or a
  ///   client's name that a run of the other project has.
  package func moveRun(
    _ id: PublicID, to project: String, by principal: Principal, now: Timestamp
  ) throws -> [(run: PublicID, from: String)] {
    let row = try requireRunRow(id)
    guard let from = try place(of: id)?.project else { throw Self.noRun(id) }
    let target = try projectRow(project, by: principal, now: now)
    let old = try Int64.fetchOne(db, sql: "SELECT project_id FROM run WHERE id = ?", arguments: [row])
    guard let old, old != target else { return [] }
    let name = try String.fetchOne(db, sql: "SELECT name FROM project WHERE id = ?", arguments: [target])
    let rows = try Row.fetchAll(
      db,
      sql: """
        WITH RECURSIVE inside(id) AS (
          SELECT ?1 UNION SELECT run.id FROM run JOIN inside ON run.parent_id = inside.id WHERE run.project_id = ?2
          LIMIT \(Self.movedAtOnce + 1))
        SELECT run.id, run.public_id, run.sweep_id IS NOT NULL AS is_trial, run.locked_at IS NOT NULL AS is_locked,
          run.is_executed AND run.ended_at IS NULL AS is_executing, sweep.name AS sweep_name
        FROM inside JOIN run ON run.id = inside.id LEFT JOIN sweep ON sweep.id = run.sweep_id
        WHERE run.purge IS NULL
        """, arguments: [row, old])
    guard rows.count <= Self.movedAtOnce else {
      throw Problem(
        .unprocessable,
        "More than \(Self.movedAtOnce) runs are nested in run '\(id)', which are too many to be moved at once.",
        hint: "Move some of them on their own first, or take them out of it.")
    }
    for run in rows { try refuseMove(run, of: id) }
    var moved: [(PublicID, String)] = []
    for run in rows {
      let one: Int64 = run["id"]
      try moveAliases(of: one, to: target)
      try forgetDerived(of: one)
      try db.execute(sql: "UPDATE run SET project_id = ? WHERE id = ?", arguments: [target, one])
      hot.forget(one)
      try note(
        "moved", subject: "run", row: one, payload: ["from": .string(from), "to": JSONValue(name)],
        by: principal, at: now)
      if let id = PublicID(rawValue: run["public_id"]) { moved.append((id, from)) }
    }
    let parent = try String.fetchOne(
      db,
      sql:
        "SELECT parent.public_id FROM run JOIN run AS parent ON parent.id = run.parent_id WHERE run.id = ?",
      arguments: [row])
    if parent != nil {
      try db.execute(sql: "UPDATE run SET parent_id = NULL WHERE id = ?", arguments: [row])
      try note(
        "nested", subject: "run", row: row, payload: ["from": JSONValue(parent), "to": nil], by: principal,
        at: now)
    }
    return moved
  }

  private func refuseMove(_ run: Row, of id: PublicID) throws {
    let one: String = run["public_id"]
    let who = one == id.rawValue ? "Run '\(id)'" : "Run '\(one)', which is nested in '\(id)',"
    if run["is_trial"] {
      let sweep: String = run["sweep_name"] ?? ""
      throw Problem(
        .conflict, "\(who) is a trial of the sweep '\(sweep)' and stays in its project.",
        hint: "'martlet run fork \(one)' makes a run of its own of it, which can be moved.")
    }
    if run["is_executing"] {
      throw Problem(
        .conflict, "\(who) is being executed and cannot be moved.", hint: "Wait for its end, or stop it.")
    }
    if run["is_locked"], one != id.rawValue {
      throw Problem(
        .conflict, "\(who) is locked.", hint: "'martlet run lock \(one) --undo' lifts that.")
    }
  }

  private func moveAliases(of row: Int64, to project: Int64) throws {
    let taken = try String.fetchOne(
      db,
      sql: """
        SELECT mine.text FROM alias AS mine JOIN alias AS other
          ON other.kind = mine.kind AND other.text = mine.text AND other.row_id != mine.row_id
        WHERE mine.kind = 'run' AND mine.row_id = ?
          AND other.scope = (SELECT public_id FROM project WHERE id = ?)
        """, arguments: [row, project])
    if let taken {
      throw Problem(
        .conflict, "The other project has a run that its client calls '\(taken)' too.",
        hint: "A client's id is unique in its project: move or purge the other run first.")
    }
    try db.execute(
      sql: """
        UPDATE alias SET scope = (SELECT public_id FROM project WHERE id = ?) WHERE kind = 'run' AND row_id = ?
        """, arguments: [project, row])
  }
}
