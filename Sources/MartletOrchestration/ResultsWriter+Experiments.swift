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

  /// Looks at those trials that have ended, logged something and were not looked at before; returns what was found.
  func examine(
    _ rows: [(trial: Trial, run: Run?)], of sweep: OpenSweep
  ) async throws -> [Int: TrialFindings] {
    let objective = sweep.specification.objective
    let writesFiles = sweep.specification.results.contains(.experiments)
    var found: [Int: TrialFindings] = [:]
    for case (let trial, let run?) in rows
    where trial.state.isEnd && trial.findings == nil && !run.metrics.isEmpty {
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
      found[trial.number] = findings
      if writesFiles, let directory = run.directory {
        let results = Experiment(trial: looked, parameters: run.config, directory: directory)
          .results(objective: objective, series: series)
        await write(results, to: "\(directory)/experiment_results.json")
      }
    }
    guard !found.isEmpty else { return found }
    let all = found
    try await store.write { try $0.setFindings(ofSweep: sweep.row, all) }
    tell(sweep.id, OrderedSet(found.keys.sorted()))
    return found
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
