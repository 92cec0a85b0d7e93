// Work that waits for the disk, away from Swift's threads, of which there are few.

import Dispatch

/// Runs `body` on a thread that may wait.
func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
  }
}
