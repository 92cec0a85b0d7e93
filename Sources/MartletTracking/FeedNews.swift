// Rows of the database that changed and are to be told together.

import MartletModel
import MartletStore
import OrderedCollections

/// What is to be read, and then told: each row as it is when it is read.
struct FeedNews: Sendable {
  var runs: OrderedSet<PublicID> = []
  var sweeps: OrderedSet<PublicID> = []
  /// Numbers of trials by sweep.
  var trials: OrderedDictionary<PublicID, OrderedSet<Int>> = [:]
  var alerts: [Int64] = []
  var moved: [(run: PublicID, from: String)] = []

  var isEmpty: Bool { runs.isEmpty && sweeps.isEmpty && trials.isEmpty && alerts.isEmpty }

  var subjects: [RecentChanges.Subject] {
    var subjects = moved.map { RecentChanges.Subject.gone($0.run, project: $0.from) }
    subjects += runs.map(RecentChanges.Subject.run)
    for (sweep, numbers) in trials { subjects += numbers.map { .trial(sweep: sweep, number: $0) } }
    subjects += sweeps.map(RecentChanges.Subject.sweep)
    subjects += alerts.map(RecentChanges.Subject.alert)
    return subjects
  }

  mutating func add(_ newer: FeedNews) {
    runs.formUnion(newer.runs)
    sweeps.formUnion(newer.sweeps)
    for (sweep, numbers) in newer.trials { trials[sweep, default: []].formUnion(numbers) }
    alerts += newer.alerts
    moved += newer.moved
  }

  /// In the order in which they are told: runs, then trials, sweeps, alerts.
  func events(_ reader: StoreReader) throws -> [FeedEvent] {
    var events = moved.map { FeedEvent.moved(run: $0.run, from: $0.from) }
    events += try runs.compactMap { try reader.run($0) }.map { run in
      run.deletedAt == nil ? FeedEvent.run(run) : .deleted(run: run.id, project: run.project)
    }
    for (sweep, numbers) in trials {
      for number in numbers {
        guard let trial = try reader.trial(of: sweep, number: number) else { continue }
        events.append(.trial(sweep: sweep, trial))
      }
    }
    events += try sweeps.compactMap { try reader.sweep($0) }.map(FeedEvent.sweep)
    return events + (try reader.alerts(alerts).map(FeedEvent.alert))
  }
}
