// What running trials log, shown to whoever may stop them early.

import Logging
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSeries
import MartletStore
import MartletTracking
import OrderedCollections

/// How far the values of trials have been looked at.
struct ReportReading: Sendable {
  /// The last row of each run that was read.
  var rows: [PublicID: Int64] = [:]
  /// Runs that are about to be looked at.
  var due: Set<PublicID> = []
  /// What values mean that were seen before anything may be decided.
  var verdicts: OrderedDictionary<JobID, Verdict> = [:]
}

/// What a run reported, and its last row.
struct RunReports: Sendable {
  var reports: [SweepMachine.Report] = []
  var row: Int64?
}

extension Conductor {
  /// Rows of a history that are read at a time.
  private static let page = 10_000

  /// A run has logged something. Where nobody looks at its values, this is nothing.
  func noteRows(of run: PublicID) {
    guard isWatched(run), reading.due.insert(run).inserted else { return }
    Task {
      // What comes by the batch is looked at together; a cancelled sleep only looks earlier.
      try? await Task.sleep(for: .milliseconds(50))
      await look(at: run)
    }
  }

  /// Whether a rule looks at the values of this run's trial.
  func isWatched(_ run: PublicID) -> Bool {
    guard let open = core.attempts[run], let sweep = open.sweep, open.trial != nil else { return false }
    return core.scheduler.sweeps[sweep]?.machine.stopping != nil
  }

  private func look(at run: PublicID) async {
    reading.due.remove(run)
    guard !isClosed, let open = core.attempts[run], let sweep = open.sweep, let trial = open.trial,
      let specification = core.sweeps[sweep]?.specification
    else { return }
    do {
      try await queue.run {
        let found = try await self.reports(of: run, specification, since: self.reading.rows[run])
        try await self.report(found, of: run, sweep, trial)
      }
    } catch {
      logger.failure("The values of run \(run) could not be looked at", error)
    }
  }

  /// In the queue, before a trial's end is decided: shows its last values to the rule, which compares others with them.
  /// What they mean for the trial itself has no consequence any more.
  func showLast(of run: PublicID) async {
    guard isWatched(run), let open = core.attempts[run], let sweep = open.sweep, let trial = open.trial,
      let specification = core.sweeps[sweep]?.specification
    else { return }
    do {
      let found = try await reports(of: run, specification, since: reading.rows[run])
      if let row = found.row { reading.rows[run] = row }
      if !found.reports.isEmpty { _ = core.scheduler.report(sweep, trial: trial, found.reports) }
    } catch {
      logger.failure("The last values of run \(run) could not be looked at", error)
    }
  }

  /// Shows reports to the sweep's rule; only what it decides is written down.
  private func report(
    _ found: RunReports, of run: PublicID, _ sweep: PublicID, _ trial: Int
  ) async throws {
    if let row = found.row { reading.rows[run] = row }
    guard !found.reports.isEmpty else { return }
    let verdict = core.scheduler.report(sweep, trial: trial, found.reports)
    guard let verdict else { return }
    guard isStarted else {
      reading.verdicts[.trial(sweep: sweep, number: trial)] = verdict
      return
    }
    let system = system
    try await transact { core, writer, effects, now in
      try core.decide(.sweep(sweep, .judge(trial, verdict)), writer, &effects, by: system, now)
    }
  }

  /// What a run logged of the metrics that its sweep looks at, in the order in which it came.
  ///
  /// - Parameter row: the last one that was read before; nil: from the first.
  func reports(
    of run: PublicID, _ specification: SweepSpecification, since row: Int64?
  ) async throws -> RunReports {
    let (objectives, constraints) = (specification.objectives, specification.constraints)
    let keys = objectives.map(\.metric) + objectives.compactMap(\.fallback)
    let limit = Self.page
    return try await store.read { reader in
      var found = RunReports(row: row)
      // What counts of a constraint's metric is known of all rows together.
      let logged = constraints.isEmpty ? nil : try reader.run(run)
      let isInfeasible = constraints.contains { $0.violation(in: logged?.metric($0.metric)) > 0 }
      var next = row
      repeat {
        let page = try reader.history(
          run: run, keys: keys, fromStep: nil, toStep: nil, after: next, limit: limit)
        for row in page.rows {
          let values = objectives.map { objective in
            let names = [objective.metric, objective.fallback].compactMap { $0?.inNormalForm }
            return names.lazy.compactMap { name in row.numbers.first { $0.name == name }?.value }.first
              ?? .nan
          }
          // A row without any of them says nothing; one that says NaN does.
          guard row.numbers.contains(where: { keys.map(\.inNormalForm).contains($0.name) }) else { continue }
          found.reports.append(
            SweepMachine.Report(step: row.step, values: values, isInfeasible: isInfeasible))
        }
        if let last = page.rows.last?.row { found.row = last }
        next = page.next
      } while next != nil
      return found
    }
  }
}
