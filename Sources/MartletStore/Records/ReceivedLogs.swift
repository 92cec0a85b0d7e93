// Which clients of a run from outside sent their output, and under which numbers it is read.

import GRDB
package import MartletModel

extension StoreReader {
  /// The number of a client's log; nil: it sent none yet.
  package func logNumber(of run: PublicID, client: String) throws -> Int? {
    try Int.fetchOne(
      db, sql: "SELECT number FROM run_log WHERE run_id = ? AND client = ?",
      arguments: [try requireRunRow(run), client])
  }

  /// How many clients of a run sent their output: their logs are numbered from 1.
  package func logCount(of run: PublicID) throws -> Int {
    try Int.fetchOne(
      db, sql: "SELECT coalesce(max(number), 0) FROM run_log WHERE run_id = ?",
      arguments: [try requireRunRow(run)]) ?? 0
  }
}

extension StoreWriter {
  /// Clients of one run whose output is taken.
  package static let logLimit = 10_000

  /// The number of a client's log, which is given where it has none.
  ///
  /// - Throws: `Problem`: `notFound`; `unprocessable` beyond `logLimit`.
  package func giveLogNumber(of id: PublicID, client: String, now: Timestamp) throws -> Int {
    if let known = try logNumber(of: id, client: client) { return known }
    let number = try logCount(of: id) + 1
    guard number <= Self.logLimit else {
      throw Problem(
        .unprocessable, "Run '\(id)' has the logs of \(Self.logLimit) clients already; no more are taken.",
        hint: "Begin a new run.")
    }
    try db.execute(
      sql: "INSERT INTO run_log (run_id, number, client, created_at) VALUES (?, ?, ?, ?)",
      arguments: [try requireRunRow(id), number, client, now.microseconds])
    return number
  }
}
