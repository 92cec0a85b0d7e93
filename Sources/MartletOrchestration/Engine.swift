// Everything below the faces, composed: data directory, store, tracking, sweeps, execution.

import Foundation
import Glibc
package import Logging
package import MartletExecution
package import MartletModel
package import MartletScheduling
package import MartletStore
package import MartletTracking
import OrderedCollections
import Synchronization

/// How an engine is opened.
package struct EngineOptions: Sendable {
  package var data: String
  /// The devices that runs share out, and how.
  package var pool: PoolOptions
  /// Variables that name devices and the programs that tell of them.
  package var environment: [String: String]
  package var allowNetworkFileSystem: Bool
  /// The address that attempts write to; asked at each start.
  package var url: @Sendable () -> String
  /// Path of this executable: the supervisor lies beside it.
  package var executable: String
  /// Seconds from one sample of what executed runs use to the next; 0: none is taken.
  package var sampleEvery = 0.0
  /// Seconds from one look at what the machine has left to the next, for sweeps that follow it; 0: nobody looks.
  package var headroomEvery = 5.0
  /// Seconds without a word after which an agent's trial is somebody else's.
  package var agentSilence = 60.0

  package init(
    data: String, pool: PoolOptions, allowNetworkFileSystem: Bool, url: @escaping @Sendable () -> String,
    executable: String = "/proc/self/exe",
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) {
    self.data = data
    self.pool = pool
    self.environment = environment
    self.allowNetworkFileSystem = allowNetworkFileSystem
    self.url = url
    self.executable = executable
  }

  /// - Parameter devices: so many are declared, of which nothing more is known.
  package init(
    data: String, devices: Int, allowNetworkFileSystem: Bool, url: @escaping @Sendable () -> String,
    executable: String = "/proc/self/exe"
  ) {
    self.init(
      data: data, pool: PoolOptions(devices: .count(devices)),
      allowNetworkFileSystem: allowNetworkFileSystem, url: url, executable: executable)
  }
}

