// A store, a clock moved by hand and the tracking over them, for each test.

import Dispatch
import Foundation
import MartletModel
import MartletSeries
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Synchronization
import Testing

let noon = Timestamp(microseconds: 1_790_000_000_000_000)

final class HandClock: WallClock {
  private let time = Mutex(noon)
  var now: Timestamp { time.withLock { $0 } }
  func advance(_ seconds: Double) { time.withLock { $0 = $0 + seconds } }
}

/// A directory that is removed with its last reference.
final class Scratch: Sendable {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "martlet-tracking-\(PublicID.random())\(PublicID.random())"
    mkdir(path, 0o700)
  }

  deinit {
    do {
      try removeScratch(path)
    } catch {
      Issue.record("\(path) could not be removed: \(error)")
    }
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
  }
}

struct Bench: Sendable {
  let directory = Scratch()
  let store: Store
  let feed = LiveFeed()
  let clock = HandClock()
  let tracking: Tracking
  /// Everything is allowed.
  let access: Access

  init() async throws {
    store = try Store(path: "\(directory.path)/martlet.db")
    tracking = Tracking(
      store: store, blobs: try BlobStore(path: "\(directory.path)/blobs"),
      directories: RunDirectories(data: directory.path), feed: feed, clock: clock)
    let me = try await store.write { try $0.createPrincipal(kind: .local, name: "tester", now: noon) }
    access = Access(principal: me, token: nil, scopes: [.admin])
  }

  func bound(_ scopes: Set<Scope> = [.write], project: String? = nil, run: PublicID? = nil) -> Access {
    Access(principal: access.principal, token: nil, scopes: scopes, project: project, run: run)
  }

  func create(_ name: String? = nil, in project: String = "digits") async throws -> PublicID {
    try await tracking.createRun(NewRun(project: project, name: name, details: RunPatch()), access: access)
      .run
      .id
  }

  func show(_ id: PublicID) async throws -> Run { try await tracking.run(id, access: access) }

  /// A run that is executed, its first attempt moved through `states`, its logs in `directory.path`.
  func executed(_ states: [AttemptState] = [.starting, .running], in project: String = "digits") async throws
    -> PublicID
  {
    let (me, path) = (access.principal, directory.path)
    let id = try await store.write { writer in
      let id = try writer.freshRunID()
      try writer.createExecutedRun(
        ExecutedRun(
          project: project, name: "bold-wren-1", sweepRow: nil, trial: nil, config: [:], command: ["true"],
          workdir: "/", directory: path, execution: [:]), id: id, by: me, now: noon)
      _ = try writer.createAttempt(of: id, directory: { _ in path }, by: me, now: noon)
      return id
    }
    try await move(id, states)
    return id
  }

  /// A sweep with one trial, and the trial's run.
  func sweep() async throws -> (sweep: PublicID, run: PublicID) {
    let me = access.principal
    return try await store.write { writer in
      let (id, run) = (try writer.freshSweepID(), try writer.freshRunID())
      let row = try writer.createSweep(
        Sweep(
          id: id, project: "digits", name: "search", description: "", state: .running, method: "grid",
          objective: Objective(metric: "loss", goal: .minimize), parameters: [], maxParallel: 1, timeout: nil,
          command: ["train"], workdir: "/", outputDirectory: "/tmp", spaceSize: 1, budget: 1, createdAt: noon,
          createdBy: me.name, seed: 1, source: ""),
        samplerState: [:], filename: nil, commandOverride: nil, by: me, now: noon)
      try writer.createExecutedRun(
        ExecutedRun(
          project: "digits", name: "trial-0", sweepRow: row, trial: 0, config: [:], command: ["true"],
          workdir: "/", directory: "/tmp", execution: [:]), id: run, by: me, now: noon)
      try writer.createTrial(ofSweep: row, number: 0, parameters: [:], run: run, by: me, now: noon)
      return (id, run)
    }
  }

  func move(_ id: PublicID, _ states: [AttemptState]) async throws {
    let me = access.principal
    try await store.write { writer in
      for state in states { try writer.setAttemptState(of: id, number: 1, state, by: me, now: noon) }
    }
  }

  @discardableResult
  func log(
    _ id: PublicID, _ text: String, client: String = "client-a", access: Access? = nil
  ) async throws -> AppendReceipt {
    try await tracking.append(
      id, client: client, body: Array(text.utf8), form: .lines, access: access ?? self.access)
  }

  func series(_ id: PublicID, _ key: String = "loss", access: Access? = nil) async throws -> Series? {
    try await tracking.series(
      SeriesRequest(runs: [id], window: SeriesWindow(keys: [key])), access: access ?? self.access
    ).first
  }
}

extension Series {
  /// Nil when it is in buckets.
  var values: [Double]? {
    guard case .raw(let values) = points else { return nil }
    return values
  }
}

/// What a subscriber was told.
final class Recorder: Sendable {
  private let list = Mutex<[(sequence: UInt64, event: FeedEvent)]>([])
  var all: [(sequence: UInt64, event: FeedEvent)] { list.withLock { $0 } }
  var runs: [Run] { all.compactMap { if case .run(let run) = $0.event { run } else { nil } } }
  var batches: [RowBatch] {
    all.compactMap { if case .points(_, let batch) = $0.event { batch } else { nil } }
  }
  var rows: [LogRow] { batches.flatMap { $0.rows() } }
  /// What became of runs, in words: `row`, `deleted`, `rewound`, `points`.
  func news(of id: PublicID) -> [String] {
    all.compactMap { item in
      switch item.event {
      case .run(let run) where run.id == id: "row"
      case .deleted(let run, _) where run == id: "deleted"
      case .rewound(let run) where run == id: "rewound"
      case .points(let run, _) where run == id: "points"
      case .moved(let run, let from) where run == id: "moved from \(from)"
      case .alert(let alert) where alert.run == id: "alert"
      case .run, .deleted, .rewound, .points, .system, .moved, .alert, .sweep, .trial, .pool: nil
      }
    }
  }
  func take(_ sequence: UInt64, _ event: FeedEvent) { list.withLock { $0.append((sequence, event)) } }
}

/// Holds the store's writer while `body` runs, which is given what lets it go.
func holdingTheWriter(
  of store: Store, _ body: (@escaping @Sendable () -> Void) async throws -> Void
) async throws {
  let (held, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
  async let holding: Void = store.write { _ in
    held.signal()
    release.wait()
  }
  await withCheckedContinuation { continuation in
    DispatchQueue.global().async {
      held.wait()
      continuation.resume()
    }
  }
  // Signalled more often than waited for: nobody minds.
  defer { release.signal() }
  try await body { release.signal() }
  release.signal()
  try await holding
}

/// Says that something has happened.
final class Flag: Sendable {
  private let state = Mutex(false)
  var isUp: Bool { state.withLock(\.self) }
  func raise() { state.withLock { $0 = true } }
}
