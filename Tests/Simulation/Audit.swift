// The laws, written a second time: what the machines decide is held against them.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

/// What was found; the first is enough to fail.
final class Findings {
  var violations: [String] = []
}

/// Looks at each decision, and says what is wrong with it.
struct Audit {
  let devices: [Device]
  let findings = Findings()
  /// Faults that were followed by another attempt.
  private var forgiven: [JobID: [Fault: Int]] = [:]
  private var ends: [JobID: Int] = [:]

  init(devices: [Device]) { self.devices = devices }

  func expect(_ isSo: Bool, _ words: @autoclosure () -> String) {
    if !isSo { findings.violations.append(words()) }
  }

  // MARK: - Grants

  /// - Parameters:
  ///   - before: the machine when it decided.
  ///   - after: as it will be.
  mutating func check(_ actions: [Scheduler.Action], before: Scheduler, after: Scheduler) {
    var started: [Job] = []
    var created: [JobID: Job] = [:]
    for action in actions {
      switch action {
      case .createAttempt(let job): created[job.id] = job
      case .start(let id, let number, let granted):
        guard let job = created[id] ?? after.jobs[id] ?? before.jobs[id] else {
          expect(false, "\(id) was started, but nobody knows it")
          continue
        }
        expect(number == job.number, "attempt \(number) of \(id) was started, not \(job.number)")
        check(job, granted, after.pool)
        started.append(job)
      case .endTrial(_, _, .paused): break
      case .endTrial(let sweep, let number, _):
        let id = JobID.trial(sweep: sweep, number: number)
        ends[id, default: 0] += 1
        expect(ends[id] == 1, "\(id) ended \(ends[id] ?? 0) times")
      case .createTrial(let sweep, let number, _, _):
        if let machine = after.sweeps[sweep]?.machine {
          expect(
            machine.own.count <= max(machine.maxParallel, before.sweeps[sweep]?.machine.own.count ?? 0),
            "trial \(number) of \(sweep) is one of \(machine.own.count) at a time")
        }
      case .resumeTrial(let sweep, let number):
        // It got as far as it was let: what is forgiven is counted from there.
        forgiven[.trial(sweep: sweep, number: number)] = nil
      case .setMaxParallel(let sweep, let count, let reason):
        expect(count >= 1 && !reason.isEmpty, "sweep \(sweep) has \(count) at a time: '\(reason)'")
      case .lend(let id, let number, let agent):
        let job = after.jobs[id]
        expect(
          job?.agent == agent && job?.number == number && job?.devices.isEmpty == true,
          "\(id) was lent to \(agent.id), but is \(job.map { "\($0)" } ?? "nobody's")")
        expect(
          after.pool.holdings[id] == nil && !after.pool.isWaiting(id), "\(id) was lent, and is in the pool")
        let others = after.jobs.values.count { $0.agent == agent }
        expect(others == 1, "\(agent.id) has \(others) trials")
      case .setRunning, .setLost, .ask, .endAttempt, .setPlace, .setTimeout, .savePlan, .setTrialRunning,
        .setVerdict, .saveSweep, .setSweep, .setBest, .endSweep, .setStanding, .setPolicy,
        .wake, .createPreparation:
        break
      }
    }
    if !started.isEmpty { checkOrder(started, after.pool) }
    for sweep in Set(started.compactMap { if case .trial(let sweep, _) = $0.id { sweep } else { nil } }) {
      let running = after.jobs.values.count { job in
        if case .trial(sweep, _) = job.id { job.state.holds && job.agent == nil } else { false }
      }
      let window = after.sweeps[sweep]?.machine.maxParallel ?? 0
      expect(running <= window, "a trial of \(sweep) was started as one of \(running), and \(window) may run")
    }
    checkHead(after.pool)
  }

  private func check(_ job: Job, _ granted: [Int], _ pool: DevicePool) {
    let needs = job.needs
    expect(
      granted.count == needs.devices, "\(job.id) needs \(needs.devices) devices and got \(granted.count)")
    expect(Set(granted).count == granted.count, "\(job.id) got a device twice: \(granted)")
    let chosen = granted.compactMap { index in devices.first { $0.index == index } }
    expect(chosen.count == granted.count, "\(job.id) got a device that is not there: \(granted)")
    if needs.sameHost { expect(Set(chosen.map(\.host)).count <= 1, "\(job.id) got devices of two machines") }
    for device in pool.devices where granted.contains(device.device.index) {
      expect(device.standing == .open, "\(job.id) got device \(device.device.index), which is out of service")
    }
  }

  /// Things that two requests both need and of which there is an end.
  private func compete(_ a: Needs, _ b: Needs, _ policy: PoolPolicy) -> Bool {
    if a.devices > 0, b.devices > 0 { return true }
    if a.devices == 0, b.devices == 0, policy.cpuSlots != nil { return true }
    return policy.memory != nil && a.memory > 0 && b.memory > 0
  }

  /// Nobody who still waits was passed by somebody behind him, but as the policy allows.
  private func checkOrder(_ started: [Job], _ pool: DevicePool) {
    for waiting in pool.waiting {
      for job in started {
        let isBehind =
          job.priority != waiting.priority ? job.priority < waiting.priority : job.ticket > waiting.ticket
        guard isBehind, compete(job.needs, waiting.needs, pool.policy) else { continue }
        if pool.policy.backfill > 0, job.ticket - waiting.ticket <= pool.policy.backfill { continue }
        if pool.policy.groupsEqualNeeds,
          started.contains(where: { first in
            first.needs == job.needs && first.priority == job.priority && first.ticket < job.ticket
          })
        {
          continue
        }
        expect(false, "\(job.id) (ticket \(job.ticket)) overtook \(waiting.job) (ticket \(waiting.ticket))")
      }
    }
  }

  /// The first in line lacks something: otherwise it would have it. Only where that can be told without choosing.
  private func checkHead(_ pool: DevicePool) {
    guard let first = pool.waiting.first else { return }
    let (needs, policy) = (first.needs, pool.policy)
    var sums = (cpu: 0, memory: Int64(0), deviceMemory: Int64(0))
    for holding in pool.holdings.values {
      if holding.needs.devices == 0 { sums.cpu += 1 }
      sums.memory += holding.needs.memory
      sums.deviceMemory += (holding.needs.deviceMemory ?? 0) * Int64(holding.needs.devices)
    }
    if needs.devices == 0, let slots = policy.cpuSlots, sums.cpu >= slots { return }
    if let limit = policy.memory, needs.memory > 0, sums.memory + needs.memory > limit { return }
    if let limit = policy.deviceMemory, let each = needs.deviceMemory,
      sums.deviceMemory + each * Int64(needs.devices) > limit
    {
      return
    }
    let untouched = pool.devices.filter { device in
      device.holders.isEmpty && device.standing == .open && device.reading == nil
        && device.device.slots >= needs.deviceSlots
        && (needs.deviceMemory ?? 0) <= device.device.memory ?? .max
    }
    // Equal cards nobody uses are balanced.
    let groups = Dictionary(grouping: untouched) { device in
      "\(needs.sameHost ? device.device.host : "") \(device.device.memory ?? 0)"
    }
    let most = groups.values.map(\.count).max() ?? 0
    expect(
      needs.devices > 0 && most < needs.devices,
      "\(first.job) waits for \(needs.devices) of \(most) devices that nobody uses")
    expect(pool.lack(of: needs) != nil, "\(first.job) waits without a reason")
  }

  // MARK: - Retries

  mutating func forgive(_ job: Job, _ fault: Fault) {
    forgiven[job.id, default: [:]][fault, default: 0] += 1
    // Whoever runs out of memory beside others is tried again with fewer.
    let unsaid = if case (.trial, .oom) = (job.id, fault) { 1 } else { 0 }
    let (count, limit) = (forgiven[job.id]?[fault] ?? 0, job.policy.limits[fault] ?? unsaid)
    expect(count <= limit, "\(job.id) was forgiven \(count) times for \(fault), and may be \(limit) times")
  }

  // MARK: - After a crash

  /// What the new server knows against what the old one knew.
  func compare(_ old: Scheduler, _ new: Scheduler, at now: Double) {
    func normal(_ job: Job) -> Job {
      var job = job
      if case .pausing(let until) = job.state, until <= now { job.state = .waiting }
      return job
    }
    let (before, after) = (old.jobs.values.map(normal), new.jobs.values.map(normal))
    expect(before == after, "other jobs after a crash: \(after) instead of \(before)")
    let waiting = old.pool.waiting
    // Whose pause ended meanwhile stands in the line, where it may take somebody's place in its sweep's window.
    let (known, found) = (Set(waiting.map(\.job)), Set(new.pool.waiting.map(\.job)))
    let woken = old.jobs.values.filter {
      if case .pausing(let until) = $0.state { until <= now } else { false }
    }
    expect(
      new.pool.waiting.filter { known.contains($0.job) } == waiting.filter { found.contains($0.job) }
        && (known.subtracting(found).isEmpty || !woken.isEmpty), "another line after a crash")
    func held(_ pool: DevicePool) -> [JobID: [Int]] {
      Dictionary(uniqueKeysWithValues: pool.holdings.map { ($0.key, $0.value.devices) })
    }
    expect(held(old.pool) == held(new.pool), "other holdings after a crash")
    expect(
      old.pool.devices.map(\.usedSlots) == new.pool.devices.map(\.usedSlots),
      "other devices in use after a crash")
    expect(
      old.pool.devices.map(\.ordered) == new.pool.devices.map(\.ordered),
      "other devices out of service after a crash")
    expect(old.pool.policy == new.pool.policy, "another policy after a crash")
    for (id, sweep) in old.sweeps {
      guard let restored = new.sweeps[id] else {
        expect(false, "sweep \(id) is forgotten after a crash")
        continue
      }
      let (a, b) = (sweep.machine, restored.machine)
      expect(a.state == b.state, "sweep \(id) is \(b.state) after a crash and was \(a.state)")
      expect(a.trials.map(\.words) == b.trials.map(\.words), "sweep \(id) has other trials after a crash")
      expect(
        (a.best, a.maxParallel, a.open, a.own) == (b.best, b.maxParallel, b.open, b.own),
        "sweep \(id) is another one")
      expect(a.progress == b.progress, "sweep \(id): \(b.progress) instead of \(a.progress)")
      expect(
        a.search.state == b.search.state
          && Array(a.search.history.observations) == Array(b.search.history.observations),
        "the search of sweep \(id) is another after a crash")
      expect(sweep.plan == restored.plan, "sweep \(id) has another plan")
    }
  }

  // MARK: - At the end

  func checkEnd(of id: PublicID, _ record: Ledger.SweepRecord) throws {
    let (setup, trials) = (record.setup, record.trials)
    expect(trials.allSatisfy(\.state.isEnd), "sweep \(id) ended before its trials")
    expect(trials.count <= setup.size, "sweep \(id) made \(trials.count) trials of \(setup.size)")
    for number in trials.indices {
      expect(
        ends[.trial(sweep: id, number: number)] == 1, "the end of trial \(number) of \(id) was not told once")
    }
    var undisturbed = try setup.search()
    expect(
      trials.map(\.point) == trials.indices.compactMap { undisturbed.point(of: $0) },
      "sweep \(id) asked for other points than its search")
    expect(Set(trials.map(\.point)).count == trials.count, "a point of sweep \(id) ran twice")
  }
}

extension Search {
  /// What it asks for as trial `number`, when nothing is told meanwhile.
  fileprivate mutating func point(of number: Int) -> Point? {
    guard case .trial(let suggestion) = ask(trial: number) else { return nil }
    return suggestion.point
  }
}

extension SweepMachine {
  /// Open trials that no agent runs.
  fileprivate var own: [Int] { open.filter { !lent.contains($0) } }
}

extension SweepMachine.TrialRecord {
  /// All that it says; of two that are alike the same, also where there is no number.
  fileprivate var words: [String] {
    [point.flat.text, state.rawValue, objective.map { "\($0.bitPattern)" } ?? "", reason ?? ""]
  }
}
