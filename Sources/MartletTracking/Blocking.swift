// Calls that may wait for a disk, kept off Swift's cooperative threads.

import Dispatch

private let blockingQueue = DispatchQueue(label: "martlet.blocking", attributes: .concurrent)

/// Runs `body` on a thread that may wait.
package func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    blockingQueue.async { continuation.resume(with: Result(catching: body)) }
  }
}
