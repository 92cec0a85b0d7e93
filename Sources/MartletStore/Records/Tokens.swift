// Tokens: their hashes, scopes, expiry and revocation.

import Foundation
import GRDB
package import MartletModel
import Synchronization

extension Store {
  /// What a token allows; nil when it is unknown, expired or revoked. Notes its use, at most once a minute.
  package func access(tokenHash: [UInt8], now: Timestamp) async throws -> Access? {
    let found = try await read { reader -> (Access, Int64, Int64?)? in
      guard
        let row = try Row.fetchOne(
          reader.db,
          sql: """
            SELECT token.*, principal.kind AS kind, principal.name AS principal_name, project.name AS project_name,
              run.public_id AS run_public_id
            FROM token JOIN principal ON principal.id = token.principal_id
              LEFT JOIN project ON project.id = token.project_id LEFT JOIN run ON run.id = token.run_id
            WHERE hash = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)
            """, arguments: [Data(tokenHash), now.microseconds]),
        let kind = Principal.Kind(rawValue: row["kind"])
      else { return nil }
      let principal = Principal(row: row["principal_id"], kind: kind, name: row["principal_name"])
      let access = Access(
        principal: principal, token: PublicID(rawValue: row["public_id"]),
        scopes: Set(StoreReader.scopes(row["scopes"])), project: row["project_name"],
        run: (row["run_public_id"] as String?).flatMap(PublicID.init(rawValue:)))
      return (access, row["id"], row["last_used_at"])
    }
    guard let (access, row, lastUsed) = found else { return nil }
    if now.microseconds - (lastUsed ?? 0) > 60_000_000 {
      noteUse(ofToken: row, now: now)
    }
    return access
  }

  /// Beside the request, whose answer must not wait for this, or fail with it.
  private func noteUse(ofToken row: Int64, now: Timestamp) {
    guard tokensBeingNoted.withLock({ $0.insert(row).inserted }) else { return }
    Task {
      // Dropped when the store refuses (a full or read-only disk): reading must go on there, the loss is one reading
      // of a clock, and the next use tries again.
      try? await write { writer in
        try writer.db.execute(
          sql: "UPDATE token SET last_used_at = ? WHERE id = ?", arguments: [now.microseconds, row])
      }
      _ = tokensBeingNoted.withLock { $0.remove(row) }
    }
  }

  /// Creates a token and its principal; `by` nil for the very first, which is then its own creator.
  package func createToken(
    name: String, kind: Principal.Kind, hash: [UInt8], scopes: [Scope], project: String?, run: PublicID?,
    expiresAt: Timestamp?, by: Principal?, now: Timestamp
  ) async throws -> TokenRecord {
    try await write { writer in
      let principal: Principal
      if kind == .local, let local = try writer.principal(kind: .local) {
        principal = local
      } else {
        principal = try writer.createPrincipal(kind: kind, name: name, now: now)
      }
      return try writer.createToken(
        name: name, principal: principal, hash: hash, scopes: scopes, project: project, run: run,
        expiresAt: expiresAt, by: by ?? principal, now: now)
    }
  }

  /// All tokens but those of attempts, newest first.
  package func tokens(_ page: PageRequest = PageRequest(limit: 1_000)) async throws -> Page<TokenRecord> {
    try await read { reader in
      let offset = try Cursor.offset(page.cursor)
      let rows = try Row.fetchAll(
        reader.db,
        sql: StoreReader.tokenSQL + " WHERE token.run_id IS NULL ORDER BY token.id DESC LIMIT ? OFFSET ?",
        arguments: [page.limit + 1, offset])
      return Cursor.page(rows.compactMap(StoreReader.token), page, offset: offset)
    }
  }

