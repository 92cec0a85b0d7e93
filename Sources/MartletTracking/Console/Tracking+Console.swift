// Logs as lines, for every face: read, searched.

package import MartletModel
import Synchronization

extension Tracking {
  /// Lines in one answer.
  package static let largestLinePage = 5_000
  /// Found lines in one answer.
  package static let largestMatchPage = 1_000
  /// Seconds that a search of a log may take.
  package static let searchSeconds = 20.0

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
    return try await blocking {
      let (view, lines) = try log.lines(
        from: from, count: count, at: time, scope, hasEnded: source.hasEnded)
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
    let isCancelled = Atomic(false)
    let deadline = ContinuousClock.now + .seconds(Self.searchSeconds)
    return try await withTaskCancellationHandler {
      try await blocking {
        let bound = SearchBound(deadline: deadline) { isCancelled.load(ordering: .relaxed) }
        let view = try log.current(hasEnded: source.hasEnded)
        return try view.search(pattern, scope, after: after, limit: limit, bound: bound)
      }
    } onCancel: {
      isCancelled.store(true, ordering: .relaxed)
    }
  }
}
