// System metrics of runs: taken in, read back, removed.

import Logging
package import MartletModel
package import MartletSeries
import MartletStore
import OrderedCollections
import Synchronization

/// Rows that one sampler has of one run.
package struct RunSample: Sendable {
  package var run: PublicID
  /// Who counts the rows.
  package var client: String
  package var batch: RowBatch

  package init(run: PublicID, client: String, batch: RowBatch) {
    (self.run, self.client, self.batch) = (run, client, batch)
  }
}

extension Tracking {
  /// System metrics a run may have.
  package static let systemKeyLimit = 2_000

  /// Takes what a client of a run sampled: rows of numbers, whose steps are milliseconds since 1970, and where a row has
  /// none, that of its time.
  ///
  /// - Throws: `Problem`: `unprocessable` with the place of the first fault, `conflict` with `details.next_seq` when rows
  ///   are missing before these, `notFound`.
  package func appendSystem(
    _ id: PublicID, client: String, body: [UInt8], access: Access
  ) async throws -> AppendReceipt {
    try Self.checkClient(client)
    // Before anything of the batch is looked at: it may be for somebody else's run.
    let place = try await store.read { try Self.checkWritable(try $0.place(of: id), id, access) }
    var batch = try LogLines.decode(body, now: clock.now)
    guard batch.texts.isEmpty else {
      throw Problem(
        .unprocessable, "The value of '\(batch.texts[0].name)' is no number.",
        hint: "System metrics are numbers; log everything else to the run itself.")
    }
    for index in batch.stepless {
      let microseconds = batch.times[Int(index)]
      batch.steps[Int(index)] = microseconds / 1_000 - (microseconds % 1_000 < 0 ? 1 : 0)
    }
    batch.stepless = []
    let sample = RunSample(run: id, client: client, batch: batch)
    return try await append([(sample, place.state.isEnd)])[0].get()
  }

  /// Takes what the server sampled of runs that it executes, in one transaction.
  ///
  /// - Returns: what became of each run's; those of runs that are gone, or in the trash, are left out.
  package func appendSamples(
    _ samples: [RunSample]
  ) async throws -> [(run: PublicID, result: Result<AppendReceipt, any Error>)] {
    let work = try await store.read { reader in
      try samples.compactMap { item -> (RunSample, Bool)? in
        guard let place = try reader.place(of: item.run), !place.isDeleted else { return nil }
        return (item, place.state.isEnd)
      }
    }
    return zip(work, try await append(work)).map { ($0.0.run, $1) }
  }

  private func append(
    _ work: [(sample: RunSample, hasEnded: Bool)]
  ) async throws -> [Result<AppendReceipt, any Error>] {
    guard !work.isEmpty else { return [] }
    let now = clock.now
    let results = try await samples.storeToWrite().write { writer in
      try work.map { item in
        try writer.attempt {
          let sample = item.sample
          try writer.keepSampled(sample.run, hasEnded: item.hasEnded, now: now)
          return try writer.append(
            sample.batch, to: sample.run, client: sample.client, keyLimit: Self.systemKeyLimit, now: now)
        }
      }
    }
    if feed.isWatched {
      feed.publish(
        zip(work, results).compactMap { item, result in
          guard case .success(let success) = result, let stored = success.stored else { return nil }
          return .system(run: item.sample.run, stored)
        })
    }
    return results.map { $0.map(\.receipt) }
  }

  // MARK: - Reading

  /// Which system metrics a run has, with their bounds.
  package func systemOverview(_ id: PublicID, access: Access) async throws -> SystemOverview {
    try await place(id, access)
    guard let store = try await samples.store() else {
      return SystemOverview(metrics: [], from: nil, to: nil)
    }
    return try await store.read { try $0.systemOverview(of: id) }
  }

  /// As `series` gives what was logged.
  func sampledSeries(
    _ runs: OrderedSet<PublicID>, _ window: SeriesWindow, access: Access
  ) async throws -> [Series] {
    try await check(runs, access: access)
    guard let store = try await samples.store() else { return [] }
    var series: [Series] = []
    var left = Self.seriesPointLimit
    for id in runs {
      let limit = left
      let found = try await store.read { try $0.sampledSeries(of: id, window, limit: limit) }
      left -= found.reduce(0) { $0 + $1.steps.count }
      series += found
    }
    return series
  }

  // MARK: - Ends

  /// One round, called every few seconds: samples of runs that have ended are laid into chunks, those of purged runs go.
  func seeToSamples() async throws {
    guard let samples = try await samples.store() else { return }
    let now = clock.now
    let open = try await samples.read { try $0.sampledRuns(isOpen: true) }
    let ended = try await store.read { reader in
      try open.filter { try reader.place(of: $0)?.state.isEnd ?? true }
    }
    if !ended.isEmpty {
      try await samples.write { writer in
        for id in ended { try writer.keepSampled(id, hasEnded: true, now: now) }
      }
    }
    guard self.samples.needsRound.exchange(false, ordering: .relaxed) else { return }
    do {
      let kept = try await samples.read { try $0.sampledRuns() }
      let gone = try await store.read { reader in try kept.filter { try reader.place(of: $0) == nil } }
      try await samples.write { writer in for id in gone { try writer.dropSampled(id, now: now) } }
      // There are no directories of sampled runs: what is left are their rows.
      let removed = try await samples.read { try $0.purgedRuns(all: false) }
      try await samples.write { try $0.endPurge(of: removed) }
      if try await !samples.read({ try $0.purgedRuns(all: false) }).isEmpty {
        self.samples.needsRound.store(true, ordering: .relaxed)
      }
    } catch {
      self.samples.needsRound.store(true, ordering: .relaxed)
      throw error
    }
  }

  /// Nothing is sampled after it.
  package func closeSamples() async {
    do {
      try await samples.close()
    } catch {
      logger.error("The file of system metrics was not closed cleanly: \(error)")
    }
  }
}