/// This machine's name, as the kernel has it: no name service is asked.
func hostName() -> String {
  var name = [CChar](repeating: 0, count: 256)
  guard gethostname(&name, name.count - 1) == 0 else { return "localhost" }
  return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The system's clock.
package struct SystemClock: WallClock {
  package init() {}

  package var now: Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
  }

  package var uptime: Double {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// One data directory at work. Objects that an access may not see do not exist for it.
package final class Engine: Sendable {
  package let data: DataDirectory
  package let store: Store
  package let tracking: Tracking
  /// The account that the server runs under.
  package let localPrincipal: Principal
  let conductor: Conductor
  private let leases: Leases
  private let logger: Logger
  private let leaseTask: Task<Void, Never>
  private let watchTask = Mutex<Task<Void, Never>?>(nil)
  let analyses = SweepAnalyses()
  /// In which the server was started.
  let environment: [String: String]
  /// Who samples what executed runs use; nil: nobody does.
  package let sampling: Sampling?

  package var localTokenPath: String { data.token }

  /// Locks and opens the data directory, migrates, finds running attempts again.
  ///
  /// - Throws: `Problem`.
  package static func open(_ options: EngineOptions, logger: Logger) async throws -> Engine {
    let data = try DataDirectory(path: options.data, allowsNetworkFileSystem: options.allowNetworkFileSystem)
    let supervision = try Supervision.beside(
      executable: options.executable, environment: ProcessInfo.processInfo.environment)
    let store = try Store(path: data.database) { logger.notice("\($0)") }
    if let old = try await store.relocate(to: data.path) {
      logger.notice("The data directory was at \(old) before; it is at \(data.path) now.")
    }
    let clock = SystemClock()
    let now = clock.now
    let user = NSUserName()
    let (local, system) = try await store.write { writer in
      (
        try writer.principal(kind: .local) ?? writer.createPrincipal(kind: .local, name: user, now: now),
        try writer.principal(kind: .system)
          ?? writer.createPrincipal(kind: .system, name: "martlet", now: now)
      )
    }
    let tracking = Tracking(
      store: store, blobs: try BlobStore(path: "\(data.path)/blobs"),
      directories: RunDirectories(data: data.path), feed: LiveFeed(), clock: clock, logger: logger)
    let gpus = GPUs(environment: options.environment)
    let pool = try await options.startingPool(store, gpus, at: clock.uptime)
    for warning in pool.warnings { logger.warning("\(warning)") }
    let conductor = Conductor(
      store: store, tracking: tracking, data: data, supervision: supervision, system: system, clock: clock,
      pool: pool, deviceWatch: DeviceWatch(gpus: gpus, clock: clock), url: options.url, logger: logger,
      headroomEvery: options.headroomEvery, agentSilence: options.agentSilence)
    try await conductor.recover()
    tracking.onRows { [weak conductor] run in Task { await conductor?.noteRows(of: run) } }
    let sampling =
      options.sampleEvery > 0
      ? Sampling(
        every: options.sampleEvery, data: data.path, conductor: conductor, tracking: tracking, clock: clock,
        gpus: gpus, logger: logger) : nil
    return Engine(
      data: data, store: store, tracking: tracking, localPrincipal: local, conductor: conductor,
      leases: Leases(store: store, feed: tracking.feed, clock: clock, system: system), system: system,
      sampling: sampling, environment: options.environment, logger: logger)
  }

  private init(
    data: DataDirectory, store: Store, tracking: Tracking, localPrincipal: Principal, conductor: Conductor,
    leases: Leases, system: Principal, sampling: Sampling?, environment: [String: String], logger: Logger
  ) {
    self.sampling = sampling
    self.environment = environment
    self.data = data
    self.store = store
    self.tracking = tracking
    self.localPrincipal = localPrincipal
    self.conductor = conductor
    self.leases = leases
    self.logger = logger
    leaseTask = Task {
      while !Task.isCancelled {
        do {
          try await Task.sleep(for: .seconds(5))
          try await leases.check()
          try await tracking.clean(by: system)
        } catch is CancellationError {
          return
        } catch {
          logger.failure("Silent runs and old trash could not be seen to", error)
        }
      }
    }
  }

  // MARK: - Sweeps

  package func sweeps(_ query: SweepQuery, _ page: PageRequest, access: Access) async throws -> Page<Sweep> {
    var query = query
    if access.run != nil { return Page(items: []) }
    if let only = access.project {
      if let asked = query.project { _ = try await tracking.project(asked, access: access) }
      query.project = only
    }
    let final = query
    return try await store.read { try $0.sweeps(final, page) }
  }

  package func sweep(_ id: PublicID, access: Access) async throws -> Sweep {
    let found = try await store.read { try $0.sweep(id) }
    guard let found, access.run == nil, access.project == nil || access.project == found.project else {
      throw Problem(
        .notFound, "There is no sweep '\(id)'.", hint: "'martlet sweep list' shows the sweeps there are.")
    }
    return found
  }

  /// - Parameters:
  ///   - number: only from this one on.
  ///   - time: only those that ended then or later; nil: also those that have not ended.
  package func trials(
    _ id: PublicID, order: TrialOrder, from number: Int = 0, endedSince time: Timestamp? = nil, access: Access
  ) async throws -> [Trial] {
    let sweep = try await sweep(id, access: access)
    let trials = try await store.read { try $0.trials(of: id, from: number, endedSince: time) }
    switch order {
    case .number: return trials
    case .rank: return trials.ranked(by: sweep.objective)
    }
  }

  /// The versions of a sweep's file whose text is kept, oldest first.
  package func versions(ofSweep id: PublicID, access: Access) async throws -> [SweepVersion] {
    _ = try await sweep(id, access: access)
    return try await store.read { try $0.versions(ofSweep: id) }
  }

  /// Those of these sweeps that there are, and that the access may see.
  package func sweeps(_ ids: [PublicID], access: Access) async throws -> [Sweep] {
    guard access.run == nil else { return [] }
    return try await store.read { reader in
      try ids.compactMap { try reader.sweep($0) }
        .filter { access.project == nil || access.project == $0.project }
    }
  }

  /// Trials of a sweep in the order of their numbers, from one on.
  package func trials(_ id: PublicID, from number: Int, limit: Int, access: Access) async throws -> [Trial] {
    _ = try await sweep(id, access: access)
    return try await store.read { try $0.trials(of: id, from: number, limit: limit) }
  }

  /// Those of these trials of a sweep that there are.
  package func trials(_ id: PublicID, numbers: [Int], access: Access) async throws -> [Trial] {
    _ = try await sweep(id, access: access)
    return try await store.read { reader in try numbers.compactMap { try reader.trial(of: id, number: $0) } }
  }

  package func createSweep(_ new: NewSweep, access: Access) async throws -> Sweep {
    try check(access, mayUse: new.project)
    let (conductor, principal) = (conductor, access.principal)
    let new = try await surrounded(new, access: access)
    let prepared = try await conductor.prepare(new, access: access)
    await conductor.knowDevices()
    try await conductor.store(prepared.draft) {
      try await conductor.queue.run { try await conductor.createSweep(new, prepared, by: principal) }
    }
    await conductor.keepFiles(of: prepared.capture, ofSweep: prepared.id)
    return try await sweep(prepared.id, access: access)
  }

  package func stopSweep(_ id: PublicID, mode: StopMode, grace: Double?, access: Access) async throws -> Sweep
  {
    _ = try await sweep(id, access: access)
    let (conductor, principal) = (conductor, access.principal)
    try await conductor.queue.run {
      try await conductor.stopSweep(id, mode: mode, grace: grace, by: principal)
    }
    return try await sweep(id, access: access)
  }

  // MARK: - Runs

  package func execute(_ new: NewExecution, access: Access) async throws -> Run {
    try check(access, mayUse: new.project)
    let (conductor, principal) = (conductor, access.principal)
    let name = new.name ?? RunNames.fresh()
    let prepared = try await conductor.prepare(new, name: name)
    if new.needs.devices > 0 { await conductor.knowDevices() }
    try await conductor.store(prepared.draft) {
      try await conductor.queue.run {
        try await conductor.execute(new, name: name, prepared, by: principal)
      }
    }
    await conductor.keepFiles(of: prepared.capture, ofRun: prepared.id)
    return try await tracking.run(prepared.id, access: access)
  }

  package func stopRun(_ id: PublicID, grace: Double?, access: Access) async throws -> Run {
    _ = try await tracking.run(id, access: access)
    let (conductor, principal) = (conductor, access.principal)
    try await conductor.queue.run { try await conductor.stopRun(id, grace: grace, by: principal) }
    return try await tracking.run(id, access: access)
  }

  func check(_ access: Access, mayUse project: String) throws {
    guard access.run == nil, access.project == nil || access.project == project else {
      throw Problem(
        .forbidden, "This token may not use project '\(project)'.", hint: "Ask for a token of that project.")
    }
  }

  // MARK: - State

  /// Each declared device and the run that holds it.
  package func devices() async -> [(index: Int, holder: PublicID?)] {
    let core = await conductor.core
    return core.scheduler.pool.devices.map { device in
      (device.device.index, device.holders.first.flatMap { core.attempt(of: $0)?.run })
    }
  }

  /// What drivers say of the pool's devices, by number, 2 s old at most: of one that does not answer what it said last.
  /// Devices that were declared have none.
  package func poolReadings() async -> [Int: DeviceReading] { await conductor.poolReadings() }

  /// How limits of attempts are kept here: of memory, of processors, and whether the kernel ends all processes of an
  /// attempt at once.
  package var limitWays: (memory: LimitWay, cpus: LimitWay, killsByGroup: Bool) {
    let confinement = conductor.confinement
    return (confinement.memoryWay, confinement.cpusWay, confinement.killsByGroup)
  }

  package func load() async -> (running: Int, queued: Int) {
    let attempts = await conductor.core.attempts.values
    let queued = attempts.count { $0.state == .queued }
    return (attempts.count - queued, queued)
  }

  /// Begins queued work; called when the server listens. Where the disk refuses, it is tried again every second.
  package func start() async {
    let (conductor, logger) = (conductor, logger)
    sampling?.start()
    watchTask.withLock { task in
      task = task ?? Task { await conductor.watchDevices() }
    }
    await conductor.knowDevices()
    do {
      try await conductor.queue.run { try await conductor.begin() }
    } catch {
      logger.failure("Queued work could not begin; trying again", error)
      if await conductor.isClosed { return }
      Task {
        // A cancelled sleep only tries earlier.
        try? await Task.sleep(for: .seconds(1))
        await start()
      }
    }
  }

  /// Lets decisions under way end and closes the store; running attempts go on without us.
  package func shutdown() async {
    leaseTask.cancel()
    watchTask.withLock { $0?.cancel() }
    sampling?.stop()
    await conductor.close()
    await tracking.feed.close()
    await tracking.closeSamples()
    let store = store
    do {
      try await blocking { try store.close() }
    } catch {
      logger.failure("The database was not closed cleanly", error)
    }
  }
}

extension [Trial] {
  /// Best first, then those that miss a constraint, those without a value, failed ones last; each by number.
  package func ranked(by objective: Objective?) -> [Trial] {
    func group(_ trial: Trial) -> Int {
      guard trial.state != .failed else { return 3 }
      guard let objective = trial.objective, !objective.isNaN else { return 2 }
      let violations = trial.measured["violations"]?.array ?? []
      return violations.allSatisfy { $0.double.map { $0 <= 0 } ?? false } ? 0 : 1
    }
    return sorted { a, b in
      if group(a) != group(b) { return group(a) < group(b) }
      if let objective, let x = a.objective, let y = b.objective, x != y {
        return objective.isBetter(x, than: y)
      }
      return a.number < b.number
    }
  }
}
