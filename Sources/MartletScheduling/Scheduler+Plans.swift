// Sweeps that are changed while they run: priority and time limit of what has not begun; and how long it will take.

import MartletModel
import OrderedCollections

/// What is to be another in a sweep's plan.
package struct PlanChange: Sendable, Hashable {
  /// Nil: as before.
  package var priority: Int?
  /// Seconds, or no limit; nil: as before.
  package var timeout: Double??

  package init(priority: Int? = nil, timeout: Double?? = nil) {
    self.priority = priority
    self.timeout = timeout
  }
}

extension Scheduler {
  /// The priority holds for all attempts that come, the time limit for those that have not begun.
  mutating func changePlan(of id: PublicID, _ change: PlanChange, _ actions: inout [Action]) {
    guard var plan = sweeps[id]?.plan else { return }
    plan.priority = change.priority ?? plan.priority
    if let timeout = change.timeout { plan.timeout = timeout }
    guard plan != sweeps[id]?.plan else { return }
    sweeps[id]?.plan = plan
    actions.append(.savePlan(id, priority: plan.priority, timeout: plan.timeout))
    var requests: [JobID: PoolRequest] = [:]
    for number in sweeps[id]?.machine.open ?? [] {
      let trial = JobID.trial(sweep: id, number: number)
      guard var job = jobs[trial] else { continue }
      if !job.state.holds, job.expected != plan.timeout, change.timeout != nil {
        job.expected = plan.timeout
        actions.append(.setTimeout(trial, plan.timeout))
      }
      if job.priority != plan.priority, change.priority != nil {
        job.priority = plan.priority
        actions.append(.setPlace(trial, priority: job.priority, ticket: job.ticket))
      }
      jobs[trial] = job
      requests[trial] = job.request
    }
    // All at once: while some stand in their old places still, nobody may be granted anything.
    pool.renew { $0 = requests[$0.job] ?? $0 }
  }

  /// Seconds that an attempt is expected to take: what its sweep's trials took so far, else what it may take.
  package func expected(of id: JobID) -> Double? {
    guard case .trial(let sweep, _) = id else { return jobs[id]?.expected }
    return sweeps[sweep]?.machine.progress.meanSeconds ?? jobs[id]?.expected
  }

  /// The pool with the best that is known of how long everybody takes.
  package var foreseen: DevicePool {
    var pool = pool
    pool.foresee { expected(of: $0) }
    return pool
  }
}
