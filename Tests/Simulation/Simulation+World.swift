// Processes: begun, ended, lost; and what the server hears of it.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

extension Simulation {
  /// The server starts a supervisor.
  mutating func start(_ key: AttemptKey, _ granted: [Int]) {
    guard let job = scheduler?.jobs[key.job] else { return }
    audit.expect(world.processes[key] == nil, "attempt \(key.number) of \(key.job) was started twice")
    audit.expect(world.alive[key.job, default: 0] == 0, "\(key.job) runs twice at a time")
    audit.expect(world.successes[key.job, default: 0] == 0, "\(key.job) was started though it had succeeded")
    if case .trial(let sweep, _) = key.job, ledger.sweeps[sweep]?.setup.prepares == true {
      audit.expect(
        world.successes[.preparation(sweep: sweep)] == 1, "\(key.job) was started before its preparation")
    }
    switch Int.random(in: 0..<60, using: &numbers) {
    case 0:
      let end = JobEnd(.impossible, .failed, reason: "There is no such program.", seconds: 0)
      return tell(key, .over(end))
    case 1:
      let end = JobEnd(.neverStarted(isBlamed: true), .preempted, reason: "Never started.", seconds: 0)
      return tell(key, .over(end))
    default: break
    }
    world.spawn(
      SimulatedProcess(
        job: key.job, number: key.number, needs: job.needs, devices: granted, phase: .spawned))
    if let overuse = world.overuse(of: devices) { audit.expect(false, "\(key.job) was started: \(overuse)") }
    agenda.put(.world(key, .begin), at: now + seconds(0...1))
  }

  /// An agent takes a trial with it.
  mutating func lend(_ key: AttemptKey) {
    audit.expect(world.processes[key] == nil, "attempt \(key.number) of \(key.job) was lent twice")
    audit.expect(world.alive[key.job, default: 0] == 0, "\(key.job) was lent while it runs")
    audit.expect(world.successes[key.job, default: 0] == 0, "\(key.job) was lent though it had succeeded")
    world.spawn(
      SimulatedProcess(job: key.job, number: key.number, needs: Needs(), devices: [], phase: .begun))
    agenda.put(.world(key, .run), at: now + seconds(0...0.5))
    if chance(1, of: 6) {
      agenda.put(.world(key, .vanish(isBlamed: chance(1, of: 2))), at: now + seconds(0...10))
    }
  }

  mutating func move(_ key: AttemptKey, _ fate: Fate) {
    guard let process = world.processes[key], world.isAlive(process.phase) else { return }
    switch (fate, process.phase) {
    case (.begin, .spawned):
      world.set(key, .begun)
      agenda.put(.world(key, .run), at: now + seconds(0...0.5))
    case (.run, .begun):
      world.set(key, .running)
      look(key)
      let length = seconds(0.1...(chance(1, of: 6) ? 120 : 20))
      if chance(1, of: 12) { agenda.put(.world(key, .loseSupervisor), at: now + seconds(0...length)) }
      agenda.put(.world(key, .end(outcome(of: key.job, after: length))), at: now + length)
      for _ in 0..<4 { agenda.put(.world(key, .report), at: now + seconds(0...length)) }
    case (.loseSupervisor, .begun), (.loseSupervisor, .running):
      world.set(key, .orphaned)
      look(key)
    case (.end(let end), .running):
      world.set(key, .over(end))
      look(key)
    case (.vanish(let isBlamed), .begun), (.vanish(let isBlamed), .running):
      let end = JobEnd(
        .abandoned(isBlamed: isBlamed), isBlamed ? .crashed : .preempted, reason: "Its agent went.",
        seconds: 1)
      world.set(key, .over(end))
      look(key)
    case (.end, .orphaned):
      world.set(key, .gone)
      look(key)
    case (.leave, .spawned), (.leave, .begun):
      agenda.put(.world(key, .leave), at: now + 0.5)
    case (.leave, .running):
      world.set(
        key, .over(JobEnd(.left, .stopped, reason: "It left when it was asked to.", seconds: 1)))
      look(key)
    case (.leave, .orphaned):
      // Only a server can ask it, and knows then why it ended.
      guard scheduler != nil else { return }
      world.set(key, .gone)
      tell(key, .over(JobEnd(.left, .stopped, reason: "It left without its supervisor.", seconds: 1)))
    default: break
    }
  }

