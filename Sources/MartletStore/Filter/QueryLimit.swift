// Questions that take too long are ended: none may hold a reader for ever.

import Foundation
import GRDB
import GRDBSQLite
import MartletModel

extension StoreReader {
  /// Seconds that the answer to one question may take.
  static let questionSeconds = 10.0

  /// Runs `body`, and ends its statements once it has taken too long.
  ///
  /// - Throws: `Problem.unprocessable` when the time is over; what `body` throws.
  func limited<T>(seconds: Double = StoreReader.questionSeconds, _ body: () throws -> T) throws -> T {
    var deadline = Deadline(end: DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9))
    return try withUnsafeMutablePointer(to: &deadline) { deadline in
      // Every so many steps of SQLite's machine: some 50 µs.
      sqlite3_progress_handler(
        db.sqliteConnection, 4_000,
        { pointer in
          guard let deadline = pointer?.assumingMemoryBound(to: Deadline.self) else { return 0 }
          deadline.pointee.isOver = DispatchTime.now().uptimeNanoseconds >= deadline.pointee.end
          return deadline.pointee.isOver ? 1 : 0
        }, deadline)
      defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
      do {
        return try body()
      } catch let error as DatabaseError
        where error.resultCode == .SQLITE_INTERRUPT && deadline.pointee.isOver
      {
        throw Problem(
          .unprocessable, "This takes longer than \(Int(seconds)) s, and was ended.",
          hint: "Ask for one project, or add a condition that leaves fewer runs.")
      }
    }
  }
}

/// In nanoseconds of uptime.
private struct Deadline {
  var end: UInt64
  var isOver = false
}

extension Database {
  /// What filters need beside SQLite's own functions.
  func addFilterFunctions() {
    let matchers = Matchers()
    add(
      function: DatabaseFunction("martlet_found", argumentCount: 2, pure: true) { values in
        guard case .string(let pattern) = values[0].storage, case .string(let text) = values[1].storage else {
          return false
        }
        return try matchers.isFound(pattern, in: text)
      })
  }
}

/// The regular expressions of the last questions on one connection.
///
/// `@unchecked`: SQLite calls functions of a connection on its queue alone.
private final class Matchers: @unchecked Sendable {
  private var known: [String: RegexMatcher] = [:]

  func isFound(_ pattern: String, in text: String) throws -> Bool {
    if known[pattern] == nil {
      if known.count >= 16 { known = [:] }
      known[pattern] = try LinearRegex(pattern).matcher()
    }
    return known[pattern]?.isFound(in: text) ?? false
  }
}
