// Batches of points that wait together are committed together.

package import MartletModel
package import MartletStore

/// One commit for all batches that came while the commit before was on its way to the disk.
///
/// A batch that cannot be stored fails alone: each has a savepoint of its own.
package actor IngestQueue {
  private struct Waiting {
    var rows: [LogRow]
    var run: PublicID
    var client: String
    var answer: CheckedContinuation<(receipt: AppendReceipt, stored: [StoredRow]), any Error>
  }

  private let store: Store
  private let clock: any WallClock
  private let keyLimit: Int
  /// Told of every commit's rows, in the order of the commits, before any of their senders is answered.
  private let committed: @Sendable ([(run: PublicID, rows: [StoredRow])]) -> Void
  private var waiting: [Waiting] = []
  /// Of all batches that are not answered yet.
  private(set) var waitingBytes = 0
  private let byteLimit: Int
  private var isCommitting = false

  package init(
    store: Store, clock: any WallClock, keyLimit: Int, byteLimit: Int = 64 << 20,
    committed: @escaping @Sendable ([(run: PublicID, rows: [StoredRow])]) -> Void = { _ in }
  ) {
    self.committed = committed
    self.byteLimit = byteLimit
    self.store = store
    self.clock = clock
    self.keyLimit = keyLimit
  }

  /// Returns when the rows are durable.
  ///
  /// - Parameter bytes: what the rows came in: batches wait in memory, so there is a bound on what may wait. The server's
  ///   own batches, which come one at a time, count nothing.
  /// - Throws: what `StoreWriter.append` throws; `Problem.unavailable` when too much waits already.
  package func append(
    _ rows: [LogRow], to run: PublicID, client: String, bytes: Int = 0
  ) async throws -> (receipt: AppendReceipt, stored: [StoredRow]) {
    guard bytes == 0 || waitingBytes + bytes <= byteLimit else {
      throw Problem(
        .unavailable,
        "\(waitingBytes >> 20) MiB of points wait for the disk already; these were not taken.",
        hint: "Send them again in a moment. If this goes on, the disk of the data directory is too slow.")
    }
    waitingBytes += bytes
    defer { waitingBytes -= bytes }
    return try await withCheckedThrowingContinuation { continuation in
      waiting.append(Waiting(rows: rows, run: run, client: client, answer: continuation))
      if !isCommitting {
        isCommitting = true
        Task { await commit() }
      }
    }
  }

  private func commit() async {
    while !waiting.isEmpty {
      let batch = waiting
      waiting = []
      let (now, keyLimit) = (clock.now, keyLimit)
      let work = batch.map { (rows: $0.rows, run: $0.run, client: $0.client) }
      do {
        let results = try await store.write { writer in
          try work.map { item in
            try writer.attempt {
              try writer.append(item.rows, to: item.run, client: item.client, keyLimit: keyLimit, now: now)
            }
          }
        }
        committed(
          zip(batch, results).compactMap { item, result in
            guard case .success(let success) = result, !success.stored.isEmpty else { return nil }
            return (item.run, success.stored)
          })
        for (item, result) in zip(batch, results) {
          item.answer.resume(with: result)
        }
      } catch {
        for item in batch { item.answer.resume(throwing: error) }
      }
    }
    isCommitting = false
  }
}
