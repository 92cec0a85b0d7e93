// Logs as lines, for every face: read, searched.

package import MartletModel
import Synchronization

extension Tracking {
  /// Lines in one answer.
  package static let largestLinePage = 5_000
  /// Found lines in one answer.
  package static let largestMatchPage = 1_000
  /// Seconds that reading a log, or a search of one, may take.
  package static let logSeconds = 20.0

  /// Lines of a log as a terminal would show them.
  ///
  /// - Parameters:
  ///   - attempt: nil: the newest.
  ///   - from: the first line, from 0; negative: so many before the end.
  ///   - time: where it is given, the first line is the first that was written then or later.
  package func logLines(
    _ id: PublicID, _ scope: LogScope, attempt: Int?, from: Int, count: Int, at time: Timestamp?,
    access: Access
  ) async throws -> LogLinePage {
    guard let source = try await logSource(id, attempt, access: access) else {
      return LogLinePage(attempt: 0, attempts: 0, total: 0, settled: 0, ended: true, items: [])
    }
    let log = attemptLogs.log(in: source.directory)
    let count = min(max(0, count), Self.largestLinePage)
    let lane = attemptLogs.reading
    return try await withLogBound { bound in
      let view = try await log.current(hasEnded: source.hasEnded, bound: bound, lane: lane)
      let lines = try await lane.run {
        try log.lines(of: view, from: from, count: count, at: time, scope, bound: bound)
      }
      return LogLinePage(
        attempt: source.number, attempts: source.count, total: view.total(scope),
        settled: view.settled(scope), ended: source.hasEnded, items: lines)
    }
  }

  /// Lines of a log in which a text is.
  ///
  /// - Parameter after: the line behind which the search begins; nil: at the first.
  package func searchLog(
    _ id: PublicID, _ pattern: LogPattern, _ scope: LogScope, attempt: Int?, after: Int?, limit: Int,
    access: Access
  ) async throws -> LogMatches {
    guard let source = try await logSource(id, attempt, access: access) else {
      return LogMatches(count: 0, isComplete: true, items: [], next: nil)
    }
    let log = attemptLogs.log(in: source.directory)
    let limit = min(max(1, limit), Self.largestMatchPage)
    let (reading, searching) = (attemptLogs.reading, attemptLogs.searching)
    return try await withLogBound { bound in
      let view = try await log.current(hasEnded: source.hasEnded, bound: bound, lane: reading)
      return try await searching.run {
        // Its time begins with its place among the searches: who waits for one has it all.
        let own = LogBound(deadline: .now + .seconds(Self.logSeconds), isCancelled: bound.isCancelled)
        return try view.search(pattern, scope, after: after, limit: limit, bound: own)
      }
    }
  }

  /// Bounds work on a log by time, and by the life of the task that wants it.
  private func withLogBound<T: Sendable>(
    _ body: @Sendable (LogBound) async throws -> T
  ) async throws -> T {
    let isCancelled = CancelMark()
    let bound = LogBound(deadline: .now + .seconds(Self.logSeconds)) { isCancelled.isSet }
    return try await withTaskCancellationHandler {
      try await body(bound)
    } onCancel: {
      isCancelled.set()
    }
  }
}

/// Tells threads that run for a task that it was cancelled.
private final class CancelMark: Sendable {
  private let mark = Atomic(false)

  var isSet: Bool { mark.load(ordering: .relaxed) }
  func set() { mark.store(true, ordering: .relaxed) }
}
