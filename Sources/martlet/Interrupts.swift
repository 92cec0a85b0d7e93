// Ctrl-C and SIGTERM, counted, so that a command that follows something decides what they mean.

import Dispatch
import Foundation
import MartletModel
import Synchronization

/// From its creation on, SIGINT and SIGTERM no longer end the process; they are counted here.
final class Interrupts: Sendable {
  private struct State {
    var received = 0
    var handled = 0
    var wasTerminated = false
    var sleeper: Task<Void, Never>?
  }

  private let state = Mutex(State())
  /// Unsafe only to the compiler: Dispatch's sources are not marked Sendable, and these are only kept alive here.
  private nonisolated(unsafe) var sources: [any DispatchSourceSignal] = []

  init() {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number)
      source.setEventHandler { [weak self] in self?.receive(number) }
      source.resume()
      sources.append(source)
    }
  }

  private func receive(_ number: Int32) {
    state.withLock { state in
      state.received += 1
      if number == SIGTERM { state.wasTerminated = true }
      state.sleeper?.cancel()
    }
  }

  /// Whether one of them was SIGTERM, which no person at a keyboard sends.
  var wasTerminated: Bool { state.withLock { $0.wasTerminated } }

  /// Whether any arrived since the last `take`.
  var arePending: Bool { state.withLock { $0.received > $0.handled } }

  /// How many arrived since the last call.
  func take() -> Int {
    state.withLock { state in
      defer { state.handled = state.received }
      return state.received - state.handled
    }
  }

  /// Sleeps, but not through an interrupt.
  func pause(for duration: Duration) async {
    let sleeper = Task {
      do {
        try await Task.sleep(for: duration)
      } catch {
        // Cancelled: an interrupt came.
      }
    }
    state.withLock { state in
      state.sleeper = sleeper
      if state.received > state.handled { sleeper.cancel() }
    }
    await sleeper.value
    state.withLock { $0.sleeper = nil }
  }
}
