// How the store is, in numbers.

import Foundation
import GRDB

/// What `status` and `doctor` report of the store.
package struct StoreHealth: Sendable {
  package var bytes: Int64
  package var walBytes: Int64
  /// 2 is FULL.
  package var synchronous: Int
  package var journalMode: String
  package var pageSize: Int
  /// 2 is INCREMENTAL.
  package var autoVacuum: Int
  package var foreignKeys: Bool
  /// Pages of the file that hold nothing.
  package var freePages: Int
  package var pages: Int
  /// Rows that are not in chunks yet.
  package var unsealedRows: Int64
  /// Rows of the levels above all chunks.
  package var levels: Int
  package var counts: (projects: Int, runs: Int, sweeps: Int, points: Int64)
}

extension Store {
  /// Also where nothing can be written: no transaction of the writer is begun.
  package func health() async throws -> StoreHealth {
    let (path, unsealedRows) = (path, sealer.unsealedRows)
    do {
      // Properties of a connection: asked of the one that writes.
      let (synchronous, foreignKeys) = try await pool.writeWithoutTransaction { db in
        (try Self.pragma("synchronous", db), try Self.pragma("foreign_keys", db))
      }
      return try await pool.read { db in
        func count(_ table: String) throws -> Int {
          try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
        }
        func size(_ path: String) -> Int64 {
          let attributes = try? FileManager.default.attributesOfItem(atPath: path)
          return (attributes?[.size] as? NSNumber)?.int64Value ?? 0
        }
        return StoreHealth(
          bytes: size(path), walBytes: size("\(path)-wal"), synchronous: synchronous,
          journalMode: try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? "",
          pageSize: try Self.pragma("page_size", db), autoVacuum: try Self.pragma("auto_vacuum", db),
          foreignKeys: foreignKeys == 1, freePages: try Self.pragma("freelist_count", db),
          pages: try Self.pragma("page_count", db), unsealedRows: unsealedRows,
          levels: try count("series_level"),
          counts: (
            projects: try count("project"), runs: try count("run"), sweeps: try count("sweep"),
            points: try Int64.fetchOne(db, sql: "SELECT coalesce(sum(points), 0) FROM run") ?? 0
          ))
      }
    } catch let error as DatabaseError {
      throw Self.problem(of: error)
    }
  }

  private static func pragma(_ name: String, _ db: Database) throws -> Int {
    try Int.fetchOne(db, sql: "PRAGMA \(name)") ?? -1
  }
}
