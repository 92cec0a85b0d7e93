// Sweeps: their machines' decisions carried on to trials.

package import MartletModel
import MartletSearch
import OrderedCollections

extension Scheduler {
  mutating func advance(
    _ id: PublicID, _ event: SweepMachine.Event, at now: Double, _ actions: inout [Action]
  ) {
    let before = sweeps[id]?.machine.progress
    // In its place: a copy beside it would have to be a whole one.
    guard let decisions = sweeps[id]?.machine.handle(event, at: now),
      let (plan, preparation) = sweeps[id].map({ ($0.plan, $0.preparation) })
    else { return }
    if let machine = sweeps[id]?.machine, Self.changes(event, decisions) || machine.progress != before {
      actions.append(
        .saveSweep(
          id,
          SavedSweep(
            sampler: machine.search.state, progress: machine.progress, maxParallel: machine.maxParallel)))
    }
    for decision in decisions {
      switch decision {
      case .create(let number, let point, let origin):
        actions.append(.createTrial(sweep: id, number: number, point, origin))
        add(.trial(sweep: id, number: number), plan, point: point, at: now, &actions)
      case .resume(let number):
        guard let trial = sweeps[id]?.machine.trials[number] else { continue }
        actions.append(.resumeTrial(sweep: id, number: number))
        add(
          .trial(sweep: id, number: number), plan, point: trial.point, after: trial.attempts, at: now,
          &actions)
      case .retire(let number, let outcome):
        actions.append(.endTrial(sweep: id, number: number, outcome))
      case .judge(let number, let verdict):
        actions.append(.setVerdict(sweep: id, number: number, verdict))
        leave(.trial(sweep: id, number: number), verdict, at: now, &actions)
      case .wake(let time):
        actions.append(.wake(at: time))
      case .prepare:
        actions.append(.createPreparation(sweep: id))
        add(.preparation(sweep: id), preparation, point: Point(), at: now, &actions)
      case .stopPreparation:
        stop(.preparation(sweep: id), at: now, &actions)
      case .setMaxParallel(let count, let reason):
        actions.append(.setMaxParallel(id, count, reason: reason))
      case .stop(let number):
        stop(.trial(sweep: id, number: number), at: now, &actions)
      case .setState(let state, let reason) where state.isEnd:
        sweeps[id] = nil
        actions.append(.endSweep(id, state, reason: reason))
      case .setState(let state, let reason):
        actions.append(.setSweep(id, state, reason: reason))
      case .setBest(let number):
        actions.append(.setBest(id, trial: number))
      }
    }
  }

  /// What a running trial reported, shown to its sweep's rule. It follows from what the trial logged, so nothing of it is
  /// to be written down.
  ///
  /// - Returns: what it means for the trial, to be decided; nil: it goes on.
  package mutating func report(
    _ id: PublicID, trial: Int, _ reports: [SweepMachine.Report]
  ) -> Verdict? {
    sweeps[id]?.machine.report(trial, reports)
  }

  /// Whether more of a sweep than the state of a trial may be another than before.
  private static func changes(_ event: SweepMachine.Event, _ decisions: [SweepMachine.Action]) -> Bool {
    switch event {
    case .trialRunning, .headroom, .tick, .takenBack, .demand: !decisions.isEmpty
    case .start, .trialEnded, .stop, .pause, .resume, .setMaxParallel, .setAutomatic, .memoryTrouble,
      .preparationEnded, .used, .change, .add, .lent:
      true
    case .judge: false
    }
  }
}
