// What computing derived points may take, and who may end it.

import MartletModel

/// Bounds the work on derived points: a small text may ask for much of it, and it holds a reader of the database.
///
/// Work is counted in parts of expressions (operators, functions, names, numbers) times steps. Used on one thread.
package final class DerivedEffort {
  /// What the series of one run may take in one answer.
  package static let ofAnswer = 2_000_000_000
  /// What the aggregates of one derived metric may take in one run, and all that share a snapshot there.
  package static let ofSnapshot = 5_000_000_000

  private var left: Int
  private let isOver: () -> Bool

  /// - Parameters:
  ///   - limit: parts times steps.
  ///   - isOver: whether nobody wants the points any more; asked some thousand times a second.
  package init(_ limit: Int = DerivedEffort.ofAnswer, until isOver: @escaping () -> Bool = { false }) {
    (left, self.isOver) = (limit, isOver)
  }

  /// Counts what was computed or read.
  ///
  /// - Throws: `CancellationError` when nobody wants the points; `Problem.unprocessable` when they take too much.
  func spend(_ parts: Int) throws {
    if isOver() { throw CancellationError() }
    left -= parts
    guard left >= 0 else {
      throw Problem(
        .unprocessable, "What was asked for takes too long to be computed from this run's points.",
        hint: "Ask for fewer steps or fewer derived metrics at a time, or make their expressions shorter.")
    }
  }
}
