// Sweeps that have ended, taken up again.

import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import MartletStore
import OrderedCollections

extension Conductor {
  /// Takes up a sweep again that has ended: with all its trials, and with what its search knew when it ended.
  ///
  /// - Parameter change: what it may do now; nothing of it is kept where it throws.
  /// - Throws: `Problem.conflict` where it would end at once; what `change` throws.
  func reopen(
    _ id: PublicID, by principal: Principal, _ change: (inout SweepMachine) throws -> Void
  ) async throws {
    await settle(id)
    let found = try await store.read { reader in
      try reader.storedSweep(id).map { (stored: $0, trials: try reader.trials(of: id)) }
    }
    guard var stored = found?.stored, let trials = found?.trials, stored.sweep.state.isEnd else {
      throw Problem(.conflict, "Sweep '\(id)' is ending.", hint: "Try again in a moment.")
    }
    let before = stored.sweep.budget
    stored.sweep.state = .running
    var progress = SweepProgress(json: stored.progress)
    (progress.isExhausted, progress.exhaustion) = (false, nil)
    (progress.notStartedInARow, progress.quickFailuresInARow, progress.firstQuickFailure) = (0, 0, nil)
    stored.progress = progress.json
    var (open, scheduled) = try await rebuilt(stored, trials)
    try change(&scheduled.machine)
    let budget = scheduled.machine.limits.trials
    if let reason = endsAtOnce(id, scheduled) {
      throw Problem(
        .conflict, "Sweep '\(id)' has nothing more to do: \(reason)",
        hint: "Begin another with 'warm_start: \(id)', which learns from its trials.")
    }
    open.id = id
    let (sweep, again) = (open, scheduled)
    try await transact { core, writer, effects, now in
      core.sweeps[id] = sweep
      try writer.setBudget(ofSweep: sweep.row, budget)
      try writer.noteLimits(
        ofSweep: sweep.row, ["budget": ["from": JSONValue(before), "to": JSONValue(budget)]], by: principal,
        now: now)
      try writer.setSweepState(sweep.row, .running, reason: nil, by: principal, now: now)
      try core.decide(.addSweep(id, again), writer, &effects, by: principal, now)
      effects.sweeps.append(id)
    }
  }

  /// Why a sweep would end before it did anything, a sentence; nil: it would not.
  private func endsAtOnce(_ id: PublicID, _ sweep: Scheduler.Sweep) -> String? {
    var scheduler = core.scheduler
    for case .endSweep(_, _, let reason) in scheduler.handle(.addSweep(id, sweep), at: clock.now.seconds) {
      return reason ?? "it has as many trials as it may have."
    }
    return nil
  }
}
