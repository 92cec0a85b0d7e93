// Batches of points that wait together are committed together.

package import MartletModel
package import MartletSeries
package import MartletStore

/// One commit for all batches that came while the commit before was on its way to the disk.
///
/// Where several senders share commits, a commit waits until as many batches are there as the last one had, for at most
/// `gathering`; a sender that is alone never waits. A batch that cannot be stored fails alone: each has a savepoint of its
/// own.
package actor IngestQueue {
  /// How long a batch may wait for others before the commit begins.
  package static let gathering = Duration.milliseconds(10)
  /// Bytes of request bodies in one commit, so that other writers get their turn.
  private static let commitBytes = 16 << 20

  private struct Waiting {
    var batch: RowBatch
    var run: PublicID
    var client: String
    var bytes: Int
    var answer: CheckedContinuation<(receipt: AppendReceipt, stored: RowBatch?), any Error>
  }

  private let store: Store
  private let clock: any WallClock
  private let keyLimit: Int
  /// Told of every commit's rows, in the order of the commits. Their senders are answered first: who watches costs them
  /// nothing.
  private let committed: @Sendable ([(run: PublicID, batch: RowBatch)]) -> Void
  private var waiting: [Waiting] = []
  /// Of all batches that are not answered yet.
  private(set) var waitingBytes = 0
  private let byteLimit: Int
  private var isCommitting = false
  /// How many batches make a commit worth its while: those of the commit before.
  private var expected = 1
  /// When the last commit ended.
  private var lastCommit = ContinuousClock.now
  /// Called once the commit under way is told.
  private var flushes: [CheckedContinuation<Void, Never>] = []
  /// Ends the time of gathering.
  private var gathered: CheckedContinuation<Void, Never>?

  package init(
    store: Store, clock: any WallClock, keyLimit: Int, byteLimit: Int = 64 << 20,
    committed: @escaping @Sendable ([(run: PublicID, batch: RowBatch)]) -> Void = { _ in }
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
    _ batch: RowBatch, to run: PublicID, client: String, bytes: Int = 0
  ) async throws -> (receipt: AppendReceipt, stored: RowBatch?) {
    guard bytes == 0 || waitingBytes + bytes <= byteLimit else {
      throw Problem(
        .unavailable,
        "\(waitingBytes >> 20) MiB of points wait for the disk already; these were not taken.",
        hint: "Send them again in a moment. If this goes on, the disk of the data directory is too slow.")
    }
    waitingBytes += bytes
    defer { waitingBytes -= bytes }
    return try await withCheckedThrowingContinuation { continuation in
      waiting.append(
        Waiting(batch: batch, run: run, client: client, bytes: bytes, answer: continuation))
      if !isCommitting {
        isCommitting = true
        Task { await commit() }
      } else if waiting.count >= expected {
        endGathering()
      }
    }
  }

  /// Returns when all that is stored by now has been told.
  package func flush() async {
    guard isCommitting else { return }
    await withCheckedContinuation { flushes.append($0) }
  }

  private func commit() async {
    // After a pause nobody knows who will come.
    if ContinuousClock.now - lastCommit > Self.gathering { expected = 1 }
    while !waiting.isEmpty {
      await gather()
      let batches = next()
      let (now, keyLimit) = (clock.now, keyLimit)
      let work = batches.map { (batch: $0.batch, run: $0.run, client: $0.client) }
      do {
        let results = try await store.write { writer in
          try work.map { item in
            try writer.attempt {
              try writer.append(item.batch, to: item.run, client: item.client, keyLimit: keyLimit, now: now)
            }
          }
        }
        for (item, result) in zip(batches, results) { item.answer.resume(with: result) }
        committed(
          zip(batches, results).compactMap { item, result in
            guard case .success(let success) = result, let stored = success.stored else { return nil }
            return (item.run, stored)
          })
      } catch {
        for item in batches { item.answer.resume(throwing: error) }
      }
      for flush in flushes { flush.resume() }
      flushes = []
      expected = batches.count
      lastCommit = .now
    }
    isCommitting = false
  }

  /// As many batches as one commit takes, at least one.
  private func next() -> [Waiting] {
    var (count, bytes) = (0, 0)
    while count < waiting.count, count == 0 || bytes + waiting[count].bytes <= Self.commitBytes {
      bytes += waiting[count].bytes
      count += 1
    }
    defer { waiting.removeFirst(count) }
    return Array(waiting.prefix(count))
  }

  /// Waits for as many batches as the last commit had.
  private func gather() async {
    guard waiting.count < expected else { return }
    let alarm = Task {
      // A cancelled sleep only commits earlier.
      try? await Task.sleep(for: Self.gathering)
      if !Task.isCancelled { self.endGathering() }
    }
    await withCheckedContinuation { gathered = $0 }
    alarm.cancel()
  }

  private func endGathering() {
    gathered?.resume()
    gathered = nil
  }
}
