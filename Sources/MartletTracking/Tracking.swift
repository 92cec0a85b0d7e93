// What happens to runs: created, logged to, changed, finished, read.

package import Logging
package import MartletModel
import MartletSeries
package import MartletStore
package import OrderedCollections
import Synchronization

/// Runs and their points, for every face. Objects that an access may not see do not exist for it.
package final class Tracking: Sendable {
  /// Metrics a run may have.
  package static let keyLimit = 10_000
  /// Runs whose series may be asked for at once.
  package static let seriesLimit = 1_000
  /// Points and buckets in one answer of series, at most.
  package static let seriesPointLimit = 2_000_000
  /// Bytes of a log that are given at once.
  package static let largestLogPiece = 4 << 20
  /// Rows of a history in one page.
  package static let historyLimit = 10_000

  package let feed: LiveFeed
  let store: Store
  package let blobs: BlobStore
  let directories: RunDirectories
  /// Files are named, noted and forgotten one after the other: none goes between its name and its note.
  let blobQueue = OrderedQueue()
  let clock: any WallClock
  let ingest: IngestQueue
  let changes: RunChanges
  /// Opened when something is first sampled or asked for.
  let samples: SystemSamples
  let attemptLogs = AttemptLogs()
  let logger: Logger
  /// Whether there may be files that nobody has any more.
  let needsCleaning = Atomic(true)
  let purges = Purges()
  private let listener = Mutex<(@Sendable (PublicID) -> Void)?>(nil)

  package init(
    store: Store, blobs: BlobStore, directories: RunDirectories, feed: LiveFeed, clock: any WallClock,
    logger: Logger = Logger(label: "martlet.tracking")
  ) {
    self.store = store
    self.blobs = blobs
    self.directories = directories
    self.feed = feed
    self.clock = clock
    self.logger = logger
    ingest = IngestQueue(store: store, clock: clock, keyLimit: Self.keyLimit) { commits in
      feed.publish(commits.map { .points(run: $0.run, $0.batch) })
    }
    changes = RunChanges(store: store, feed: feed, logger: logger)
    let note: @Sendable ([PublicID]) -> Void = { [changes] runs in
      guard feed.isWatched else { return }
      Task { for run in runs { await changes.note(run) } }
    }
    store.onDerived(note)
    store.onFreed(note)
    samples = SystemSamples(path: "\(directories.data)/\(SystemSamples.fileName)")
  }

  /// Calls `listener` whenever rows of a run have become durable; it returns at once. There is one listener at most.
  package func onRows(_ listener: @escaping @Sendable (PublicID) -> Void) {
    self.listener.withLock { $0 = listener }
  }

  func tellListener(of run: PublicID) { listener.withLock(\.self)?(run) }

  /// Tells watchers what these runs, trials and sweeps are now. Whoever changed rows calls this after the commit: an
  /// older state can never be told after a newer one.
  package func tell(
    runs: OrderedSet<PublicID> = [], sweeps: OrderedSet<PublicID> = [],
    trials: OrderedDictionary<PublicID, OrderedSet<Int>> = [:], alerts: [Int64] = []
  ) async {
    await feed.tell(
      runs: runs, sweeps: sweeps, trials: trials, alerts: alerts, from: store, logger: logger)
  }

  /// As `tell`, without waiting until it is told; the order stays.
  package func tellSoon(
    runs: OrderedSet<PublicID> = [], sweeps: OrderedSet<PublicID> = [],
    trials: OrderedDictionary<PublicID, OrderedSet<Int>> = [:], alerts: [Int64] = []
  ) {
    feed.tellSoon(runs: runs, sweeps: sweeps, trials: trials, alerts: alerts, from: store, logger: logger)
  }

  // MARK: - Projects

  package func projects(_ page: PageRequest, access: Access) async throws -> Page<Project> {
    let only = try await onlyProject(of: access)
    return try await store.read { try $0.projects(page, only: only) }
  }

  /// The one project that `access` may see, by name; nil: all. Of a token bound to a run, it is the run's.
  func onlyProject(of access: Access) async throws -> String? {
    guard let bound = access.run else { return access.project }
    return try await place(bound, access).project
  }

  package func project(_ nameOrID: String, access: Access) async throws -> Project {
    let only = try await onlyProject(of: access)
    let (found, names) = try await store.read { reader in
      let project = try reader.project(nameOrID)
      return (project, project == nil ? try reader.projectNames() : [])
    }
    guard let found, only == nil || only == found.name else {
      let hint = nearest(to: nameOrID, in: only == nil ? names : []).map { "Did you mean '\($0)'?" }
      throw Problem(.notFound, "There is no project '\(nameOrID)'.", hint: hint)
    }
    return found
  }

  // MARK: - Runs

  /// Those of these runs that there are, as they are now, in the trash or not.
  package func rows(of ids: [PublicID]) async throws -> [PublicID: Run] {
    try await store.read { reader in
      Dictionary(try ids.compactMap { try reader.run($0) }.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }
  }

  /// Those of these alerts that there are.
  package func alerts(_ ids: [Int64]) async throws -> [Alert] { try await store.read { try $0.alerts(ids) } }

  package func run(_ id: PublicID, access: Access) async throws -> Run {
    try check(try await store.read { try $0.run(id) }, id, access)
  }

  /// A run with what was captured of its surroundings, which lists and the live feed leave out.
  package func wholeRun(_ id: PublicID, access: Access) async throws -> Run {
    let run = try await store.read { reader -> Run? in
      guard var run = try reader.run(id) else { return nil }
      run.environment = try reader.environment(of: id)
      return run
    }
    return try check(run, id, access)
  }

  func check(_ run: Run?, _ id: PublicID, _ access: Access) throws -> Run {
    guard let run, Self.allows(access, id, project: run.project) else { throw Self.missing(id) }
    return run
  }

  /// That `access` may see these runs, without reading the whole of them.
  ///
  /// - Throws: `Problem.notFound` for the first that it may not.
  package func check(_ runs: OrderedSet<PublicID>, access: Access) async throws {
    try await store.read { reader in
      for id in runs { try Self.check(try reader.place(of: id), id, access) }
    }
  }

  typealias Place = (project: String, state: RunState, isExecuted: Bool, isDeleted: Bool, isLocked: Bool)

  /// That `access` may see this run, without reading the whole of it.
  @discardableResult
  func place(_ id: PublicID, _ access: Access) async throws -> Place {
    try Self.check(try await store.read { try $0.place(of: id) }, id, access)
  }

  @discardableResult
  static func check(_ place: Place?, _ id: PublicID, _ access: Access) throws -> Place {
    guard let place, allows(access, id, project: place.project) else { throw missing(id) }
    return place
  }

  /// That `access` may see this run and that it is not in the trash, where nothing of it can be changed.
  @discardableResult
  static func checkWritable(_ place: Place?, _ id: PublicID, _ access: Access) throws -> Place {
    let place = try check(place, id, access)
    guard !place.isDeleted else {
      throw Problem(
        .notFound, "Run '\(id)' is in the trash.", hint: "'martlet run restore \(id)' takes it out.")
    }
    return place
  }

  private static func allows(_ access: Access, _ id: PublicID, project: String) -> Bool {
    (access.run == nil || access.run == id) && (access.project == nil || access.project == project)
  }

  static func missing(_ id: PublicID) -> Problem {
    Problem(.notFound, "There is no run '\(id)'.", hint: "'martlet run list' shows the runs there are.")
  }

  /// Names are labels, but empty and endless ones, and control characters, help nobody.
  package static func checkName(_ name: String, of kind: String) throws(Problem) {
    let isFine =
      !name.isEmpty && name.utf8.count <= 256
      && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    guard isFine else {
      throw Problem(
        .unprocessable, "A \(kind)'s name must be 1 to 256 bytes without control characters.",
        hint: "Choose a shorter or plainer name.")
    }
  }

  package func finishRun(_ id: PublicID, _ finish: RunFinish, access: Access) async throws -> Run {
    let now = clock.now
    let (run, alerts) = try await store.write { writer -> (Run?, [Int64]) in
      let place = try Self.checkWritable(try writer.place(of: id), id, access)
      if place.isExecuted {
        // Its state follows its process; the reason is kept for the moment its process ends.
        if let reason = finish.reason { try writer.setReason(id, reason) }
      } else if place.state != finish.state {
        if place.state.isEnd { try Self.refuseLocked(place, id, "ended otherwise") }
        // A run ends once; but one that was given up, and then tells its end, had not ended.
        let end = place.state.isEnd && place.state != .crashed ? try writer.end(of: id) : nil
        let words =
          finish.reason
          ?? (finish.exitCode ?? 0 == 0 ? "Finished." : "Exited with code \(finish.exitCode ?? 0).")
        try writer.setRunState(
          id, finish.state, exit: ExitRecord(code: finish.exitCode, signal: nil, reason: words), endedAt: end,
          by: access.principal, now: now)
      }
      return (try writer.run(id), writer.raisedAlerts)
    }
    let changed = try check(run, id, access)
    await tell(runs: [id], alerts: alerts)
    return changed
  }

  package func heartbeat(_ id: PublicID, access: Access) async throws -> (
    state: RunState, stopRequested: Bool
  ) {
    let now = clock.now
    let (before, after, isStopRequested) = try await store.write { writer in
      let before = try Self.checkWritable(try writer.place(of: id), id, access).state
      try writer.seen(id, by: access.principal, now: now)
      return (before, try writer.place(of: id)?.state ?? before, try writer.isStopRequested(id))
    }
    if after != before { await tell(runs: [id]) }
    return (after, isStopRequested)
  }
}
