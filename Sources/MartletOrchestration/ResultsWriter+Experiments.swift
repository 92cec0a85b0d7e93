// Each trial that has ended is looked at once: what is wrong with its losses is kept, and its own results are written.

import Foundation
import Logging
import MartletFormats
import MartletModel
import MartletStore
import MartletTracking
import OrderedCollections

extension ResultsWriter {
  /// Metrics of a run of which series are read, and points of each.
  private static let seriesLimit = 50
  private static let bucketCount = 400

  /// Trials looked at together.
  private static let together = 32

  /// Looks at those trials that have ended, logged something and were not looked at before.
  func examine(_ sweep: OpenSweep) async throws {
    let id = sweep.id
    var number = 0
    while true {
      let first = number
      let rows = try await store.read { reader in
        try reader.unexaminedTrials(ofSweep: id, from: first, limit: Self.together)
          .compactMap { trial in try reader.run(trial.run).map { (trial: trial, run: $0) } }
      }
      guard let last = rows.last else { return }
      number = last.trial.number + 1
      var found: [Int: TrialFindings] = [:]
      for (trial, run) in rows where !run.metrics.isEmpty {
        found[trial.number] = try await examine(trial, run, of: sweep)
      }
      guard !found.isEmpty else { continue }
      let all = found
      try await store.write { try $0.setFindings(ofSweep: sweep.row, all) }
      tell(id, OrderedSet(found.keys.sorted()))
    }
  }

  private func examine(_ trial: Trial, _ run: Run, of sweep: OpenSweep) async throws -> TrialFindings {
    let objective = sweep.specification.objective
    let writesFiles = sweep.specification.results.contains(.experiments)
    let check = LossCheck(metrics: run.metrics, objective: objective)
    var names = OrderedSet(check.names)
    if writesFiles { names.formUnion(run.metrics.map(\.name)) }
    let keys = Array(names.prefix(Self.seriesLimit))
    var series: [Series] = []
    do {
      series = try await store.read {
        try $0.series(run: run.id, SeriesWindow(keys: keys, buckets: Self.bucketCount))
      }
    } catch let problem as Problem {
      // What is derived may take more than it is worth: the summaries say most of it.
      logger.warning("The series of run \(run.name) could not be looked at: \(problem)")
    }
    var looked = trial
    let findings = check.findings(in: series, wasPruned: trial.state == .pruned)
    looked.findings = findings
    if writesFiles, let directory = run.directory {
      let results = Experiment(trial: looked, parameters: run.config, directory: directory)
        .results(objective: objective, series: series)
      await write(results, to: "\(directory)/experiment_results.json")
    }
    return findings
  }

  /// Not waiting for the disk, since there may be many of these: what a crash damages is written again, because nobody has
  /// kept that it was looked at.
  private func write(_ results: JSONValue, to path: String) async {
    do {
      try await blocking {
        let fresh = "\(path).new"
        try Data(results.bytes(indented: true) + [0x0A]).write(to: URL(fileURLWithPath: fresh))
        guard rename(fresh, path) == 0 else {
          throw Problem(.unavailable, "\(path) cannot be written: \(String(cString: strerror(errno))).")
        }
      }
    } catch {
      logger.warning("\(path) could not be written: \(error)")
    }
  }
}
