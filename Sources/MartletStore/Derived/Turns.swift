// A few at a time, the others wait.

import MartletModel
import Synchronization

/// Lets so many through at a time, and the others in the order in which they came.
final class Turns: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Bool, Never>] = []
  }

  private let state: Mutex<State>
  private let waitingLimit: Int

  /// - Parameter waitingLimit: how many may wait.
  init(_ count: Int, waitingLimit: Int = .max) {
    state = Mutex(State(free: count))
    self.waitingLimit = waitingLimit
  }

  /// Runs `body` when it is its turn. Whoever was cancelled while it waited is let through, to find out by itself.
  ///
  /// - Throws: `Problem.unavailable` when too many wait; what `body` throws.
  func run<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
    guard await begin() else {
      throw Problem(
        .unavailable, "\(waitingLimit) questions wait to be answered already.", hint: "Try again in a while.")
    }
    defer { end() }
    return try await body()
  }

  /// Waits for a turn; false: too many do.
  private func begin() async -> Bool {
    await withCheckedContinuation { (turn: CheckedContinuation<Bool, Never>) in
      let isMyTurn: Bool? = state.withLock { state in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        guard state.waiting.count < waitingLimit else { return false }
        state.waiting.append(turn)
        return nil
      }
      if let isMyTurn { turn.resume(returning: isMyTurn) }
    }
  }

  private func end() {
    let next: CheckedContinuation<Bool, Never>? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    next?.resume(returning: true)
  }
}
