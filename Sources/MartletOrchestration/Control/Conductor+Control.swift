// What people change while something runs or waits: places in the line, pauses, limits of sweeps.

import MartletModel
import MartletScheduling
import MartletStore
import OrderedCollections

/// Another place in the line.
package enum QueueChange: Sendable, Hashable {
  case priority(Int)
  /// To the beginning or the end of those of its priority.
  case front, back
}

/// How a sweep is to go on; nil: as before.
package struct SweepChange: Sendable, Hashable {
  package var maxParallel: Int?
  /// How many at a time follows what the machine has left.
  package var isAutomatic = false
  package var priority: Int?
  /// Seconds, or no limit.
  package var timeout: Double??

  package init() {}
}

extension Conductor {
  // MARK: - Runs

  /// The job of a run that is executed.
  ///
  /// - Throws: `Problem.conflict` when it has ended, or runs outside.
  private func job(of run: PublicID, to purpose: String) async throws -> Job {
    if let attempt = core.attempts[run], let job = core.scheduler.jobs[attempt.job] { return job }
    let found = try await store.read { try $0.place(of: run) }
    if found?.isExecuted == false {
      throw Problem(
        .conflict, "Run '\(run)' was begun outside of Martlet: it holds no devices here, nor waits for any.")
    }
    throw Problem(.conflict, "Run '\(run)' has ended already: there is nothing to \(purpose).")
  }

  /// Asks a run's attempt to give back what it holds; another attempt follows.
  func preempt(_ run: PublicID, keepsPlace: Bool, by principal: Principal) async throws {
    let job = try await job(of: run, to: "preempt")
    guard job.state.holds else {
      throw Problem(
        .conflict, "Run '\(run)' waits: it holds nothing that it could give back.",
        hint: "'martlet run move \(run) --back' puts it behind the others, 'martlet run stop' ends it.")
    }
    switch job.ask {
    case .stop?: throw Problem(.conflict, "Run '\(run)' is being stopped already.")
    case .makeRoom?: throw Problem(.conflict, "Run '\(run)' has been asked to make room already.")
    case nil: break
    }
    try await transact { core, writer, effects, now in
      try core.decide(
        .makeRoom(job.id, keepsPlace: keepsPlace), writer, &effects, by: principal, now)
    }
  }

  func move(_ run: PublicID, _ change: QueueChange, by principal: Principal) async throws {
    let job = try await job(of: run, to: "move in the line")
    guard !job.state.holds else {
      throw Problem(
        .conflict, "Run '\(run)' does not wait: it has what it needs.",
        hint: "'martlet run preempt \(run)' sends it back into the line.")
    }
    try await transact { core, writer, effects, now in
      let event: Scheduler.Event =
        switch change {
        case .priority(let priority): .setPriority(job.id, priority)
        case .front: .moveToFront(job.id)
        case .back: .moveToBack(job.id)
        }
      try core.decide(event, writer, &effects, by: principal, now)
    }
  }

  // MARK: - Sweeps

  /// A sweep that has not ended.
  ///
  /// - Throws: `Problem.conflict`.
  func openSweep(_ id: PublicID) throws -> (sweep: OpenSweep, scheduled: Scheduler.Sweep) {
    guard let sweep = core.sweeps[id], let scheduled = core.scheduler.sweeps[id] else {
      throw Problem(.conflict, "Sweep '\(id)' has ended already.")
    }
    return (sweep, scheduled)
  }

  func pauseSweep(_ id: PublicID, by principal: Principal) async throws {
    switch try openSweep(id).scheduled.machine.state {
    case .running: break
    case .paused:
      throw Problem(
        .conflict, "Sweep '\(id)' is paused already.", hint: "'martlet sweep resume \(id)' goes on with it.")
    case .draining:
      throw Problem(.conflict, "Sweep '\(id)' is ending: it begins nothing that could be held back.")
    case .pending, .queued, .finished, .stopped, .failed, .cancelled:
      throw Problem(.conflict, "Sweep '\(id)' has not begun yet.", hint: "Try again in a moment.")
    }
    try await transact { core, writer, effects, now in
      try core.decide(
        .sweep(id, .pause(reason: "Paused by \(principal.name).")), writer, &effects, by: principal, now)
    }
  }

  func resumeSweep(_ id: PublicID, by principal: Principal) async throws {
    let state = try openSweep(id).scheduled.machine.state
    guard state == .paused else {
      throw Problem(
        .conflict, "Sweep '\(id)' is not paused: it is \(state.rawValue).",
        hint: state == .draining ? "What is ending cannot be taken up again: begin it anew." : nil)
    }
    try await transact { core, writer, effects, now in
      try core.decide(.sweep(id, .resume), writer, &effects, by: principal, now)
    }
  }

  func changeSweep(_ id: PublicID, _ change: SweepChange, by principal: Principal) async throws {
    _ = try openSweep(id)
    try await transact { core, writer, effects, now in
      guard let sweep = core.scheduler.sweeps[id], let row = core.sweeps[id]?.row else { return }
      var changes: JSONObject = [:]
      func note(_ name: String, _ from: JSONValue, _ to: JSONValue) {
        if from != to { changes[name] = ["from": from, "to": to] }
      }
      let parallel: JSONValue =
        sweep.machine.progress.isAutomatic ? "auto" : .int(Int64(sweep.machine.maxParallel))
      if change.isAutomatic { note("max_parallel", parallel, "auto") }
      if let count = change.maxParallel { note("max_parallel", parallel, .int(Int64(count))) }
      if let priority = change.priority {
        note("priority", .int(Int64(sweep.plan.priority)), .int(Int64(priority)))
      }
      if let timeout = change.timeout { note("timeout", JSONValue(sweep.plan.timeout), JSONValue(timeout)) }
      guard !changes.isEmpty else { return }
      // Before what follows from it.
      try writer.noteLimits(ofSweep: row, changes, by: principal, now: now)
      if change.priority != nil || change.timeout != nil {
        let plan = PlanChange(priority: change.priority, timeout: change.timeout)
        try core.decide(.changePlan(id, plan), writer, &effects, by: principal, now)
      }
      if let count = change.maxParallel {
        try core.decide(.sweep(id, .setMaxParallel(count)), writer, &effects, by: principal, now)
      } else if change.isAutomatic {
        try core.decide(.sweep(id, .setAutomatic), writer, &effects, by: principal, now)
      }
    }
  }

  func stopTrial(
    _ number: Int, of id: PublicID, grace: Double?, by principal: Principal
  ) async throws {
    let trials = try openSweep(id).scheduled.machine.trials
    guard trials.indices.contains(number) else {
      throw Problem(
        .notFound, "Sweep '\(id)' has no trial \(number) yet.",
        hint: trials.isEmpty ? nil : "Its trials are 0 to \(trials.count - 1).")
    }
    let job = JobID.trial(sweep: id, number: number)
    guard !trials[number].state.isEnd, core.scheduler.jobs[job] != nil else {
      throw Problem(.conflict, "Trial \(number) of sweep '\(id)' has ended already.")
    }
    try await transact { core, writer, effects, now in
      if var attempt = core.attempt(of: job) {
        attempt.patience = grace
        core.keep(attempt)
      }
      try core.decide(.stop(job), writer, &effects, by: principal, now)
    }
  }
}
