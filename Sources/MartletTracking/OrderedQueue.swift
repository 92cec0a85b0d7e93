// Jobs one after the other, in the order in which they came.

import Synchronization

#if THREAD_SANITIZER
  import MartletModel  // its Mutex
#endif

/// Runs each job to its end, waits included, before the next begins.
///
/// An actor alone does not do that: while one of its methods waits, others run. A machine's decision, its commit and
/// its application to memory must not be interleaved with another decision.
package final class OrderedQueue: Sendable {
  private let last = Mutex<Task<Void, Never>?>(nil)

  package init() {}

  package func run<T: Sendable>(_ job: @escaping @Sendable () async throws -> T) async throws -> T {
    let task = last.withLock { last in
      let before = last
      let task = Task {
        await before?.value
        return try await job()
      }
      last = Task { _ = await task.result }
      return task
    }
    return try await task.value
  }

  /// Runs a job in its turn; whoever asks for it does not wait.
  package func add(_ job: @escaping @Sendable () async -> Void) {
    last.withLock { last in
      let before = last
      last = Task {
        await before?.value
        await job()
      }
    }
  }

  /// Returns when everything that was in the queue is done.
  package func drain() async { await last.withLock(\.self)?.value }
}
