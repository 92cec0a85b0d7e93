// Calls that may never come back: of a driver whose device is gone, of a file system whose server is.

import Dispatch
import Synchronization

#if THREAD_SANITIZER
  import MartletModel  // its Mutex
#endif

/// A call that is made on a thread of its own, so that nobody hangs with it.
///
/// While one hangs no other is made: so one thread is lost to it, not one a round.
final class LonelyCall<Value: Sendable>: Sendable {
  private let queue: DispatchQueue
  private let since = Mutex<ContinuousClock.Instant?>(nil)

  /// - Parameter name: of the thread, for people.
  init(_ name: String) { queue = DispatchQueue(label: "martlet.\(name)", qos: .utility) }

  /// How long the call that is under way takes already; nil: none is.
  var hangs: Duration? { since.withLock { $0.map { .now - $0 } } }

  /// Makes the call; blocks.
  ///
  /// - Returns: nil when it has not come back within `patience`, or one from before has not yet.
  func value(within patience: Duration, _ body: @escaping @Sendable () -> Value) -> Value? {
    let isFree = since.withLock { since in
      guard since == nil else { return false }
      since = .now
      return true
    }
    guard isFree else { return nil }
    let answer = Answer<Value>()
    queue.async { [self] in
      answer.give(body())
      since.withLock { $0 = nil }
      answer.given.signal()
    }
    let (seconds, fraction) = patience.components
    let deadline = DispatchTime.now() + .seconds(Int(seconds)) + .nanoseconds(Int(fraction / 1_000_000_000))
    return answer.given.wait(timeout: deadline) == .success ? answer.value : nil
  }
}

private final class Answer<Value: Sendable>: Sendable {
  let given = DispatchSemaphore(value: 0)
  private let held = Mutex<Value?>(nil)

  var value: Value? { held.withLock(\.self) }
  func give(_ value: Value) { held.withLock { $0 = value } }
}
