// Questions that take too long are ended: none may hold a reader for ever.

import Foundation
import GRDB
import GRDBSQLite
import MartletModel

extension StoreReader {
  /// Seconds that the answer to one question may take.
  static let questionSeconds = 10.0
  /// Seconds that a question may take that does not wait for the turn of long ones.
  static let hastySeconds = 0.25

  /// Runs `body`, and ends its statements and its search in texts once it has taken too long.
  ///
  /// - Parameter seconds: nil: as long as this reader gives a question.
  /// - Throws: `Problem.unprocessable` when the time is over, `Unanswered` of a hasty reader; what `body` throws.
  func limited<T>(seconds: Double? = nil, _ body: () throws -> T) throws -> T {
    let seconds = seconds ?? (isHasty ? Self.hastySeconds : Self.questionSeconds)
    let answering = Answering(seconds: seconds)
    // Every so many steps of SQLite's machine: some 50 µs.
    sqlite3_progress_handler(
      db.sqliteConnection, 4_000,
      { pointer in
        guard let pointer else { return 0 }
        return Unmanaged<Answering>.fromOpaque(pointer).takeUnretainedValue().isLate() ? 1 : 0
      }, Unmanaged.passUnretained(answering).toOpaque())
    defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
    return try withExtendedLifetime(answering) {
      do {
        return try Answering.$current.withValue(answering) { try body() }
      } catch let error where answering.hasEndedIt(error) {
        guard !isHasty else { throw Unanswered() }
        throw Problem(
          .unprocessable, "This takes longer than \(Int(seconds)) s, and was ended.",
          hint: "Ask for one project, or add a condition that leaves fewer runs.")
      }
    }
  }
}

/// A question is no quick one: it is asked again when it is its turn.
struct Unanswered: Error {}

/// One answer while it is made: until when that may take, and what was learned of its regular expressions.
///
/// It goes with its question, and the memory with it. `@unchecked`: a connection answers one question at a time, on its own
/// queue.
final class Answering: @unchecked Sendable {
  /// That of the question which the thread is answering.
  @TaskLocal static var current: Answering?

  /// Bytes that all expressions of a question may learn, about; each has room for some states in any case.
  private static let learnedLimit = 8 << 20
  private static let leastLearned = 32 << 10

  /// In nanoseconds of uptime.
  private let end: UInt64
  private var wasLate = false
  private var matchers: [String: RegexMatcher] = [:]

  init(seconds: Double) { end = DispatchTime.now().uptimeNanoseconds + UInt64(seconds * 1e9) }

  /// Looks at the clock.
  func isLate() -> Bool {
    wasLate = wasLate || DispatchTime.now().uptimeNanoseconds >= end
    return wasLate
  }

  /// - Throws: what SQLite says of a statement that was ended, when the time is over.
  func check() throws {
    if isLate() { throw DatabaseError(resultCode: .SQLITE_INTERRUPT, message: "out of time") }
  }

  /// Whether an error is the end of the time.
  func hasEndedIt(_ error: any Error) -> Bool {
    guard wasLate else { return false }
    return error is CancellationError || (error as? DatabaseError)?.resultCode == .SQLITE_INTERRUPT
  }

  func isFound(_ pattern: String, in text: String) throws -> Bool {
    if matchers[pattern] == nil {
      matchers[pattern] = try LinearRegex(pattern).matcher()
      let share = max(Self.learnedLimit / matchers.count, Self.leastLearned)
      for pattern in matchers.keys { matchers[pattern]?.learnedLimit = share }
    }
    return try matchers[pattern]?.isFound(in: text, check: check) ?? false
  }
}

extension Database {
  /// What filters need beside SQLite's own functions.
  func addFilterFunctions() {
    add(
      function: DatabaseFunction("martlet_found", argumentCount: 2, pure: true) { values in
        guard case .string(let pattern) = values[0].storage, case .string(let text) = values[1].storage else {
          return false
        }
        return try Answering.current?.isFound(pattern, in: text) ?? LinearRegex(pattern).isFound(in: text)
      })
  }
}
