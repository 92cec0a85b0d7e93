// Statements of the hot paths: values go straight to SQLite and come straight from it.

import GRDB
import GRDBSQLite

/// A cached statement of GRDB whose values are bound and read by SQLite's own calls.
///
/// GRDB boxes every value and makes a dictionary of every row; for rows that come by the thousand that is most of their
/// cost. One use at a time: `run` or the last `step` leave it ready for the next.
struct RawStatement {
  private let owner: Statement
  private let statement: SQLiteStatement

  /// - Throws: `CancellationError` where nobody waits for it any more, as GRDB's own statements do.
  init(_ db: Database, _ sql: String) throws {
    try Task.checkCancellation()
    owner = try db.cachedStatement(sql: sql)
    statement = owner.sqliteStatement
    sqlite3_reset(statement)
  }

  // MARK: - Binding, from 1

  func bind(_ index: Int32, _ value: Int64) throws { try check(sqlite3_bind_int64(statement, index, value)) }
  func bind(_ index: Int32, _ value: Int) throws { try bind(index, Int64(value)) }

  func bind(_ index: Int32, _ value: Int64?) throws {
    guard let value else { return try check(sqlite3_bind_null(statement, index)) }
    try bind(index, value)
  }

  /// NaN becomes NULL.
  func bind(_ index: Int32, _ value: Double) throws {
    try check(sqlite3_bind_double(statement, index, value))
  }

  func bind(_ index: Int32, _ text: String) throws {
    var text = text
    try text.withUTF8 { bytes in
      try bytes.withMemoryRebound(to: CChar.self) { characters in
        try check(
          sqlite3_bind_text(statement, index, characters.baseAddress, Int32(characters.count), Self.copied))
      }
    }
  }

  func bind(_ index: Int32, text bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { bytes in
      try check(
        sqlite3_bind_text(
          statement, index, bytes.bindMemory(to: CChar.self).baseAddress, Int32(bytes.count), Self.copied))
    }
  }

  /// Nil becomes NULL.
  func bind(_ index: Int32, _ blob: [UInt8]?) throws {
    guard let blob else { return try check(sqlite3_bind_null(statement, index)) }
    guard !blob.isEmpty else { return try check(sqlite3_bind_zeroblob(statement, index, 0)) }
    try blob.withUnsafeBytes { bytes in
      try check(sqlite3_bind_blob64(statement, index, bytes.baseAddress, UInt64(bytes.count), Self.copied))
    }
  }

  /// SQLITE_TRANSIENT: SQLite keeps a copy.
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  // MARK: - Running

  /// To the next row; false behind the last, and the statement is ready again.
  func step() throws -> Bool {
    switch sqlite3_step(statement) {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      sqlite3_reset(statement)
      return false
    default: throw error()
    }
  }

  /// Runs a statement that gives no rows.
  func run() throws {
    while try step() {}
  }

  /// Ends a statement before its last row.
  func reset() { sqlite3_reset(statement) }

  private func check(_ code: Int32) throws {
    guard code == SQLITE_OK else { throw error() }
  }

  private func error() -> DatabaseError {
    let connection = sqlite3_db_handle(statement)
    let error = DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
      message: String(cString: sqlite3_errmsg(connection)), sql: owner.sql)
    sqlite3_reset(statement)
    return error
  }

  // MARK: - Columns, from 0

  func int(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }
  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }
  func optionalInt(_ column: Int32) -> Int64? { isNull(column) ? nil : int(column) }
  /// NaN for NULL.
  func double(_ column: Int32) -> Double { isNull(column) ? .nan : sqlite3_column_double(statement, column) }
  func text(_ column: Int32) -> String {
    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? ""
  }

  /// The bytes of a blob, or of NULL nil, for as long as `body` runs.
  func withBlob<T>(_ column: Int32, _ body: (UnsafeRawBufferPointer?) throws -> T) rethrows -> T {
    guard !isNull(column) else { return try body(nil) }
    let start = sqlite3_column_blob(statement, column)
    return try body(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column))))
  }

  func bytes(_ column: Int32) -> [UInt8] { withBlob(column) { $0.map(Array.init) ?? [] } }
}
