// Trials that agents run: lent to them, and taken back.

import MartletModel
import OrderedCollections

extension Scheduler {
  /// Gives an agent a trial: one that waits, or a new one. Nothing where its sweep has none for it, nor while the agent has
  /// one already.
  mutating func lend(_ sweep: PublicID, to agent: Agent, at now: Double, _ actions: inout [Action]) {
    guard let state = sweeps[sweep]?.machine.state, state == .running || state == .draining,
      lent(to: agent.id) == nil || !laws.hold(.lentOnce)
    else { return }
    if nextToLend(of: sweep) == nil { advance(sweep, .demand, at: now, &actions) }
    guard var job = nextToLend(of: sweep), case .trial(_, let number) = job.id else { return }
    pool.withdraw(job.id)
    (job.state, job.agent, job.devices) = (.starting, agent, [])
    jobs[job.id] = job
    actions.append(.lend(job.id, number: job.number, agent))
    // What the server runs itself may have room again.
    advance(sweep, .lent(number), at: now, &actions)
  }

  /// What an agent holds.
  package func lent(to agent: String) -> Job? { jobs.values.first { $0.agent?.id == agent } }

  /// The first of a sweep's trials that wait. It stays the first until it is lent, also where the pool may not have it.
  private func nextToLend(of sweep: PublicID) -> Job? {
    (sweeps[sweep]?.machine.open ?? []).compactMap { jobs[.trial(sweep: sweep, number: $0)] }
      .filter { ($0.state == .waiting && $0.ask == nil) || (!laws.hold(.lentOnce) && $0.agent != nil) }
      .min { $0.request.precedes($1.request) }
  }
}
