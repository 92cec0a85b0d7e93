// The database: opened with the durability that the API promises, written by one, read by many.

import Dispatch
import Foundation
import GRDB
package import MartletModel
import Synchronization

/// Everything that is kept, in one SQLite file.
///
/// One writer (`synchronous=FULL`: what `write` has returned survives a power cut) and readers on snapshots of the
/// write-ahead log. GRDB runs both on dispatch queues of its own, so no file system call holds a thread of Swift's
/// cooperative pool.
package final class Store: Sendable {
  private let pool: DatabasePool
  private let checkpointer: Checkpointer
  let path: String
  /// Row ids of tokens whose use is being written down.
  let tokensBeingNoted = Mutex<Set<Int64>>([])

  /// Opens or creates the file and brings its schema up to date.
  ///
  /// - Throws: `Problem`.
  package init(path: String) throws(Problem) {
    self.path = path
    do {
      pool = try DatabasePool(path: path, configuration: Self.configuration)
      try pool.writeWithoutTransaction { db in
        // GRDB's pool sets NORMAL when it switches to WAL, after prepareDatabase: so it is set here, and asked.
        try db.execute(sql: "PRAGMA synchronous = FULL")
        try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
          throw Problem(.internal, "SQLite does not keep synchronous=FULL on the writer.")
        }
      }
      try Self.migrator.migrate(pool)
      checkpointer = try Checkpointer(path: path)
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(
        .unavailable, "The database \(path) cannot be opened: \(error).",
        hint: "If it is damaged, keep a copy and restore the last backup.")
    }
  }

  /// Ends the checkpointer and closes all connections; writes in flight end first.
  package func close() throws {
    try checkpointer.stop()
    try pool.close()
  }

  private static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "martlet"
    configuration.busyMode = .timeout(30)
    configuration.maximumReaderCount = 4
    configuration.prepareDatabase { db in
      // Both are fixed once the file exists: on one that does, these do nothing. Readers may not even try.
      guard !db.configuration.readonly else { return }
      try db.execute(sql: "PRAGMA page_size = 4096")
      try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
    }
    return configuration
  }

  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration(Migration1.name, migrate: Migration1.migrate)
    return migrator
  }

  /// Runs `body` in one transaction; when this returns, what it wrote is durable. When it throws, nothing happened.
  package func write<T: Sendable>(_ body: @escaping @Sendable (StoreWriter) throws -> T) async throws -> T {
    do {
      return try await pool.write { db in try body(StoreWriter(db: db)) }
    } catch let error as DatabaseError {
      throw Self.problem(of: error)
    }
  }

  /// Runs `body` on a snapshot.
  package func read<T: Sendable>(_ body: @escaping @Sendable (StoreReader) throws -> T) async throws -> T {
    do {
      return try await pool.read { db in try body(StoreReader(db: db)) }
    } catch let error as DatabaseError {
      throw Self.problem(of: error)
    }
  }

  private static func problem(of error: DatabaseError) -> Problem {
    switch error.resultCode {
    case .SQLITE_FULL:
      Problem(
        .unavailable, "The disk of the data directory is full; nothing was written.",
        hint: "Make room and try again: what was accepted before is safe.")
    case .SQLITE_READONLY:
      Problem(
        .unavailable, "The data directory is read-only; nothing was written.",
        hint: "Make it writable again and retry.")
    case .SQLITE_IOERR:
      Problem(
        .unavailable, "The disk of the data directory failed: \(error.message ?? "input or output error").",
        hint: "Check the disk ('dmesg'), then run 'martlet doctor'.")
    default: Problem(.internal, "The database refused: \(error).")
    }
  }
}

/// Reads in one snapshot.
package class StoreReader {
  let db: Database
  init(db: Database) { self.db = db }
}

/// Reads and writes in one transaction.
package final class StoreWriter: StoreReader {}

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
  package var counts: (projects: Int, runs: Int, sweeps: Int, points: Int64)
}

extension Store {
  /// Also where nothing can be written: no transaction of the writer is begun.
  package func health() async throws -> StoreHealth {
    let path = path
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
          foreignKeys: foreignKeys == 1,
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

extension StoreWriter {
  /// Runs `body` in a savepoint: when it fails with a `Problem` of its own, what it wrote is undone and the
  /// transaction goes on. Failures of the disk end the whole transaction.
  package func attempt<T>(_ body: () throws -> T) throws -> Result<T, any Error> {
    var result: Result<T, any Error>?
    try db.inSavepoint {
      do {
        result = .success(try body())
        return .commit
      } catch let problem as Problem {
        result = .failure(problem)
        return .rollback
      }
    }
    return result ?? .failure(Problem(.internal, "A savepoint ended without a result."))
  }
}
