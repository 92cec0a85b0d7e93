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
  /// Questions about many runs (`ask`): those that are answered in a moment, and the others.
  let shortTurns = Turns(2, waitingLimit: 200)
  let longTurns = Turns(2, waitingLimit: 20)
  private let hot = HotRuns()
  let path: String
  /// Row ids of tokens whose use is being written down.
  let tokensBeingNoted = Mutex<Set<Int64>>([])

  /// Opens or creates the file and brings its schema up to date; others that open it at the same time wait.
  ///
  /// - Parameters:
  ///   - sealing: when rows are laid into chunks.
  ///   - told: is given a sentence about what may take long.
  /// - Throws: `Problem`.
  package init(
    path: String, sealing: SealingPolicy = SealingPolicy(), told: (String) -> Void = { _ in }
  ) throws(Problem) {
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
        try Self.migrate(pool, told: told)
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

  /// Seconds that a connection waits for another's locks.
  static let patience = 30.0

  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.label = "martlet"
    configuration.busyMode = .timeout(patience)
    // Six may be held for a while by those who take turns; two are for reads that nobody should wait for.
    configuration.maximumReaderCount = 8
    configuration.prepareDatabase { db in
      db.addFilterFunctions()
      // Both are fixed once the file exists: on one that does, these do nothing. Readers may not even try.
      guard !db.configuration.readonly else { return }
      try db.execute(sql: "PRAGMA page_size = 4096")
      try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
    }
    return configuration
  }

  /// The schema that this version of the program writes.
  static var newestVersion: Int { migrator.migrations.compactMap(Int.init).max() ?? 0 }

  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    // Tables and columns are made and rows filled in: each is checked as it comes, not the whole file at the end.
    func register(_ name: String, _ migrate: @escaping @Sendable (Database) throws -> Void) {
      migrator.registerMigration(name, foreignKeyChecks: .immediate, migrate: migrate)
    }
    register(Migration1.name, Migration1.migrate)
    register(Migration2.name, Migration2.migrate)
    register(Migration3.name, Migration3.migrate)
    register(Migration4.name, Migration4.migrate)
    register(Migration5.name, Migration5.migrate)
    register(Migration6.name, Migration6.migrate)
    register(Migration7.name, Migration7.migrate)
    register(Migration8.name, Migration8.migrate)
    register(Migration9.name, Migration9.migrate)
    register(Migration10.name, Migration10.migrate)
    register(Migration11.name, Migration11.migrate)
    register(Migration12.name, Migration12.migrate)
    register(Migration13.name, Migration13.migrate)
    return migrator
  }

  /// Brings the schema up to date.
  ///
  /// - Parameter told: is given a sentence before and after that may take long: where there is something to convert.
  private static func migrate(_ pool: DatabasePool, told: (String) -> Void) throws {
    let done = try pool.read { db in try migrator.appliedIdentifiers(db) }
    let left = migrator.migrations.filter { !done.contains($0) }
    guard let last = left.last, !done.isEmpty else { return try migrator.migrate(pool) }
    told("The database is brought from version \(done.count) to version \(last); large ones take minutes.")
    let start = DispatchTime.now().uptimeNanoseconds
    do {
      try migrator.migrate(pool)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
      throw Problem(
        .unavailable, "The disk is too full to bring the database to version \(last); nothing was changed.",
        hint: "Make as much room as the database has itself, and start again.")
    }
    let seconds = (DispatchTime.now().uptimeNanoseconds - start) / 1_000_000_000
    told("The database is of version \(last) now, after \(seconds) s.")
  }

  /// Runs `body` in one transaction; when this returns, what it wrote is durable. When it throws, nothing happened.
  package func write<T: Sendable>(_ body: @escaping @Sendable (StoreWriter) throws -> T) async throws -> T {
    do {
      return try await pool.writeWithoutTransaction { [hot, sealer, keeper] db in
        try Self.transaction(db, hot, (sealer, keeper), body)
      }
    } catch let error as DatabaseError {
      if error.resultCode == .SQLITE_INTERRUPT { try Task.checkCancellation() }
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
    try await read(isHasty: false, body)
  }

  /// - Parameter isHasty: questions are ended early (`Unanswered`).
  func read<T: Sendable>(
    isHasty: Bool, _ body: @escaping @Sendable (StoreReader) throws -> T
  ) async throws -> T {
    do {
      return try await pool.read { db in try body(StoreReader(db: db, isHasty: isHasty)) }
    } catch let error as DatabaseError {
      // A statement that ran when its task was cancelled.
      if error.resultCode == .SQLITE_INTERRUPT { try Task.checkCancellation() }
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
    // A connection that `close` has ended; its words differ between readers and the writer.
    case .SQLITE_MISUSE: .storeClosed
    default: Problem(.internal, "The database refused: \(error).")
    }
  }
}

extension Problem {
  /// What `Store` throws once it is closed.
  package static let storeClosed = Problem(
    .unavailable, "The database is closed: the server is ending.", hint: "Try again when it is up.")
}

/// Reads in one snapshot.
package class StoreReader {
  let db: Database
  /// Whether questions have a moment only.
  let isHasty: Bool

  init(db: Database, isHasty: Bool = false) { (self.db, self.isHasty) = (db, isHasty) }
}

/// Reads and writes in one transaction.
package final class StoreWriter: StoreReader {
  let hot: HotRuns
  /// Ids of the alerts that this transaction raised.
  package internal(set) var raisedAlerts: [Int64] = []
  /// Runs that this transaction took out of one that is purged.
  package internal(set) var freedRuns: [PublicID] = []

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
