// What just changed, told to whoever watches.

package import MartletModel
import Synchronization

/// A durable row on its way to watchers.
package struct FeedRow: Sendable {
  package var step: Int64
  package var time: Timestamp
  package var numbers: [(name: String, value: Double)]

  package init(step: Int64, time: Timestamp, numbers: [(name: String, value: Double)]) {
    self.step = step
    self.time = time
    self.numbers = numbers
  }
}

/// A change that is durable.
package enum FeedEvent: Sendable {
  case run(Run)
  case sweep(Sweep)
  case trial(sweep: PublicID, Trial)
  case points(run: PublicID, rows: [FeedRow])
}

/// Hands every change to every subscriber, in one order.
///
/// Subscribers are called under the feed's lock: they note what changed and return at once. So a slow reader of a
/// subscription can never hold up whoever publishes.
package final class LiveFeed: Sendable {
  package typealias Receiver = @Sendable (_ sequence: UInt64, _ event: FeedEvent) -> Void

  private struct State {
    var sequence: UInt64 = 0
    var nextID = 0
    var receivers: [Int: Receiver] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  /// The number of the newest change.
  package var sequence: UInt64 { state.withLock(\.sequence) }

  package var isWatched: Bool { state.withLock { !$0.receivers.isEmpty } }

  /// Calls `receive` for every change from now on, until the subscription is cancelled or let go.
  package func subscribe(_ receive: @escaping Receiver) -> FeedSubscription {
    let id = state.withLock { state in
      state.nextID += 1
      state.receivers[state.nextID] = receive
      return state.nextID
    }
    return FeedSubscription { [self] in _ = state.withLock { $0.receivers.removeValue(forKey: id) } }
  }

  package func publish(_ events: [FeedEvent]) {
    state.withLock { state in
      for event in events {
        state.sequence += 1
        for receive in state.receivers.values { receive(state.sequence, event) }
      }
    }
  }
}

/// A place in the feed; ends with `cancel` or with its last reference.
package final class FeedSubscription: Sendable {
  private let end: @Sendable () -> Void

  init(end: @escaping @Sendable () -> Void) { self.end = end }

  deinit { end() }

  package func cancel() { end() }
}
