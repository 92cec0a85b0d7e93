// One simulated server under one seed: people, processes, failures and crashes, with the real machines in the middle.

import MartletModel
package import MartletScheduling
import MartletSearch
import OrderedCollections

/// What a simulation counted.
package struct SimulationCount: Sendable, Hashable {
  package var events = 0
  package var grants = 0
  package var loans = 0
  package var verdicts = 0
  package var resumptions = 0
  package var trials = 0
  package var attempts = 0
  package var retries = 0
  package var crashes = 0
  package var reboots = 0
  package var refusedWrites = 0

  package init() {}

  package static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.events += b.events
    sum.grants += b.grants
    sum.loans += b.loans
    sum.verdicts += b.verdicts
    sum.resumptions += b.resumptions
    sum.trials += b.trials
    sum.attempts += b.attempts
    sum.retries += b.retries
    sum.crashes += b.crashes
    sum.reboots += b.reboots
    sum.refusedWrites += b.refusedWrites
    return sum
  }
}

/// Runs the machines against a world drawn from a seed.
package struct Simulation {
  /// At least so many events, and crashes of the server, before it may come to rest.
  package static let leastEvents = 1_000
  package static let leastCrashes = 5

  /// Whatever takes longer turns in circles.
  private static let mostSteps = 50_000

  enum Thing {
    case world(AttemptKey, Fate)
    /// For the server that was up when it was put here, nobody else.
    case server(epoch: Int, Errand)
    case people
    case restart
  }

  /// What a process does next.
  enum Fate {
    case begin, run, leave, loseSupervisor
    /// It logs a value.
    case report
    /// The agent that runs it falls silent, or gives it back.
    case vanish(isBlamed: Bool)
    case end(JobEnd)
  }

  enum Errand {
    case news(AttemptKey, JobNews)
    case wake, begin
    case storeEnd(PublicID, SweepState, reason: String?)
  }

  package let seed: UInt64
  package internal(set) var count = SimulationCount()
  package var violations: [String] { audit.findings.violations }
  let laws: Laws
  let devices: [Device]
  var numbers: SplitMix64
  var now = 0.0
  var agenda = Agenda<Thing>()
  var world = World()
  var ledger = Ledger()
  var audit: Audit
  /// Nil: no server is up.
  var scheduler: Scheduler?
  var epoch = 0
  var isCalm = false
  var calmSince = 0.0
  var diskIsFull = false
  var nextName = 0
  /// How a sweep ended first: a crash before that is stored makes it end again.
  var ended: [PublicID: SweepState] = [:]

  package init(seed: UInt64, breaking law: Law? = nil) {
    self.seed = seed
    laws = Laws(breaking: law)
    numbers = SplitMix64(seed: seed)
    devices = randomDevices(using: &numbers)
    audit = Audit(devices: devices)
    ledger.policy = randomPolicy(using: &numbers)
  }

  /// Runs to the end, or to the first violation.
  package mutating func run() throws {
    try restart()
    agenda.put(.people, at: 0)
    var steps = 0
    while violations.isEmpty, let next = agenda.next() {
      now = next.at
      steps += 1
      audit.expect(steps < Self.mostSteps, "it goes on and on: \(steps) things happened until \(now) s")
      switch next.thing {
      case .world(let key, .report): try report(key)
      case .world(let key, let fate): move(key, fate)
      case .server(let epoch, let errand): if epoch == self.epoch { try perform(errand) }
      case .people: try people()
      case .restart: try restart()
      }
      if !isCalm, count.events >= Self.leastEvents, count.crashes >= Self.leastCrashes {
        (isCalm, calmSince) = (true, now)
      }
      if isCalm, isAtRest { break }
      if isCalm, now > calmSince + 20_000 {
        let waits = scheduler?.pool.waits(at: now).prefix(3).map { "\($0.request.job): \($0.reason)" } ?? []
        audit.expect(false, "it did not come to rest: \(scheduler?.jobs.count ?? 0) jobs left; \(waits)")
      }
    }
    if violations.isEmpty { try checkRest() }
  }

  // MARK: - Chance

  mutating func chance(_ part: Int, of whole: Int) -> Bool {
    Int.random(in: 0..<whole, using: &numbers) < part
  }

  mutating func seconds(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &numbers) }

  mutating func name() -> PublicID {
    nextName += 1
    let digits = String(nextName)
    let text = "n" + String(repeating: "0", count: PublicID.length - 1 - digits.count) + digits
    return PublicID(rawValue: text) ?? .random(using: &numbers)
  }

  // MARK: - The server

  /// Decides, keeps, then acts, as a server does. Returns false when the decision could not be kept.
  @discardableResult mutating func decide(
    _ event: Scheduler.Event, keep: (inout Ledger) -> Void = { _ in }
  ) throws -> Bool {
    guard let before = scheduler else { return false }
    count.events += 1
    var after = before
    let actions = after.handle(event, at: now)
    var kept = ledger
    keep(&kept)
    kept.write(actions)
    if diskIsFull {
      count.refusedWrites += 1
      return false
    }
    if !isCalm, chance(1, of: 300) {
      try crash()
      return false
    }
    audit.check(actions, before: before, after: after)
    note(event, actions, before)
    for flaw in kept.flaws { audit.expect(false, flaw) }
    (ledger, scheduler) = (kept, after)
    for action in actions {
      // It dies between any two things that it does.
      if !isCalm, chance(1, of: 800) {
        try crash()
        return true
      }
      carryOut(action)
    }
    return true
  }

  private mutating func note(_ event: Scheduler.Event, _ actions: [Scheduler.Action], _ before: Scheduler) {
    for action in actions {
      switch action {
      case .start: count.grants += 1
      case .lend: count.loans += 1
      case .setVerdict: count.verdicts += 1
      case .resumeTrial: count.resumptions += 1
      case .createTrial: count.trials += 1
      case .createAttempt(let job):
        count.attempts += 1
        if job.number > 1 { count.retries += 1 }
        if case .attempt(let id, _, .over(let end)) = event, id == job.id, job.number > 1,
          case .fault(let fault) = end.kind
        {
          audit.forgive(job, fault)
        }
      default: break
      }
    }
  }

  private mutating func carryOut(_ action: Scheduler.Action) {
    switch action {
    case .start(let id, let number, let devices): start(AttemptKey(job: id, number: number), devices)
    case .lend(let id, let number, _): lend(AttemptKey(job: id, number: number))
    case .ask(let id, let number, _):
      agenda.put(.world(AttemptKey(job: id, number: number), .leave), at: now + seconds(0...3))
    case .wake(let time): agenda.put(.server(epoch: epoch, .wake), at: max(now, time))
    case .endSweep(let id, let state, let reason):
      if let first = ended[id] { audit.expect(first == state, "sweep \(id) ended \(first), then \(state)") }
      ended[id] = state
      agenda.put(.server(epoch: epoch, .storeEnd(id, state, reason: reason)), at: now + seconds(0...1))
    default: break
    }
  }

  private mutating func perform(_ errand: Errand) throws {
    switch errand {
    case .news(let key, let news):
      if try !decide(.attempt(key.job, number: key.number, judged(news, of: key.job))) { again(errand) }
    case .wake: if try !decide(.wake) { again(errand) }
    case .begin:
      guard try decide(.begin) else { return again(errand) }
      for job in scheduler.map({ Array($0.jobs.values) }) ?? [] where job.state.holds {
        look(AttemptKey(job: job.id, number: job.number))
        if job.ask != nil {
          agenda.put(
            .world(AttemptKey(job: job.id, number: job.number), .leave), at: now + seconds(0...3))
        }
      }
    case .storeEnd(let id, let state, let reason):
      guard let record = ledger.sweeps[id], !record.state.isEnd else { return }
      ledger.sweeps[id]?.state = state
      ledger.sweeps[id]?.reason = reason
      try audit.checkEnd(of: id, record)
    }
  }

  /// The disk was full: whoever had news tries again.
  private mutating func again(_ errand: Errand) {
    if scheduler != nil { agenda.put(.server(epoch: epoch, errand), at: now + 1) }
  }

  private mutating func restart() throws {
    guard scheduler == nil else { return }
    epoch += 1
    scheduler = try ledger.scheduler(devices: devices, at: now, laws: laws, reports: world.reports)
    try perform(.begin)
  }

  mutating func crash() throws {
    guard let old = scheduler else { return }
    count.crashes += 1
    let restored = try ledger.scheduler(devices: devices, at: now, laws: laws, reports: world.reports)
    audit.compare(old, restored, at: now)
    scheduler = nil
    diskIsFull = false
    epoch += 1
    if chance(1, of: 8) {
      count.reboots += 1
      world.switchOff()
    }
    agenda.put(.restart, at: now + seconds(0...30))
  }

  // MARK: - The end

  private var isAtRest: Bool {
    guard let scheduler else { return false }
    return scheduler.jobs.isEmpty && ledger.sweeps.values.allSatisfy(\.state.isEnd)
  }

  private mutating func checkRest() throws {
    guard isCalm, let scheduler else {
      return audit.expect(false, "it ended after \(count.events) events and \(count.crashes) crashes")
    }
    audit.expect(scheduler.pool.isUnused, "the pool is not empty: \(scheduler.pool.holdings)")
    audit.expect(world.alive.values.allSatisfy { $0 == 0 }, "a process is left over")
    for (id, record) in ledger.sweeps {
      for (number, trial) in record.trials.enumerated() {
        let successes = world.successes[.trial(sweep: id, number: number)] ?? 0
        audit.expect(
          successes == (trial.state == .complete ? 1 : 0),
          "trial \(number) of \(id) is \(trial.state) and succeeded \(successes) times")
      }
      let isWhole = record.state == .finished && !(record.reason?.contains("target") ?? false)
      audit.expect(
        !isWhole || record.trials.count == record.setup.size,
        "sweep \(id) finished with \(record.trials.count) of \(record.setup.size) trials")
    }
  }
}
