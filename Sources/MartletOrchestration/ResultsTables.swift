// The tables of a sweep's trials, written from one snapshot of the store, some trials in memory at a time.

import MartletFormats
import MartletModel
import MartletSearch
import MartletStore

/// What one round writes of a sweep.
struct ResultsTables: Sendable {
  /// Trials read at once.
  private static let page = 256

  let sweep: PublicID
  let name: String
  let specification: SweepSpecification
  let directory: String
  /// Waits until the files lie on the disk.
  let isSynced: Bool

  /// Writes the tables and returns how many trials there are, and the best.
  func write(_ reader: StoreReader, now: Timestamp) throws -> (count: Int, best: TrialStanding?) {
    let standings = try reader.standings(ofSweep: sweep)
    let summary = SweepSummary(of: specification, standings)
    if specification.results.contains(.summary) { try write(summary, reader) }
    if specification.results.contains(.experiments) {
      let startedAt = try reader.sweep(sweep)?.startedAt
      let overall = OverallResults(standings, objective: specification.objective)
      try write(overall, seconds: startedAt.map { max(0, now - $0) }, reader)
    }
    return (standings.count, summary.best)
  }

  private func write(_ summary: SweepSummary, _ reader: StoreReader) throws {
    try replace("sweep_summary.csv") { file in
      try file.write(summary.header.utf8)
      for standings in Self.pages(summary.ranked) {
        let numbers = standings.map(\.number)
        for detail in try reader.trialDetails(ofSweep: sweep, numbers, metric: summary.secondMetric) {
          let (trial, metric) = (detail.trial, detail.trial.metrics)
          let row = SweepSummary.Row(
            runName: trial.runName, state: trial.runState.rawValue, parameters: trial.parameters,
            metric: .init(final: metric?.final, min: metric?.min, max: metric?.max), trainLoss: detail.last)
          try file.write(summary.line(row).utf8)
        }
      }
    }
  }

  private func write(_ overall: OverallResults, seconds: Double?, _ reader: StoreReader) throws {
    try replace("overall_results.json") { json in
      try replace("experiments.csv") { csv in
        try json.write(overall.opening(name: name, seconds: seconds).utf8)
        try csv.write(overall.header.utf8)
        try each(overall.succeeded, reader) { experiment, entry, isFirst in
          try json.write(overall.element(experiment, entry, isFirst: isFirst))
          try csv.write(overall.line(experiment, entry).utf8)
        }
        try json.write(overall.middle.utf8)
        try each(overall.failed, reader) { experiment, entry, isFirst in
          try json.write(overall.element(experiment, entry, isFirst: isFirst))
        }
        try json.write(overall.ending.utf8)
      }
    }
  }

  private func each(
    _ entries: [OverallResults.Entry], _ reader: StoreReader,
    _ take: (Experiment, OverallResults.Entry, _ isFirst: Bool) throws -> Void
  ) throws {
    var isFirst = true
    for entries in Self.pages(entries) {
      let details = try reader.trialDetails(ofSweep: sweep, entries.map(\.number))
      // Both come from one snapshot: each has its other.
      for (detail, entry) in zip(details, entries) {
        let experiment = Experiment(
          trial: detail.trial, parameters: detail.config, directory: detail.directory)
        try take(experiment, entry, isFirst)
        isFirst = false
      }
    }
  }

  private func replace(_ name: String, _ content: (inout ReplacedFile) throws -> Void) throws {
    var file = try ReplacedFile("\(directory)/\(name)")
    do {
      try content(&file)
    } catch {
      file.abandon()
      throw error
    }
    try file.finish(isSynced: isSynced)
  }

  private static func pages<Element>(_ items: [Element]) -> some Sequence<ArraySlice<Element>> {
    stride(from: 0, to: items.count, by: page).lazy.map { items[$0..<min($0 + page, items.count)] }
  }
}
