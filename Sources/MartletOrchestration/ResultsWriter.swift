// What a sweep leaves for people: sweep_summary.csv and best_model/, rewritten whenever a trial has ended.

import Foundation
import Logging
import MartletFormats
import MartletModel
import MartletStore
import MartletTracking
import OrderedCollections

/// Writes one sweep's results at a time; trials that end meanwhile are gathered into the sweep's next round.
actor ResultsWriter {
  private let store: Store
  private let clock: any WallClock
  private let logger: Logger
  private static let shortestPause: Duration = .milliseconds(250)
  /// Two rounds at a time could leave the older table on the disk.
  private let queue = OrderedQueue()
  private var waiting: [PublicID: OpenSweep] = [:]
  /// Who writes a sweep's rounds. Each sweep has its own pause, and its turn in the queue: none waits for another's
  /// trials to end less often.
  private var writing: [PublicID: Task<Void, Never>] = [:]
  /// The best run that was copied last, of each sweep.
  private var copied: [PublicID: PublicID] = [:]

  init(store: Store, clock: any WallClock, logger: Logger) {
    self.store = store
    self.clock = clock
    self.logger = logger
  }

  /// Writes soon.
  func note(_ sweep: OpenSweep) {
    let id = sweep.id
    waiting[id] = sweep
    if writing[id] == nil { writing[id] = Task { await writeWaiting(id) } }
  }

  /// Writes what waits, and returns when nothing is being written any more.
  func close() async {
    for round in writing.values { round.cancel() }
    while let round = writing.values.first { await round.value }
    await queue.drain()
  }

  private func writeWaiting(_ id: PublicID) async {
    while let sweep = waiting.removeValue(forKey: id) {
      let began = ContinuousClock.now
      await write(sweep)
      // Large sweeps take long to write: most of the time belongs to their trials, of which short ones may end by the
      // dozen in a quarter of a second. The turn that was waited for counts: many sweeps together take no more time
      // than one. A cancelled sleep is a short one.
      try? await Task.sleep(for: max(began.duration(to: .now) * 5, Self.shortestPause))
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
    await write(sweep)
    copied[sweep.id] = nil
  }

  /// Writes now. A folder that was deleted, or a full disk, is told in the log: the store has it all.
  private func write(_ sweep: OpenSweep) async {
    do {
      try await queue.run { try await self.writeNow(sweep) }
    } catch {
      logger.error("The results of sweep \(sweep.id) could not be written to \(sweep.directory): \(error)")
    }
  }

  private func writeNow(_ sweep: OpenSweep) async throws {
    let id = sweep.id
    let rows = try await store.read { reader in
      let runs = Dictionary(uniqueKeysWithValues: try reader.runs(ofSweep: id).map { ($0.id, $0) })
      return try reader.trials(of: id).map { trial in (trial, runs[trial.run]) }
    }
    let objective = sweep.specification.objective
    let summary = SweepSummary(
      of: sweep.specification,
      rows: rows.map { trial, run in
        SweepSummary.Row(
          number: trial.number, runName: trial.runName, trialState: trial.state,
          state: trial.runState.rawValue,
          parameters: trial.parameters,
          metrics: Dictionary(
            (run?.metrics ?? []).map {
              ($0.name, SweepSummary.MetricSummary(final: $0.last, min: $0.min, max: $0.max))
            }, uniquingKeysWith: { $1 }), objective: trial.objective)
      })
    let csv = Data(summary.csv.utf8)
    try await blocking {
      try csv.write(to: URL(fileURLWithPath: "\(sweep.directory)/sweep_summary.csv"), options: .atomic)
    }
    guard let best = summary.best, let objective, let value = best.objective,
      let run = rows.first(where: { $0.0.number == best.number })?.1
    else { return }
    try await copy(run, value: value, objective: objective, of: sweep)
  }

  private func copy(_ run: Run, value: Double, objective: Objective, of sweep: OpenSweep) async throws {
    guard copied[sweep.id] != run.id, let directory = run.directory else { return }
    let (pattern, now) = (sweep.specification.checkpoint, clock.now)
    let isCopied = try await blocking {
      let target = "\(sweep.directory)/best_model"
      let fresh = "\(sweep.directory)/.best_model.new"
      let files = FileManager.default
      guard let checkpoint = Checkpoint.newest(matching: pattern, in: directory) else {
        // What lies there is another run's, which is the best no more.
        if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
        return false
      }
      if files.fileExists(atPath: fresh) { try files.removeItem(atPath: fresh) }
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
