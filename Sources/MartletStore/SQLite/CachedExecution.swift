// Statements that are compiled once a connection: for what every trial, attempt and run goes through.

import GRDB

extension Database {
  /// As `execute(sql:arguments:)`, for one statement that stays compiled. Compiling takes longer than running it, since
  /// GRDB notes each table and column that it touches.
  func executeCached(sql: String, arguments: StatementArguments) throws {
    try cachedStatement(sql: sql).execute(arguments: arguments)
  }
}
