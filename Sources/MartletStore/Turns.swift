// A few at a time, the others wait.

import MartletModel
import Synchronization

/// Lets so many through at a time, and the others in the order in which they came.
final class Turns: Sendable {
  private struct State {
    var free: Int
    var newest = 0
    var waiting: [(number: Int, turn: CheckedContinuation<Void, any Error>)] = []
  }

  private let state: Mutex<State>
  private let waitingLimit: Int

  /// - Parameter waitingLimit: how many may wait.
  init(_ count: Int, waitingLimit: Int = .max) {
    state = Mutex(State(free: count))
    self.waitingLimit = waitingLimit
  }

  /// How many wait for their turn.
  var waiting: Int { state.withLock { $0.waiting.count } }

  /// Runs `body` when it is its turn.
  ///
  /// - Throws: `CancellationError` when the task is cancelled before; `Problem.unavailable` when too many wait; what
  ///   `body` throws.
  func run<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T {
    try await begin()
    defer { end() }
    return try await body()
  }

  private enum Entry { case free, waits, crowded, cancelled }

  private func begin() async throws {
    let number = state.withLock { state in
      state.newest += 1
      return state.newest
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (turn: CheckedContinuation<Void, any Error>) in
        let entry = state.withLock { state -> Entry in
          // Asked under the lock: whoever cancels does so before it takes the lock to look for us.
          if Task.isCancelled { return .cancelled }
          guard state.free > 0 else {
            guard state.waiting.count < waitingLimit else { return .crowded }
            state.waiting.append((number, turn))
            return .waits
          }
          state.free -= 1
          return .free
        }
        switch entry {
        case .free: turn.resume()
        case .waits: break
        case .crowded:
          turn.resume(
            throwing: Problem(
              .unavailable, "\(waitingLimit) questions wait to be answered already.",
              hint: "Try again in a while."))
        case .cancelled: turn.resume(throwing: CancellationError())
        }
      }
    } onCancel: {
      let turn = state.withLock { state in
        state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0).turn }
      }
      turn?.resume(throwing: CancellationError())
    }
  }

  private func end() {
    let next: CheckedContinuation<Void, any Error>? = state.withLock { state in
      guard !state.waiting.isEmpty else {
        state.free += 1
        return nil
      }
      return state.waiting.removeFirst().turn
    }
    next?.resume()
  }
}
