// A store of its own for each test, and short ways to put things into it.

import Foundation
import MartletModel
import MartletSeries
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletStore

let noon = Timestamp(microseconds: 1_790_000_000_000_000)

/// A directory that is removed with its last reference.
final class Scratch: Sendable {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "martlet-store-\(PublicID.random())\(PublicID.random())"
    mkdir(path, 0o700)
  }

  deinit {
    do {
      try removeScratch(path)
    } catch {
      Issue.record("\(path) could not be removed: \(error)")
    }
  }
}

/// Says that something has happened.
final class Flag: Sendable {
  private let state = Mutex(false)
  var isUp: Bool { state.withLock(\.self) }
  func raise() { state.withLock { $0 = true } }
}

/// The same numbers in every round: a failure can be repeated (SplitMix64, Steele, Lea, Flood 2014).
struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }

  /// Now and then a value of the rare kinds.
  mutating func value() -> Double {
    switch Int.random(in: 0..<20, using: &self) {
    case 0...2: .nan
    case 3: .infinity
    case 4: -.infinity
    case 5: Double(Int.random(in: -3...3, using: &self))
    default: Double.random(in: -100...100, using: &self)
    }
  }
}

struct Bench: Sendable {
  let directory: Scratch
  let store: Store
  let me: Principal
  var sealing = SealingPolicy()

  var path: String { "\(directory.path)/martlet.db" }

  init(sealing: SealingPolicy = SealingPolicy()) async throws {
    directory = Scratch()
    store = try Store(path: "\(directory.path)/martlet.db", sealing: sealing)
    me = try await store.write { try $0.createPrincipal(kind: .local, name: "tester", now: noon) }
    self.sealing = sealing
  }

  private init(directory: Scratch, store: Store, me: Principal, sealing: SealingPolicy) {
    (self.directory, self.store, self.me, self.sealing) = (directory, store, me, sealing)
  }

  /// The same file, closed and opened again.
  func reopened(sealing: SealingPolicy = SealingPolicy()) throws -> Bench {
    try store.close()
    return Bench(
      directory: directory, store: try Store(path: path, sealing: sealing), me: me, sealing: sealing)
  }

  func run(
    _ name: String = "swift-finch-1", in project: String = "digits", with details: RunPatch = RunPatch()
  )
    async throws -> PublicID
  {
    let me = me
    return try await store.write {
      try $0.createExternalRun(project: project, name: name, details, by: me, now: noon).id
    }
  }

  /// A run that is executed, with its first attempt in `queued`.
  func executed(_ name: String = "bold-wren-1") async throws -> PublicID {
    let me = me
    return try await store.write { try $0.executed(name, by: me) }
  }

  /// Says that the directories of purged runs are gone.
  func endPurges() async throws {
    let ids = try await store.read { try $0.purgedRuns(all: false) }
    try await store.write { try $0.endPurge(of: ids) }
  }

  func show(_ id: PublicID) async throws -> Run { try #require(try await store.read { try $0.run(id) }) }

  @discardableResult
  func append(
    _ rows: [LogRow], to run: PublicID, client: String = "client-a", keyLimit: Int = 10_000
  ) async throws -> AppendReceipt {
    let batch = try RowBatch(rows)
    return try await store.write {
      try $0.append(batch, to: run, client: client, keyLimit: keyLimit, now: noon).receipt
    }
  }

  func series(
    _ run: PublicID, _ keys: [String]? = nil, buckets: Int = 20_000, from: Int64? = nil, to: Int64? = nil
  ) async throws -> [Series] {
    try await store.read {
      try $0.series(
        run: run, SeriesWindow(keys: keys, buckets: buckets, fromStep: from, toStep: to))
    }
  }
}

extension SealingPolicy {
  /// Everything is due at once: the sealer works beside the test.
  static var eager: SealingPolicy {
    var policy = SealingPolicy()
    (policy.endedSeconds, policy.idleSeconds, policy.blocks) = (0, 0.2, 20)
    return policy
  }
}

extension StoreWriter {
  func executed(_ name: String, by principal: Principal) throws -> PublicID {
    let id = try freshRunID()
    try createExecutedRun(
      ExecutedRun(
        project: "digits", name: name, sweepRow: nil, trial: nil, config: [:], command: ["true"],
        workdir: "/", directory: "/tmp/\(id)", execution: [:]), id: id, by: principal, now: noon)
    _ = try createAttempt(of: id, directory: { "/tmp/\(id)/attempt-\($0)" }, by: principal, now: noon)
    return id
  }
}

func row(
  _ sequence: Int64, step: Int64? = nil, _ numbers: KeyValuePairs<String, Double>,
  others: KeyValuePairs<String, JSONValue> = [:]
) -> LogRow {
  LogRow(
    sequence: sequence, step: step, time: noon + Double(sequence),
    numbers: numbers.map { ($0.key, $0.value) }, others: others.map { ($0.key, $0.value) })
}

extension Series {
  /// Nil when it is in buckets.
  var values: [Double]? {
    guard case .raw(let values) = points else { return nil }
    return values
  }
}