  /// Nil when there is no such token. Revoking again changes nothing.
  package func revokeToken(_ id: PublicID, by: Principal, now: Timestamp) async throws -> TokenRecord? {
    try await write { writer in
      try writer.db.execute(
        sql: "UPDATE token SET revoked_at = ? WHERE public_id = ? AND revoked_at IS NULL",
        arguments: [now.microseconds, id.rawValue])
      let changed = writer.db.changesCount > 0
      guard
        let row = try Row.fetchOne(
          writer.db, sql: StoreReader.tokenSQL + " WHERE token.public_id = ?", arguments: [id.rawValue])
      else { return nil }
      if changed { try writer.note("revoked", subject: "token", row: row["id"], by: by, at: now) }
      return StoreReader.token(row)
    }
  }

  /// Revokes all tokens of principals of this kind but one. Returns how many were still good.
  @discardableResult
  package func revokeTokens(
    kind: Principal.Kind, except kept: PublicID?, by: Principal, now: Timestamp
  ) async throws -> Int {
    try await write { writer in
      let rows = try Int64.fetchAll(
        writer.db,
        sql: """
          UPDATE token SET revoked_at = ?1
          WHERE revoked_at IS NULL AND public_id IS NOT ?2
            AND principal_id IN (SELECT id FROM principal WHERE kind = ?3)
          RETURNING id
          """, arguments: [now.microseconds, kept?.rawValue, kind.rawValue])
      for row in rows { try writer.note("revoked", subject: "token", row: row, by: by, at: now) }
      return rows.count
    }
  }
}

extension StoreWriter {
  package func createToken(
    name: String, principal: Principal, hash: [UInt8], scopes: [Scope], project: String?, run: PublicID?,
    expiresAt: Timestamp?, by: Principal, now: Timestamp
  ) throws -> TokenRecord {
    var projectRow: Int64?
    if let project {
      projectRow = try projectRowID(project)
      if projectRow == nil { throw Problem(.notFound, "There is no project '\(project)'.") }
    }
    let runRow = try run.map { try requireRunRow($0) }
    let id = try freshID(in: "token")
    try db.executeCached(
      sql: """
        INSERT INTO token (public_id, principal_id, name, hash, scopes, project_id, run_id, created_at, created_by,
          expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        id.rawValue, principal.row, name, Data(hash), scopes.map(\.rawValue).joined(separator: " "),
        projectRow,
        runRow, now.microseconds, by.row, expiresAt?.microseconds,
      ])
    let row = db.lastInsertedRowID
    if run == nil { try note("created", subject: "token", row: row, by: by, at: now) }
    return TokenRecord(
      id: id, name: name, principal: principal.name, scopes: scopes, project: project, run: run,
      createdAt: now,
      createdBy: by.name, expiresAt: expiresAt, revokedAt: nil, lastUsedAt: nil)
  }

  /// Ends the tokens of a run's attempts.
  package func revokeTokens(ofRun row: Int64, now: Timestamp) throws {
    try db.executeCached(
      sql: "UPDATE token SET revoked_at = ? WHERE run_id = ? AND revoked_at IS NULL",
      arguments: [now.microseconds, row])
  }
}

extension StoreReader {
  fileprivate static let tokenSQL = """
    SELECT token.*, principal.name AS principal_name, creator.name AS creator_name, project.name AS project_name,
      run.public_id AS run_public_id
    FROM token JOIN principal ON principal.id = token.principal_id JOIN principal creator ON creator.id = token.created_by
      LEFT JOIN project ON project.id = token.project_id LEFT JOIN run ON run.id = token.run_id
    """

  fileprivate static func scopes(_ text: String) -> [Scope] {
    text.split(separator: " ").compactMap { Scope(rawValue: String($0)) }
  }

  fileprivate static func token(_ row: Row) -> TokenRecord? {
    PublicID(rawValue: row["public_id"]).map { id in
      TokenRecord(
        id: id, name: row["name"], principal: row["principal_name"], scopes: scopes(row["scopes"]),
        project: row["project_name"],
        run: (row["run_public_id"] as String?).flatMap(PublicID.init(rawValue:)),
        createdAt: Timestamp(microseconds: row["created_at"]), createdBy: row["creator_name"],
        expiresAt: row.time("expires_at"), revokedAt: row.time("revoked_at"),
        lastUsedAt: row.time("last_used_at"))
    }
  }
}
