// What a sweep leaves for people: tables, results and the best model, rewritten soon after a trial has ended.

import Foundation
import Logging
import MartletFormats
import MartletModel
import MartletStore
import MartletTracking
import OrderedCollections

/// Writes one sweep's results at a time; trials that end meanwhile are gathered into the sweep's next round.
///
/// A round costs as much as its sweep is large. So that each trial costs the same, however many there are, a large sweep has
/// its next round when a quarter more trials have ended, or after some seconds, and rounds take a small part of the time.
actor ResultsWriter {
  let store: Store
  private let clock: any WallClock
  let logger: Logger
  /// Told of trials in which something was found.
  let tell: @Sendable (PublicID, OrderedSet<Int>) -> Void
  private static let shortestPause: Duration = .milliseconds(250)
  private static let longestPause: Duration = .seconds(5)
  /// The part of a sweep's trials that are worth a round.
  private static let worthwhile = 4
  /// A round is followed by a pause that is so many times as long.
  private static let rest = 19
  /// Sweeps of so many trials have a round whenever one has ended.
  private static let small = 64
  /// Two rounds at a time could leave the older table on the disk.
  private let queue = OrderedQueue()
  private var waiting: [PublicID: Round] = [:]
  /// Who writes a sweep's rounds. Each sweep has its own pause, and its turn in the queue: none waits for another's
  /// trials to end less often.
  private var writing: [PublicID: Task<Void, Never>] = [:]
  /// The best run that was copied last, of each sweep.
  private var copied: [PublicID: PublicID] = [:]
  /// When each sweep had its last round, and how many trials it had then.
  private var written: [PublicID: (trials: Int, at: ContinuousClock.Instant)] = [:]

  /// What is to be written.
  private struct Round {
    var sweep: OpenSweep
    /// How often somebody said that trials ended.
    var news: Int
  }

  init(
    store: Store, clock: any WallClock, logger: Logger,
    tell: @escaping @Sendable (PublicID, OrderedSet<Int>) -> Void = { _, _ in }
  ) {
    self.store = store
    self.clock = clock
    self.logger = logger
    self.tell = tell
  }

  /// Writes soon.
  func note(_ sweep: OpenSweep) {
    let id = sweep.id
    waiting[id] = Round(sweep: sweep, news: (waiting[id]?.news ?? 0) + 1)
    if writing[id] == nil { writing[id] = Task { await writeWaiting(id) } }
  }

  /// Writes what waits, and returns when nothing is being written any more.
  func close() async {
    for round in writing.values { round.cancel() }
    while let round = writing.values.first { await round.value }
    await queue.drain()
  }

  private func writeWaiting(_ id: PublicID) async {
    while let round = waiting[id] {
      if let last = written[id], last.at.duration(to: .now) < Self.longestPause, !Task.isCancelled,
        round.news * Self.worthwhile < last.trials - Self.small
      {
        // A cancelled sleep is a short one.
        try? await Task.sleep(for: Self.shortestPause)
        continue
      }
      waiting[id] = nil
      let began = ContinuousClock.now
      let trials = await write(round.sweep, isLast: false)
      written[id] = (trials, .now)
      // Large sweeps take long to write: most of the time belongs to their trials, of which short ones may end by the
      // dozen in a quarter of a second. The turn that was waited for counts: many sweeps together take no more time
      // than one. A cancelled sleep is a short one.
      try? await Task.sleep(for: max(began.duration(to: .now) * Self.rest, Self.shortestPause))
    }
    writing[id] = nil
  }

  /// Writes the results of a sweep that has ended, and nothing of it afterwards.
  func finish(_ sweep: OpenSweep) async {
    waiting[sweep.id] = nil
    // A round on its way holds what the sweep was before: it must not come behind this one.
    let round = writing[sweep.id]
    round?.cancel()
    await round?.value
    await write(sweep, isLast: true)
    (copied[sweep.id], written[sweep.id]) = (nil, nil)
  }

  /// Writes now. A folder that was deleted, or a full disk, is told in the log: the store has it all. Returns how many
  /// trials there are.
  ///
  /// - Parameter isLast: nothing comes after it, so that it waits until all lies on the disk.
  @discardableResult private func write(_ sweep: OpenSweep, isLast: Bool) async -> Int {
    do {
      return try await queue.run { try await self.writeNow(sweep, isLast: isLast) }
    } catch {
      logger.failure("The results of sweep \(sweep.id) could not be written to \(sweep.directory)", error)
      return 0
    }
  }

  private func writeNow(_ sweep: OpenSweep, isLast: Bool) async throws -> Int {
    try await examine(sweep)
    let (tables, now) = (
      ResultsTables(
        sweep: sweep.id, name: sweep.name, specification: sweep.specification, directory: sweep.directory,
        isSynced: isLast), clock.now
    )
    let (count, best) = try await store.read { try tables.write($0, now: now) }
    if sweep.specification.results.contains(.bestModel), let objective = sweep.specification.objective,
      let best, let value = best.objective
    {
      let id = sweep.id
      let run = try await store.read { reader in
        try reader.trial(of: id, number: best.number).flatMap { try reader.run($0.run) }
      }
      if let run { try await copy(run, value: value, objective: objective, of: sweep) }
    }
    return count
  }

  private func copy(_ run: Run, value: Double, objective: Objective, of sweep: OpenSweep) async throws {
    guard copied[sweep.id] != run.id, let directory = run.directory else { return }
    let (pattern, now) = (sweep.specification.checkpoint, clock.now)
    let isCopied = try await blocking {
      let target = "\(sweep.directory)/best_model"
      let fresh = "\(sweep.directory)/.best_model.new"
      let files = FileManager.default
      // A server that was killed may have left a part of one.
      if files.fileExists(atPath: fresh) { try files.removeItem(atPath: fresh) }
      guard let checkpoint = Checkpoint.newest(matching: pattern, in: directory) else {
        // What lies there is another run's, which is the best no more.
        if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
        return false
      }
      try files.createDirectory(atPath: fresh, withIntermediateDirectories: true)
      let model = BestModel(
        runName: run.name, runID: run.id, sweep: sweep.name, parameters: run.config, objective: objective,
        value: value, sourcePath: checkpoint.path, digest: try checkpoint.copy(into: fresh),
        command: run.command ?? [], gitCommit: run.git?.commit, time: now)
      try Data(model.metadata.bytes(indented: true) + [0x0A]).write(
        to: URL(fileURLWithPath: "\(fresh)/best_model_metadata.json"))
      if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
      try files.moveItem(atPath: fresh, toPath: target)
      return true
    }
    copied[sweep.id] = run.id
    if !isCopied {
      // Who never asked for a best model misses none.
      logger.log(
        level: pattern == SweepSpecification.usualCheckpoint ? .debug : .warning,
        "No file of run \(run.name) matches '\(pattern)': sweep \(sweep.id) has no best model in \(sweep.directory)."
      )
    }
  }
}
