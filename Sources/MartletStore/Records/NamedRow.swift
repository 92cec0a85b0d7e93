// Columns by name, looked up once a statement: in each row, GRDB compares the name with those of all columns before it.

import GRDB
import MartletModel

/// A row whose columns are asked for by their names.
protocol NamedColumns {
  /// The leftmost column of that name, which there must be.
  func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(of column: String) -> Value
}

extension NamedColumns {
  subscript<Value: DatabaseValueConvertible & StatementColumnConvertible>(column: String) -> Value {
    value(of: column)
  }
}

extension Row: NamedColumns {
  func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(of column: String) -> Value {
    self[column]
  }
}

/// The row on which a statement stands.
struct NamedRow: NamedColumns {
  fileprivate let row: Row
  fileprivate let places: [String: Int]

  func value<Value: DatabaseValueConvertible & StatementColumnConvertible>(of column: String) -> Value {
    guard let place = places[column] else { preconditionFailure("The statement has no column '\(column)'") }
    return row[place]
  }
}

extension StoreReader {
  /// Hands each row of a statement to `take`; the statement is compiled once a connection, so its text must be one of few.
  ///
  /// `take` must not run the same statement.
  func forEachRow(
    _ sql: String, _ arguments: StatementArguments, _ take: (NamedRow) throws -> Void
  ) throws {
    let statement = try db.cachedStatement(sql: sql)
    let places = Dictionary(
      zip(statement.columnNames, 0..<statement.columnCount), uniquingKeysWith: { first, _ in first })
    let rows = try Row.fetchCursor(statement, arguments: arguments)
    while let row = try rows.next() { try take(NamedRow(row: row, places: places)) }
  }

  /// What `decode` makes of the rows that belong to each of these runs.
  ///
  /// - Parameter sql: has one parameter, the list of the runs for `json_each`, and a column `run_id`.
  func ofRuns<Value>(
    _ runs: [Int64], _ sql: String, _ more: StatementArguments = [],
    _ decode: (NamedRow) throws -> Value
  ) throws -> [Int64: [Value]] {
    guard !runs.isEmpty else { return [:] }
    var found: [Int64: [Value]] = [:]
    try forEachRow(sql, [JSONValue.array(runs.map(JSONValue.int)).text] + more) { row in
      found[row["run_id"], default: []].append(try decode(row))
    }
    return found
  }
}
