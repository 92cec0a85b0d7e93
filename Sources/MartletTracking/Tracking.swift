// What happens to runs: created, logged to, changed, finished, read.

package import Logging
package import MartletModel
import MartletSeries
package import MartletStore
package import OrderedCollections

/// Runs and their points, for every face. Objects that an access may not see do not exist for it.
package final class Tracking: Sendable {
  /// Metrics a run may have.
  package static let keyLimit = 10_000
  /// Runs whose series may be asked for at once.
  package static let seriesLimit = 1_000
  /// Bytes of a log that are given at once.
  package static let largestLogPiece = 4 << 20

  package let feed: LiveFeed
  let store: Store
  let clock: any WallClock
  private let ingest: IngestQueue
  private let changes: RunChanges
  private let logger: Logger

  package init(
    store: Store, feed: LiveFeed, clock: any WallClock, logger: Logger = Logger(label: "martlet.tracking")
  ) {
    self.store = store
    self.feed = feed
    self.clock = clock
    self.logger = logger
    ingest = IngestQueue(store: store, clock: clock, keyLimit: Self.keyLimit) { commits in
      guard feed.isWatched else { return }
      feed.publish(commits.map { .points(run: $0.run, rows: $0.rows) })
    }
    changes = RunChanges(store: store, feed: feed, logger: logger)
  }

  /// Tells watchers what these runs, trials and sweeps are now. Whoever changed rows calls this after the commit: an
  /// older state can never be told after a newer one.
  package func tell(
    runs: OrderedSet<PublicID> = [], sweeps: OrderedSet<PublicID> = [],
    trials: OrderedDictionary<PublicID, OrderedSet<Int>> = [:]
  ) async {
    await feed.tell(runs: runs, sweeps: sweeps, trials: trials, from: store, logger: logger)
  }

  // MARK: - Projects

  package func projects(_ page: PageRequest, access: Access) async throws -> Page<Project> {
    let only = try await onlyProject(of: access)
    return try await store.read { try $0.projects(page, only: only) }
  }

  /// The one project that `access` may see, by name; nil: all. Of a token bound to a run, it is the run's.
  private func onlyProject(of access: Access) async throws -> String? {
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

  package func runs(_ query: RunQuery, _ page: PageRequest, access: Access) async throws -> Page<Run> {
    var query = query
    query.only = access.run
    if let only = access.project {
      if query.project != nil {
        query.project = try await project(query.project ?? only, access: access).name
      }
      query.project = query.project ?? only
    }
    let final = query
    return try await store.read { try $0.runs(final, page) }
  }

  package func run(_ id: PublicID, access: Access) async throws -> Run {
    try check(try await store.read { try $0.run(id) }, id, access)
  }

  private func check(_ run: Run?, _ id: PublicID, _ access: Access) throws -> Run {
    guard let run, Self.allows(access, id, project: run.project) else { throw Self.missing(id) }
    return run
  }

  private typealias Place = (project: String, state: RunState, isExecuted: Bool)

  /// That `access` may see this run, without reading the whole of it.
  @discardableResult
  private func place(_ id: PublicID, _ access: Access) async throws -> Place {
    try Self.check(try await store.read { try $0.place(of: id) }, id, access)
  }

  @discardableResult
  private static func check(_ place: Place?, _ id: PublicID, _ access: Access) throws -> Place {
    guard let place, allows(access, id, project: place.project) else { throw missing(id) }
    return place
  }

  private static func allows(_ access: Access, _ id: PublicID, project: String) -> Bool {
    (access.run == nil || access.run == id) && (access.project == nil || access.project == project)
  }

  private static func missing(_ id: PublicID) -> Problem {
    Problem(.notFound, "There is no run '\(id)'.", hint: "'martlet run list' shows the runs there are.")
  }

  package func createRun(_ new: NewRun, access: Access) async throws -> Run {
    guard access.run == nil else {
      throw Problem(.forbidden, "The token of an attempt may only write to its own run.")
    }
    guard access.project == nil || access.project == new.project else {
      throw Problem(.forbidden, "This token may only write to project '\(access.project ?? "")'.")
    }
    try Self.checkName(new.project, of: "project")
    if let name = new.name { try Self.checkName(name, of: "run") }
    let name = new.name ?? RunNames.fresh()
    let now = clock.now
    let run = try await store.write {
      try $0.createExternalRun(project: new.project, name: name, new.details, by: access.principal, now: now)
    }
    await tell(runs: [run.id])
    return run
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

  package func patchRun(_ id: PublicID, _ patch: RunPatch, access: Access) async throws -> Run {
    try await place(id, access)
    if let name = patch.name { try Self.checkName(name, of: "run") }
    if patch.state != nil || patch.name != nil, !access.scopes.contains(.write) {
      throw Problem(.forbidden, "Changing a run's name or state needs the scope 'write'.")
    }
    let now = clock.now
    let run = try await store.write { writer -> Run? in
      if let state = patch.state, let place = try writer.place(of: id), state != place.state {
        try Self.checkMove(of: id, place, to: state)
        let exit =
          state.isEnd ? ExitRecord(code: nil, signal: nil, reason: "Set by \(access.principal.name).") : nil
        try writer.setRunState(id, state, exit: exit, by: access.principal, now: now)
        if state == .running { try writer.withdrawStop(id) }
      }
      try writer.patchRun(id, patch)
      return try writer.run(id)
    }
    let changed = try check(run, id, access)
    await tell(runs: [id])
    return changed
  }

  /// A state set by hand: any end, of a run from outside also `running`.
  private static func checkMove(of id: PublicID, _ place: Place, to state: RunState) throws {
    guard !place.isExecuted || place.state.isEnd else {
      throw Problem(
        .conflict, "Run '\(id)' is executed here: its state follows its process.",
        hint: "Use 'martlet run stop \(id)' to end it.")
    }
    guard state.isEnd || state == .running && !place.isExecuted else {
      let ends = RunState.allCases.filter(\.isEnd).map(\.rawValue).joined(separator: ", ")
      let words = place.isExecuted ? "was executed here" : "runs elsewhere"
      throw Problem(
        .unprocessable, "Run '\(id)', which \(words), cannot be set to '\(state.rawValue)' by hand.",
        hint: place.isExecuted ? "Choose one of \(ends)." : "Choose running or one of \(ends).")
    }
  }

  package func finishRun(_ id: PublicID, _ finish: RunFinish, access: Access) async throws -> Run {
    try await place(id, access)
    let now = clock.now
    let run = try await store.write { writer -> Run? in
      if try writer.isExecuted(id) {
        // Its state follows its process; the reason is kept for the moment its process ends.
        if let reason = finish.reason { try writer.setReason(id, reason) }
      } else {
        let words =
          finish.reason
          ?? (finish.exitCode ?? 0 == 0 ? "Finished." : "Exited with code \(finish.exitCode ?? 0).")
        try writer.setRunState(
          id, finish.state, exit: ExitRecord(code: finish.exitCode, signal: nil, reason: words),
          by: access.principal, now: now)
      }
      return try writer.run(id)
    }
    let changed = try check(run, id, access)
    await tell(runs: [id])
    return changed
  }

  package func heartbeat(_ id: PublicID, access: Access) async throws -> (
    state: RunState, stopRequested: Bool
  ) {
    let now = clock.now
    let (before, after, isStopRequested) = try await store.write { writer in
      let before = try Self.check(try writer.place(of: id), id, access).state
      try writer.seen(id, by: access.principal, now: now)
      return (before, try writer.place(of: id)?.state ?? before, try writer.isStopRequested(id))
    }
    if after != before { await tell(runs: [id]) }
    return (after, isStopRequested)
  }

  // MARK: - Points

  /// Decodes JSON lines, makes them durable, tells watchers.
  package func append(
    _ id: PublicID, client: String, lines: [UInt8], access: Access
  ) async throws -> AppendReceipt {
    guard (8...64).contains(client.utf8.count),
      client.utf8.allSatisfy({ byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
          || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      })
    else {
      throw Problem(
        .unprocessable, "'client' must be 8 to 64 characters of A–Z, a–z, 0–9, _ and -.",
        hint: "Use a fresh random id for each process, such as a UUID in hexadecimal.")
    }
    if access.run != nil || access.project != nil { try await place(id, access) }
    let rows = try LogLines.decode(lines, now: clock.now).rows()
    return try await append(rows, to: id, client: client, bytes: lines.count)
  }

  /// Makes rows durable, tells watchers.
  package func append(_ rows: [LogRow], to id: PublicID, client: String) async throws -> AppendReceipt {
    try await append(rows, to: id, client: client, bytes: 0)
  }

  private func append(
    _ rows: [LogRow], to id: PublicID, client: String, bytes: Int
  ) async throws -> AppendReceipt {
    let (receipt, stored) = try await ingest.append(rows, to: id, client: client, bytes: bytes)
    if !stored.isEmpty { await changes.note(id) }
    return receipt
  }

  package func series(_ request: SeriesRequest, access: Access) async throws -> [Series] {
    let runs = OrderedSet(request.runs)
    guard runs.count <= Self.seriesLimit else {
      throw Problem(
        .unprocessable,
        "Series of \(runs.count) runs were asked for; \(Self.seriesLimit) are allowed at once.",
        hint: "Ask for fewer runs at a time.")
    }
    // Nothing is read of any before all are allowed. A snapshot each: one of all would hold up checkpoints for as long
    // as the longest request takes.
    for id in runs where access.run != nil || access.project != nil { try await place(id, access) }
    var series: [Series] = []
    for id in runs {
      series += try await store.read { reader in
        try reader.series(
          run: id, keys: request.keys, buckets: request.buckets, fromStep: request.fromStep,
          toStep: request.toStep)
      }
    }
    return series
  }

  // MARK: - Attempts and logs

  package func attempts(_ id: PublicID, access: Access) async throws -> [Attempt] {
    try await place(id, access)
    return try await store.read { try $0.attempts(of: id) }
  }

  package func log(
    _ id: PublicID, stream: LogStream, attempt: Int?, offset: Int, limit: Int, access: Access
  ) async throws -> LogSlice {
    let found = try await self.attempt(id, attempt, access: access)
    guard let found else {
      return LogSlice(stream: stream, attempt: 0, offset: 0, nextOffset: 0, size: 0, ended: true, text: "")
    }
    let limit = min(max(1, limit), Self.largestLogPiece)
    return try await blocking {
      try LogReading.slice(
        path: "\(found.directory)/\(stream.rawValue).log", stream: stream, attempt: found.number,
        offset: offset,
        limit: limit, ended: found.state.isEnd)
    }
  }

  package func logFile(_ id: PublicID, stream: LogStream, attempt: Int?, access: Access) async throws
    -> LogFile
  {
    guard let found = try await self.attempt(id, attempt, access: access) else {
      throw Problem(.notFound, "Run '\(id)' has no log: it was not executed here.")
    }
    return LogFile(
      path: "\(found.directory)/\(stream.rawValue).log", name: "\(id)-\(found.number)-\(stream.rawValue).log")
  }

  /// Nil: the run has no attempts, since it ran elsewhere.
  private func attempt(_ id: PublicID, _ number: Int?, access: Access) async throws -> Attempt? {
    try await store.read { reader in
      try Self.check(try reader.place(of: id), id, access)
      let found = try reader.attempt(of: id, number: number)
      guard let number, found == nil else { return found }
      let count = try reader.attempt(of: id, number: nil)?.number ?? 0
      throw Problem(.notFound, "Run '\(id)' has no attempt \(number).", hint: "It has \(count).")
    }
  }
}
