// File system calls have threads of their own: one fsync on the cooperative pool would stall every handler.

import Dispatch

private let blockingQueue = DispatchQueue(label: "martlet.server.files", attributes: .concurrent)

/// Runs `work`, which may block, on a thread outside the cooperative pool.
func blocking<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    blockingQueue.async { continuation.resume(with: Result(catching: work)) }
  }
}
