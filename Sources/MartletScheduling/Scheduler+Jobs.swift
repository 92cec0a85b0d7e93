// Attempts: made, asked to leave, ended, tried again.

import HashTreeCollections
import MartletModel
import MartletSearch
import OrderedCollections

extension Scheduler {
  mutating func add(
    _ id: JobID, _ plan: TrialPlan, point: Point, after attempts: Int = 0, at now: Double,
    _ actions: inout [Action]
  ) {
    let needs = plan.needs.needs(of: point)
    var job = Job(
      id: id, needs: (try? needs.get()) ?? Needs(), priority: plan.priority, ticket: newTicket(),
      policy: plan.retries, expected: plan.timeout)
    job.number = attempts + 1
    jobs[id] = job
    actions.append(.createAttempt(job))
    if case .failure(let fault) = needs {
      return end(job, JobEnd(.impossible, .failed, reason: fault.reason, seconds: 0), at: now, &actions)
    }
    pool.enter(job.request)
  }

  mutating func hear(
    _ id: JobID, _ number: Int, _ news: JobNews, at now: Double, _ actions: inout [Action]
  ) {
    // News of an earlier attempt, or told again.
    guard var job = jobs[id], job.state.holds else { return }
    guard job.number == number || !laws.hold(.oldNewsIgnored) else { return }
    switch news {
    case .running:
      guard job.state == .starting else { return }
      job.state = .running
      jobs[id] = job
      actions.append(.setRunning(id, number: number))
      // Whoever asked for its end while it was starting may have been too early to be heard.
      if let ask = job.ask { actions.append(.ask(id, number: number, ask)) }
      if case .trial(let sweep, let trial) = id {
        actions.append(.setTrialRunning(sweep: sweep, number: trial))
        advance(sweep, .trialRunning(trial), at: now, &actions)
      }
    case .lost:
      guard job.state != .lost else { return }
      job.state = .lost
      jobs[id] = job
      actions.append(.setLost(id, number: number))
    case .over(let end):
      over(job, end, at: now, &actions)
    }
  }

  private mutating func over(_ job: Job, _ end: JobEnd, at now: Double, _ actions: inout [Action]) {
    var job = job
    let devices = job.agent?.devices ?? job.devices.count
    if case .trial(let sweep, _) = job.id, devices > 0, end.seconds.isFinite {
      let seconds = end.seconds * Double(devices)
      advance(sweep, .used(deviceSeconds: seconds), at: now, &actions)
    }
    switch (end.kind, job.ask) {
    case (.neverStarted(let isBlamed), let ask):
      if isBlamed { job.failedStarts += 1 }
      if ask == .stop {
        return self.end(job, stopped("Stopped on request before it began."), at: now, &actions)
      }
      guard job.failedStarts < Job.failedStartsLimit else {
        let reason = "Its supervisor started nothing, \(job.failedStarts) times."
        return self.end(
          job, JobEnd(.impossible, .failed, reason: reason, seconds: 0), at: now, &actions)
      }
      again(job, end, after: 0, at: now, &actions)
    case (.abandoned(let isBlamed), let ask):
      if isBlamed { job.failedStarts += 1 }
      if ask == .stop {
        return self.end(
          job, JobEnd(.left, .stopped, reason: end.reason, seconds: end.seconds), at: now, &actions)
      }
      guard job.failedStarts < Job.failedStartsLimit else {
        let reason = "\(job.failedStarts) agents fell silent while they ran it. The last: \(end.reason)"
        return self.end(
          job, JobEnd(.fault(.infra), .failed, reason: reason, seconds: end.seconds), at: now, &actions)
      }
      again(job, end, after: 0, at: now, &actions)
    case (.left, .makeRoom):
      job.failedStarts = 0
      again(job, end, after: 0, at: now, &actions)
    case (.fault(let fault), let ask) where ask != .stop:
      job.failedStarts = 0
      let used = job.retries[fault, default: 0]
      var policy = job.policy
      // Its own limit would end it again, whoever runs beside it.
      if fault == .oom, end.state != .killed, job.agent == nil, case .trial(let sweep, let trial) = job.id {
        let running = running(of: sweep)
        advance(sweep, .memoryTrouble(trial: trial, running: running, at: now), at: now, &actions)
        // With fewer beside it, it may have enough; alone it would run out of memory again.
        if running > 1, policy.limits[.oom] == nil { policy.limits[.oom] = 1 }
      }
      guard let pause = policy.pause(after: laws.hold(.retriesBounded) ? used : 0, for: fault) else {
        return self.end(job, end, at: now, &actions)
      }
      job.retries[fault] = used + 1
      again(job, end, after: pause, at: now, &actions)
    case (.success, _), (.pruned, _), (.paused, _), (.hopeless, _), (.impossible, _), (.left, _), (.fault, _):
      self.end(job, end, at: now, &actions)
    }
  }

