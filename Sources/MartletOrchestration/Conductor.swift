// Decide, then commit, then apply: every change of what is queued, running and held goes through here.

import Foundation
import Logging
import MartletExecution
import MartletModel
import MartletScheduling
import MartletStore
import MartletTracking
import OrderedCollections

/// Changes a copy of the engine's memory and writes down what it changed.
typealias Decision = @Sendable (inout Core, StoreWriter, inout Effects, Timestamp) throws -> Void

/// Holds the engine's memory. Its methods are called through one `OrderedQueue`, so none meets another half done.
actor Conductor {
  let store: Store
  let tracking: Tracking
  let data: DataDirectory
  let supervision: Supervision
  /// Keeps attempts within their limits.
  let confinement: Confinement
  let system: Principal
  let clock: any WallClock
  let url: @Sendable () -> String
  let logger: Logger
  let queue = OrderedQueue()
  let results: ResultsWriter
  /// The pool with nobody in it, as this server began: its devices stay the same until the next.
  let startingPool: StartingPool
  let deviceWatch: DeviceWatch
  /// Where there are devices, attempts without any see none.
  nonisolated var deviceCount: Int { startingPool.pool.devices.count }
  var core: Core
  /// Nil: not asked yet.
  var knownMachine: Machine?
  private(set) var isStarted = false
  /// Sweeps whose results are being written before their end is stored.
  private var endings: [PublicID: Task<Void, Never>] = [:]
  /// Who sees to attempts whose supervisors were killed.
  var lost: [PublicID: LostWatch] = [:]
  /// The store is closed, or about to be: what happens from here on is found by the next server.
  private(set) var isClosed = false
  /// Who waits for the end of the next pause; seconds since 1970.
  private var sleeper: (until: Double, task: Task<Void, Never>)?
  /// Seconds from one look at what the machine has left to the next; 0: nobody looks.
  let headroomEvery: Double
  /// Who looks at what the machine has left, while a sweep follows that.
  var following: Task<Void, Never>?
  /// Seconds without a word after which an agent's trial is somebody else's.
  let agentSilence: Double
  /// When agents were heard of.
  var agents = AgentWatch()
  /// Decisions that wait for their turn, and who waits for them.
  private var decisions: [(decide: Decision, done: CheckedContinuation<Void, any Error>)] = []
  /// How far the values of trials have been looked at, where somebody does.
  var reading = ReportReading()
  /// What was heard of attempts before anything may be launched: nobody knows yet where attempts reach this server.
  private var early: [(news: AttemptNews, attempt: OpenAttempt)] = []

  init(
    store: Store, tracking: Tracking, data: DataDirectory, supervision: Supervision, system: Principal,
    clock: any WallClock, pool: StartingPool, deviceWatch: DeviceWatch, url: @escaping @Sendable () -> String,
    logger: Logger, headroomEvery: Double = 0, agentSilence: Double = 60
  ) {
    self.agentSilence = agentSilence
    self.headroomEvery = headroomEvery
    self.store = store
    self.tracking = tracking
    self.data = data
    self.supervision = supervision
    confinement = Confinement(owner: data.path)
    self.system = system
    self.clock = clock
    self.url = url
    self.logger = logger
    startingPool = pool
    self.deviceWatch = deviceWatch
    core = Core(
      data: data, host: hostName(), scheduler: Scheduler(pool: pool.pool, at: clock.now.seconds),
      declared: pool.declared)
    results = ResultsWriter(store: store, clock: clock, logger: logger) { sweep, trials in
      tracking.tellSoon(trials: [sweep: trials])
    }
  }

  /// Runs a decision on a copy of the memory inside one transaction. When it commits, the copy becomes the memory and
  /// the effects are carried out; when it fails, everything is as before.
  func transact<T: Sendable>(
    _ decide: @escaping @Sendable (inout Core, StoreWriter, inout Effects, Timestamp) throws -> T
  ) async throws -> T {
    let (before, now) = (core, clock.now)
    let (after, effects, result) = try await store.write { writer -> (Core, Effects, T) in
      var core = before
      var effects = Effects()
      let result = try decide(&core, writer, &effects, now)
      effects.alerts = writer.raisedAlerts
      return (core, effects, result)
    }
    core = after
    followMachine()
    await perform(effects)
    return result
  }

  private func perform(_ effects: Effects) async {
    for launch in effects.launches { Task { await start(launch) } }
    // An agent hears of it with its next sign of life.
    for attempt in effects.stops where attempt.agent == nil {
      if let watch = lost[attempt.run] {
        watch.stop(patience: attempt.patience)
      } else {
        supervision.stop(attempt.directory, patience: attempt.patience)
      }
    }
    for sweep in effects.results.values where !effects.ends.contains(where: { $0.sweep.id == sweep.id }) {
      await results.note(sweep)
    }
    for time in effects.wakes { wake(at: time) }
    for end in effects.ends { endings[end.sweep.id] = Task { await finish(end) } }
    // Not waited for: a watcher's snapshot of a large sweep must hold up no start.
    if effects.changesPool { tracking.feed.publish([.pool]) }
    tracking.tellSoon(
      runs: effects.runs, sweeps: effects.sweeps, trials: effects.trials, alerts: effects.alerts)
  }

  /// Lets the scheduler look again when a pause is over; what is to be looked at later, it says again then.
  private func wake(at time: Double) {
    if let sleeper, sleeper.until <= time { return }
    sleeper?.task.cancel()
    let clock = clock
    sleeper = (
      time,
      Task {
        // A cancelled sleep has no more to do.
        try? await Task.sleep(for: .seconds(max(0, time - clock.now.seconds)))
        if !Task.isCancelled { await lookAgain() }
      }
    )
  }

  private func lookAgain() async {
    sleeper = nil
    let (system, clock) = (system, clock)
    do {
      try await queue.run {
        try await self.transact { core, writer, effects, now in
          try core.decide(.wake, writer, &effects, by: system, now)
        }
      }
    } catch {
      logger.failure("What was to be tried again could not be; trying once more", error)
      if !isClosed { wake(at: clock.now.seconds + 1) }
    }
  }

  /// The results first, then the word that the sweep has ended: whoever reads that word finds them. Not in the queue:
  /// a best model of gigabytes must hold up nobody else's start.
  private func finish(_ end: Effects.SweepEnd) async {
    await results.finish(end.sweep)
    repeat {
      let (now, system) = (clock.now, system)
      do {
        try await store.write {
          try $0.setSweepState(end.sweep.row, end.state, reason: end.reason, by: system, now: now)
        }
        tracking.tellSoon(sweeps: [end.sweep.id])
        break
      } catch {
        logger.failure("The end of sweep \(end.sweep.id) could not be stored; trying again", error)
        // A cancelled sleep only tries earlier.
        try? await Task.sleep(for: .seconds(1))
      }
    } while !isClosed
    endings[end.sweep.id] = nil
  }

  /// Waits until the end of a sweep is stored.
  func settle(_ sweep: PublicID) async { await endings[sweep]?.value }

  /// Nothing more is decided: what is under way ends, later news is left to the next server. So is the end of a sweep
  /// that the store refuses to take: a full disk must not keep a server from ending.
  func close() async {
    isClosed = true
    sleeper?.task.cancel()
    following?.cancel()
    agents.task?.cancel()
    for watch in lost.values { watch.leave() }
    await queue.drain()
    for ending in endings.values { await ending.value }
    await results.close()
  }

  /// Begins what is queued; called once, when the server can be reached.
  func begin() async throws {
    let (system, verdicts) = (system, reading.verdicts)
    try await transact { core, writer, effects, now in
      try core.decide(.begin, writer, &effects, by: system, now)
      for case (.trial(let sweep, let number), let verdict) in verdicts {
        try core.decide(.sweep(sweep, .judge(number, verdict)), writer, &effects, by: system, now)
      }
    }
    reading.verdicts = [:]
    // A server that was killed may have left a table without the trials that ended last.
    for sweep in core.sweeps.values {
      let machine = core.scheduler.sweeps[sweep.id]?.machine
      if machine?.trials.contains(where: \.state.isEnd) == true { await results.note(sweep) }
    }
    isStarted = true
    watchAgents()
    for (news, attempt) in early {
      Task { await take(news, of: attempt) }
    }
    early = []
  }

  // MARK: - What comes at the same time

  /// Decides in its turn. Decisions that come while another is being written share one transaction: so many attempts that
  /// begin and end together wait for the disk once.
  func decideTogether(_ decide: @escaping Decision) async throws {
    try await withCheckedThrowingContinuation { done in
      decisions.append((decide, done))
      queue.add { await self.decideAll() }
    }
  }

  private func decideAll() async {
    let waiting = decisions
    decisions = []
    guard !waiting.isEmpty else { return }
    let decide = waiting.map(\.decide)
    do {
      try await transact { core, writer, effects, now in
        for decide in decide { try decide(&core, writer, &effects, now) }
      }
      for one in waiting { one.done.resume() }
    } catch {
      guard waiting.count > 1 else { return waiting[0].done.resume(throwing: error) }
      // One that cannot be decided now holds up no other.
      for one in waiting {
        do {
          try await transact(one.decide)
          one.done.resume()
        } catch {
          one.done.resume(throwing: error)
        }
      }
    }
  }

  /// Keeps news for `begin`.
  func postpone(_ news: AttemptNews, of attempt: OpenAttempt) { early.append((news, attempt)) }
}
