// What is computed because somebody waits for it: charts, and what sweeps look for.

package import MartletModel
import Synchronization

extension Store {
  /// The series of one run; those that have to be computed wait for their turn, so that readers stay free for others.
  ///
  /// - Throws: as `StoreReader.series`; `CancellationError` when the task is cancelled or the store is being closed.
  package func series(run id: PublicID, _ window: SeriesWindow, limit: Int) async throws -> [Series] {
    let logged: [Series]? = try await read { reader in
      try reader.asksForDerived(window, run: id) ? nil : reader.series(run: id, window, limit: limit)
    }
    if let logged { return logged }
    let (keeper, question) = (keeper, Question())
    return try await derivedTurns.run { [self] in
      try await withTaskCancellationHandler {
        try await read { reader in
          let effort = DerivedEffort(until: { question.isCancelled || keeper.isStopped })
          return try reader.series(run: id, window, limit: limit, effort: effort)
        }
      } onCancel: {
        question.cancel()
      }
    }
  }

  /// Computes what the sweep of a run looks for, beside the writer, where that is derived and not up to date.
  ///
  /// - Returns: why it cannot be computed; nil: it is known now, or is what the run logged itself.
  /// - Throws: `CancellationError` when the store is being closed.
  package func deriveObjective(of id: PublicID) async throws -> String? {
    do {
      let keeper = keeper
      let plan = try await derivedTurns.run { [self] in
        try await read { try $0.objectivePlan(of: id, until: { keeper.isStopped }) }
      }
      guard let plan else { return nil }
      try await write { try $0.write(plan) }
      return plan.tooLarge.first.map {
        "The derived metric '\($0)' takes too much to be computed from all points of this run."
      }
    } catch let problem as Problem where problem.code == .internal {
      return "What the sweep looks for cannot be computed: \(problem)"
    }
  }
}

/// Whether somebody still waits for an answer.
private final class Question: Sendable {
  private let state = Mutex(false)

  var isCancelled: Bool { state.withLock { $0 } }

  func cancel() { state.withLock { $0 = true } }
}