  /// A trial logs a value, which reaches the server that is up.
  mutating func report(_ key: AttemptKey) throws {
    guard case .trial(let sweep, let number) = key.job, world.processes[key]?.phase == .running,
      ledger.sweeps[sweep]?.setup.rule != nil
    else { return }
    let step = Int64(world.reports[key.job, default: []].count + 1)
    let report = SweepMachine.Report(step: step, values: [chance(1, of: 12) ? .nan : seconds(0...1)])
    world.reports[key.job, default: []].append(report)
    guard let verdict = scheduler?.report(sweep, trial: number, [report]) else { return }
    try decide(.sweep(sweep, .judge(number, verdict)))
  }

  /// What the end of an attempt means whose trial had been asked to leave because of its values.
  func judged(_ news: JobNews, of job: JobID) -> JobNews {
    guard case .over(let end) = news, case .trial(let sweep, let number) = job,
      let trials = scheduler?.sweeps[sweep]?.machine.trials, trials.indices.contains(number),
      let verdict = trials[number].verdict
    else { return news }
    if case .success = end.kind { return news }
    switch verdict {
    case .prune(let reason):
      return .over(JobEnd(.pruned(objective: 0.9), .stopped, reason: reason, seconds: end.seconds))
    case .pause(let reason):
      return .over(JobEnd(.paused(objective: 0.9), .preempted, reason: reason, seconds: end.seconds))
    }
  }

  private mutating func outcome(of job: JobID, after length: Double) -> JobEnd {
    let failures = job.sweep.flatMap { ledger.sweeps[$0]?.setup.failures } ?? 2
    if !chance(failures, of: 10) {
      if chance(1, of: 10) {
        return JobEnd(.pruned(objective: 0.9), .stopped, reason: "Pruned.", seconds: length)
      }
      let value = chance(1, of: 12) ? .nan : seconds(0...1)
      return JobEnd(.success(objective: value), .finished, reason: "Exited with code 0.", seconds: length)
    }
    switch Int.random(in: 0..<6, using: &numbers) {
    case 0:
      // By its own limit, or by the kernel.
      return JobEnd(
        .fault(.oom), chance(1, of: 2) ? .killed : .crashed, reason: "Out of memory.", seconds: length)
    case 1: return JobEnd(.fault(.timeout), .timedOut, reason: "Ended by its time limit.", seconds: length)
    case 2: return JobEnd(.fault(.infra), .crashed, reason: "The device fell off its bus.", seconds: length)
    default: return JobEnd(.fault(.failure), .failed, reason: "Exited with code 1.", seconds: length)
    }
  }

  /// What the attempt's directory says now is told to the server that is up.
  mutating func look(_ key: AttemptKey) {
    guard scheduler != nil else { return }
    switch world.processes[key]?.phase {
    case nil, .spawned, .revoked:
      // Under the lock: a supervisor that comes late starts nothing.
      world.set(key, .revoked)
      tell(
        key,
        .over(
          JobEnd(.neverStarted(isBlamed: false), .preempted, reason: "Never started.", seconds: 0)))
    case .begun: break
    case .running: tell(key, .running)
    case .orphaned: tell(key, .lost)
    case .over(let end): tell(key, .over(end))
    case .gone:
      tell(
        key,
        .over(
          JobEnd(.fault(.infra), .crashed, reason: "Nobody knows how it ended.", seconds: .infinity)))
    }
  }

  /// Soon, and sometimes again much later.
  private mutating func tell(_ key: AttemptKey, _ news: JobNews) {
    agenda.put(.server(epoch: epoch, .news(key, news)), at: now + seconds(0...0.5))
    if chance(1, of: 20) {
      agenda.put(.server(epoch: epoch, .news(key, news)), at: now + seconds(0.5...40))
    }
  }
}
