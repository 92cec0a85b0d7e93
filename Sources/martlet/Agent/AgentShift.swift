// What the workers of one agent share: how much is still to be begun, and whether somebody wants them to leave.

import Foundation
import MartletModel
import Synchronization

final class AgentShift: Sendable {
  private struct State {
    /// Trials that may still be begun; nil: any number.
    var left: Int?
    /// How often somebody asked for the end.
    var asked = 0
    var failure: Failure?
    var end: String?
  }

  let interrupts = Interrupts()
  private let state: Mutex<State>

  init(count: Int?) { state = Mutex(State(left: count)) }

  /// Ctrl-C or SIGTERM came: trials are given back.
  var isLeaving: Bool { state.withLock { $0.asked > 0 } }
  /// It came again.
  var isImpatient: Bool { state.withLock { $0.asked > 1 } }
  /// Why nothing more can be run here.
  var failure: Failure? { state.withLock { $0.failure } }
  /// How the sweep ended, once it has.
  var end: String? { state.withLock { $0.end } }

  /// Whether a worker may ask for one more trial; one that gets none says so with `giveUp`.
  func mayBegin() -> Bool {
    state.withLock { state in
      guard state.asked == 0, state.failure == nil, state.left != 0 else { return false }
      if let left = state.left { state.left = left - 1 }
      return true
    }
  }

  func giveUp() {
    state.withLock { state in
      if let left = state.left { state.left = left + 1 }
    }
  }

  func fail(_ failure: Failure) { state.withLock { $0.failure = $0.failure ?? failure } }

  func finish(_ words: String) { state.withLock { $0.end = $0.end ?? words } }

  /// Hears of Ctrl-C and SIGTERM until it is cancelled.
  func listen() -> Task<Void, Never> {
    Task {
      while !Task.isCancelled {
        let count = interrupts.take()
        if count > 0 {
          let isFirst = state.withLock { state in
            defer { state.asked += count }
            return state.asked == 0
          }
          Terminal.complain(
            isFirst
              ? "martlet: leaving; what runs is asked to stop and given back. Ctrl-C again kills it."
              : "martlet: leaving at once.")
        }
        // A cancelled sleep only ends earlier.
        try? await Task.sleep(for: .milliseconds(50))
      }
    }
  }
}