  /// Ends an attempt and makes the next one of the same run.
  private mutating func again(
    _ old: Job, _ end: JobEnd, after pause: Double, at now: Double, _ actions: inout [Action]
  ) {
    var job = old
    if laws.hold(.oneAttemptAtATime) {
      actions.append(.endAttempt(job.id, number: job.number, end.state, reason: end.reason))
    }
    job.number += 1
    let wasLent = job.agent != nil
    (job.devices, job.agent) = ([], nil)
    // Whoever made room, or never began, is not put back for it.
    if case .fault = end.kind { job.ticket = newTicket() }
    job.ask = nil
    job.state = pause > 0 ? .pausing(until: now + pause) : .waiting
    jobs[job.id] = job
    actions.append(.createAttempt(job))
    if wasLent, case .trial(let sweep, let trial) = job.id {
      advance(sweep, .takenBack(trial), at: now, &actions)
    }
    pool.withdraw(job.id)
    if pause > 0 {
      pauses[job.id] = now + pause
      actions.append(.wake(at: now + pause))
    } else {
      pool.enter(job.request)
    }
  }

  /// Ends a job for good: its devices go to whoever is next, and its sweep hears of it.
  mutating func end(_ job: Job, _ end: JobEnd, at now: Double, _ actions: inout [Action]) {
    jobs[job.id] = nil
    pauses[job.id] = nil
    actions.append(.endAttempt(job.id, number: job.number, end.state, reason: end.reason))
    pool.withdraw(job.id)
    switch job.id {
    case .run: break
    case .preparation(let sweep):
      let isSuccess = if case .success = end.kind { true } else { false }
      advance(sweep, .preparationEnded(failure: isSuccess ? nil : end.reason), at: now, &actions)
    case .trial(let sweep, let trial):
      let penalties = sweeps[sweep]?.machine.penalties ?? PenaltyRule()
      let outcome = SweepMachine.Outcome(of: end, penalties, limit: job.expected)
      actions.append(.endTrial(sweep: sweep, number: trial, outcome))
      advance(
        sweep, .trialEnded(trial, outcome, seconds: end.seconds, attempts: job.number), at: now, &actions)
    }
  }

  mutating func stop(_ id: JobID, at now: Double, _ actions: inout [Action]) {
    guard var job = jobs[id] else { return }
    job.ask = .stop
    jobs[id] = job
    actions.append(.ask(id, number: job.number, .stop))
    if !job.state.holds {
      end(job, stopped("Stopped by \(asker) before it began."), at: now, &actions)
    }
  }

  /// Asks a trial to leave whose values were judged.
  mutating func leave(_ id: JobID, _ verdict: Verdict, at now: Double, _ actions: inout [Action]) {
    switch verdict {
    case .prune: stop(id, at: now, &actions)
    case .pause: makeRoom(id, keepsPlace: true, &actions)
    }
  }

  mutating func makeRoom(_ id: JobID, keepsPlace: Bool, _ actions: inout [Action]) {
    guard var job = jobs[id], job.state.holds, job.ask == nil else { return }
    job.ask = .makeRoom
    jobs[id] = job
    if !keepsPlace {
      job.ticket = newTicket()
      jobs[id] = job
      actions.append(.setPlace(id, priority: job.priority, ticket: job.ticket))
    }
    actions.append(.ask(id, number: job.number, .makeRoom))
  }
}
