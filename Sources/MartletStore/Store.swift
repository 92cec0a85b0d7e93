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
  let pool: DatabasePool
  let checkpointer: Checkpointer
  let sealer: Sealer
  let keeper: DerivedKeeper
  /// Whoever waits for what is derived holds no more readers than these.
  let derivedTurns = Turns(2)
  private let hot = HotRuns()
  let path: String
  /// Row ids of tokens whose use is being written down.
  let tokensBeingNoted = Mutex<Set<Int64>>([])

  /// Opens or creates the file and brings its schema up to date; others that open it at the same time wait.
  ///
  /// - Parameter sealing: when rows are laid into chunks.
  /// - Throws: `Problem`.
  package init(path: String, sealing: SealingPolicy = SealingPolicy()) throws(Problem) {
    self.path = path
    do {
      (pool, checkpointer) = try OpeningLock.held(besides: path) {
        let pool = try DatabasePool(path: path, configuration: Self.configuration)
        try pool.writeWithoutTransaction { db in
          // GRDB's pool sets NORMAL when it switches to WAL, after prepareDatabase: so it is set here, and asked.
          try db.execute(sql: "PRAGMA synchronous = FULL")
          try db.execute(sql: "PRAGMA wal_autocheckpoint = 0")
          // Some builds of SQLite write zeros over every page that is freed: twice the work for rows that only move.
          _ = try Row.fetchAll(db, sql: "PRAGMA secure_delete = FAST")
          guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
            throw Problem(.internal, "SQLite does not keep synchronous=FULL on the writer.")
          }
        }
        try Self.migrator.migrate(pool)
        return (pool, try Checkpointer(path: path))
      }
    } catch let problem as Problem {
      throw problem
    } catch {
      throw Problem(
        .unavailable, "The database \(path) cannot be opened: \(error).",
        hint: "If it is damaged, keep a copy and restore the last backup.")
    }
    sealer = Sealer(policy: sealing)
    keeper = DerivedKeeper(isAutomatic: sealing.isAutomatic)
    sealer.start(self)
    keeper.start(self)
  }

  /// Ends what runs in the background and closes all connections; writes in flight end first.
  package func close() throws {
    sealer.stop()
    keeper.stop()
    try checkpointer.stop()
    try pool.close()
  }

  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "martlet"
    configuration.busyMode = .timeout(30)
    configuration.maximumReaderCount = 4
    configuration.prepareDatabase { db in
      db.addFilterFunctions()
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
    migrator.registerMigration(Migration2.name, migrate: Migration2.migrate)
    migrator.registerMigration(Migration3.name, migrate: Migration3.migrate)
    migrator.registerMigration(Migration4.name, migrate: Migration4.migrate)
    migrator.registerMigration(Migration5.name, migrate: Migration5.migrate)
    migrator.registerMigration(Migration6.name, migrate: Migration6.migrate)
    migrator.registerMigration(Migration9.name, migrate: Migration9.migrate)
    return migrator
  }

  /// Runs `body` in one transaction; when this returns, what it wrote is durable. When it throws, nothing happened.
  package func write<T: Sendable>(_ body: @escaping @Sendable (StoreWriter) throws -> T) async throws -> T {
    do {
      return try await pool.writeWithoutTransaction { [hot, sealer, keeper] db in
        try Self.transaction(db, hot, (sealer, keeper), body)
      }
    } catch let error as DatabaseError {
      throw Self.problem(of: error)
    }
  }

  /// As `write`, for threads that may wait.
  ///
  /// - Parameter committed: called on the writer's queue, before any other transaction begins.
  @discardableResult
  func writeNow<T>(
    _ body: (StoreWriter) throws -> T, committed: (T) -> Void = { _ in }
  ) throws -> T {
    do {
      return try pool.writeWithoutTransaction { db in
        let result = try Self.transaction(db, hot, (sealer, keeper), body)
        committed(result)
        return result
      }
    } catch let error as DatabaseError {
      throw Self.problem(of: error)
    }
  }

  /// What the writer remembers is undone here, on its queue: the next transaction may follow at once.
  private static func transaction<T>(
    _ db: Database, _ hot: HotRuns, _ listeners: (Sealer, DerivedKeeper), _ body: (StoreWriter) throws -> T
  ) throws -> T {
    do {
      var result: T?
      try db.inTransaction(.immediate) {
        try hot.begin(db)
        result = try body(StoreWriter(db: db, hot: hot))
        return .commit
      }
      let news = hot.commit()
      listeners.0.note(news)
      listeners.1.note(news)
      guard let result else { throw Problem(.internal, "A transaction ended without a result.") }
      return result
    } catch {
      hot.undo()
      throw error
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

  /// As `read`, for threads that may wait.
  func readNow<T>(_ body: (StoreReader) throws -> T) throws -> T {
    do {
      return try pool.read { db in try body(StoreReader(db: db)) }
    } catch let error as DatabaseError {
      throw Self.problem(of: error)
    }
  }

  static func problem(of error: DatabaseError) -> Problem {
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
package final class StoreWriter: StoreReader {
  let hot: HotRuns
  /// Ids of the alerts that this transaction raised.
  package internal(set) var raisedAlerts: [Int64] = []

  init(db: Database, hot: HotRuns) {
    self.hot = hot
    super.init(db: db)
  }
}

extension StoreWriter {
  /// Runs `body` in a savepoint: when it fails with a `Problem` of its own, or with a value that is too large, what it
  /// wrote is undone and the transaction goes on. Failures of the disk end the whole transaction.
  package func attempt<T>(_ body: () throws -> T) throws -> Result<T, any Error> {
    var result: Result<T, any Error>?
    let mark = hot.mark()
    try db.inSavepoint {
      do {
        result = .success(try body())
        return .commit
      } catch let problem as Problem {
        result = .failure(problem)
      } catch let error as DatabaseError where error.resultCode == .SQLITE_TOOBIG {
        // This one's fault alone: the disk is well.
        result = .failure(
          Problem(
            .unprocessable, "One value of this is larger than the database takes (1 GB).",
            hint: "Send less at a time."))
      }
      hot.undo(to: mark)
      return .rollback
    }
    return result ?? .failure(Problem(.internal, "A savepoint ended without a result."))
  }
}
