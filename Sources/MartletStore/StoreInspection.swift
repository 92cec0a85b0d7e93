// A database that is only looked at: beside the server that has it open, or in a backup.

import Foundation
import GRDB
package import MartletModel

/// Reads a database without bringing it up to date, and without anything in the background.
package final class StoreInspection: Sendable {
  private let queue: DatabaseQueue

  /// What a database says of itself.
  package struct Facts: Sendable, Hashable {
    /// Of the schema; 0: it has none.
    package var version: Int
    package var projects: Int
    package var runs: Int
    package var points: Int64
    package var pageBytes: Int
    package var pages: Int
    /// Pages that hold nothing.
    package var freePages: Int
    /// Rows that are not in chunks yet.
    package var unsealedRows: Int64
    package var blobs: Int
    package var blobBytes: Int64
  }

  /// A row of a file's content.
  package struct Blob: Sendable, Hashable {
    package var id: Int64
    /// SHA-256 of the content.
    package var hash: [UInt8]
    /// Bytes.
    package var size: Int64
  }

  /// The schema that this version of the program writes.
  package static let newestVersion = Store.newestVersion

  /// - Throws: `Problem`: `notFound`, or `unavailable` when it is no database that can be read.
  package init(path: String) throws(Problem) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw Problem(.notFound, "There is no database \(path).", hint: "Name the data directory with --data.")
    }
    var configuration = Configuration()
    configuration.label = "martlet.inspection"
    configuration.readonly = true
    configuration.busyMode = .timeout(30)
    do {
      queue = try DatabaseQueue(path: path, configuration: configuration)
    } catch {
      throw Problem(
        .unavailable, "The database \(path) cannot be read: \(error).",
        hint: "If it is damaged, keep a copy and restore the last backup.")
    }
  }

  package func close() throws { try queue.close() }

  /// Looks for damage; an empty list says that none was found.
  ///
  /// - Parameter isDeep: also all rows are read, in the newest schema, and compared with what is said of them; else the pages
  ///   and the references between tables.
  package func integrity(deep isDeep: Bool) async throws -> [Finding] {
    var findings = try await read { try $0.pageFindings() }
    guard isDeep, try await facts().version == Self.newestVersion else { return findings }
    findings += try await read { try $0.countFindings() }
    var last = Int64.min
    // What is damaged everywhere need not be told of every run.
    while findings.count < 100, let next = try await read({ [last] in try $0.nextRun(after: last) }) {
      last = next.row
      findings += try await read { try $0.findings(of: next.row, id: next.id, isDeep: true) }
    }
    return findings
  }

  package func facts() async throws -> Facts {
    try await read { reader in
      let db = reader.db
      func number(_ sql: String) throws -> Int64 { try Int64.fetchOne(db, sql: sql) ?? 0 }
      let version =
        try String.fetchAll(
          db, sql: "SELECT identifier FROM grdb_migrations"
        ).compactMap { Int($0) }.max() ?? 0
      var facts = Facts(
        version: version, projects: Int(try number("SELECT count(*) FROM project")),
        runs: Int(try number("SELECT count(*) FROM run")),
        points: try number("SELECT coalesce(sum(points), 0) FROM run"),
        pageBytes: Int(try number("PRAGMA page_size")), pages: Int(try number("PRAGMA page_count")),
        freePages: Int(try number("PRAGMA freelist_count")),
        unsealedRows: try number("SELECT coalesce(sum(rows), 0) FROM run"), blobs: 0, blobBytes: 0)
      guard version >= 2 else { return facts }
      facts.unsealedRows -= try number("SELECT coalesce(sum(row_count), 0) FROM row_chunk")
      facts.blobs = Int(try number("SELECT count(*) FROM blob"))
      facts.blobBytes = try number("SELECT coalesce(sum(size), 0) FROM blob")
      return facts
    }
  }

  /// The rows of files behind `id`, in the order of their ids, at most `limit` of them.
  package func blobs(after id: Int64, limit: Int) async throws -> [Blob] {
    try await read { reader in
      guard try reader.db.tableExists("blob") else { return [] }
      return try Row.fetchAll(
        reader.db, sql: "SELECT id, hash, size FROM blob WHERE id > ? ORDER BY id LIMIT ?",
        arguments: [id, limit]
      ).map { Blob(id: $0[0], hash: Array($0[1] as Data), size: $0[2]) }
    }
  }

  private func read<T: Sendable>(_ body: @escaping @Sendable (StoreReader) throws -> T) async throws -> T {
    do {
      return try await queue.read { db in try body(StoreReader(db: db)) }
    } catch let error as DatabaseError {
      throw Problem(
        .unavailable, "The database cannot be read: \(error).",
        hint: "If it is damaged, keep a copy and restore the last backup.")
    }
  }
}
