// Principals, tokens and events: who did what.

import GRDB
package import MartletModel
import OrderedCollections

extension StoreReader {
  func principal(row: Int64) throws -> Principal? {
    try Row.fetchOne(db, sql: "SELECT * FROM principal WHERE id = ?", arguments: [row]).flatMap(
      Self.principal)
  }

  /// Who a run's newest attempt is; nil: it has none.
  package func principal(ofAttemptsOf run: PublicID) throws -> Principal? {
    try Int64.fetchOne(
      db,
      sql: """
        SELECT principal_id FROM token WHERE run_id = (SELECT id FROM run WHERE public_id = ?)
        ORDER BY id DESC LIMIT 1
        """, arguments: [run.rawValue]
    ).flatMap(principal(row:))
  }

  /// The one principal of a kind that exists once: `local`, `system`.
  package func principal(kind: Principal.Kind) throws -> Principal? {
    try Row.fetchOne(
      db, sql: "SELECT * FROM principal WHERE kind = ? ORDER BY id LIMIT 1", arguments: [kind.rawValue]
    ).flatMap(Self.principal)
  }

  private static func principal(_ row: Row) -> Principal? {
    Principal.Kind(rawValue: row["kind"]).map { Principal(row: row["id"], kind: $0, name: row["name"]) }
  }
}

extension StoreWriter {
  package func createPrincipal(kind: Principal.Kind, name: String, now: Timestamp) throws -> Principal {
    let name = name.inNormalForm
    try db.executeCached(
      sql: "INSERT INTO principal (kind, name, created_at) VALUES (?, ?, ?)",
      arguments: [kind.rawValue, name, now.microseconds])
    return Principal(row: db.lastInsertedRowID, kind: kind, name: name)
  }

  /// Every change of state is noted here, in the transaction that makes it.
  func note(
    _ type: String, subject: String, row: Int64, payload: JSONValue = [:], by principal: Principal,
    at now: Timestamp
  ) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO event (at, subject, subject_id, type, payload, principal_id) VALUES (?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [now.microseconds, subject, row, type, payload.text, principal.row])
  }

  /// A public id that no row of `table` has yet.
  func freshID(in table: String) throws -> PublicID {
    while true {
      let id = PublicID.random()
      let exists = try Bool.fetchOne(
        db.cachedStatement(sql: "SELECT EXISTS (SELECT 1 FROM \(table) WHERE public_id = ?)"),
        arguments: [id.rawValue])
      if exists == false { return id }
    }
  }
}
