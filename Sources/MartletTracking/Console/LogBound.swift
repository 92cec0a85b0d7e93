// How long reading a log may take, and in how many places at once that is done.

import MartletModel
import Synchronization

/// When work on a log is to end.
struct LogBound: Sendable {
  var deadline: ContinuousClock.Instant
  /// Whether nobody waits for it any more.
  var isCancelled: @Sendable () -> Bool = { false }

  var isOver: Bool { ContinuousClock.now >= deadline || isCancelled() }

  /// The same, for at most some time from now.
  func step(_ time: Duration) -> LogBound {
    LogBound(deadline: min(deadline, .now + time), isCancelled: isCancelled)
  }

  /// - Parameters:
  ///   - what: the beginning of a sentence.
  ///   - done: bytes that were read so far.
  func problem(_ what: String, done: Int, of all: Int) -> Problem {
    let percent = all > 0 ? Int(100 * Double(min(done, all)) / Double(all)) : 100
    return Problem(
      .unavailable, "\(what) is long, and is still being read: \(percent) % so far.",
      hint: "Ask again: what was read is kept.")
  }
}

/// Places for work that waits for a disk or takes long. Who finds none free waits without a thread, in order.
final class Lane: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  /// - Parameter places: how much is done at once.
  init(places: Int) { state = Mutex(State(free: places)) }

  /// Runs `body` on a thread that may wait.
  func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    await withCheckedContinuation { continuation in
      let mayGo = state.withLock { state in
        guard state.free == 0 else {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if mayGo { continuation.resume() }
    }
    defer {
      let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
        guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
        state.free += 1
        return nil
      }
      next?.resume()
    }
    return try await blocking(body)
  }
}
