// What the store does by itself, and when.

import Dispatch
import GRDB
import MartletModel
import Synchronization

/// Lays rows into chunks, takes deleted runs off the disk and gives free pages back to the file system, one bounded transaction
/// after the other, on a queue of its own.
///
/// `@unchecked`: what is no `let` is set once, by `start`, or used on the queue alone.
final class Sealer: @unchecked Sendable {
  /// A run's rows that are not sealed.
  struct Tail {
    var rows = 0
    var blocks = 0
    var bytes = 0
    var hasEnded = false
    /// When its last row came, in nanoseconds of uptime.
    var lastRow: UInt64 = 0
    /// Blocks that were found not to be small.
    var largeBlocks = 0
    /// Not before then.
    var retryAt: UInt64 = 0
  }

  struct State {
    var tails: [Int64: Tail] = [:]
    /// When anything was appended last.
    var lastRow: UInt64 = 0
    var isScheduled = false
    /// A run may have to be purged.
    var hasPurge = true
    var isStopped = false
    /// Told of runs that were nested in one that is removed.
    var onFreed: (@Sendable ([PublicID]) -> Void)?
  }

  struct Task {
    enum Kind {
      case sealFull
      case sealWhole
      case merge
    }

    var kind: Kind
    var run: Int64
  }

  /// When a round is made.
  enum Occasion {
    /// What the policy says is due.
    case policy
    /// Without waiting for runs to be quiet; with `idle`, also runs that have not ended.
    case settling(idle: Bool)
  }

  let policy: SealingPolicy
  let state = Mutex(State())
  let queue = DispatchQueue(label: "martlet.seal", qos: .utility)
  private var timer: (any DispatchSourceTimer)?
  private var wake: (@Sendable () -> Void)?
  var hasLoaded = false

  init(policy: SealingPolicy) { self.policy = policy }

  static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  var unsealedRows: Int64 { state.withLock { $0.tails.values.reduce(0) { $0 + Int64($1.rows) } } }

  /// Begins to work by itself, where the policy says so; the store is not kept by this.
  func start(_ store: Store) {
    guard policy.isAutomatic else { return }
    wake = { [weak self, weak store] in
      guard let self, let store else { return }
      state.withLock { $0.isScheduled = false }
      work(store)
    }
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + 1, repeating: 1, leeway: .milliseconds(200))
    timer.setEventHandler { [weak self, weak store] in
      guard let self, let store else { return }
      work(store)
      giveBackWhenIdle(store)
    }
    self.timer = timer
    timer.activate()
  }

  func onFreed(_ body: @escaping @Sendable ([PublicID]) -> Void) { state.withLock { $0.onFreed = body } }

  /// Returns when nothing is being done any more; nothing is begun after it.
  func stop() {
    state.withLock { $0.isStopped = true }
    timer?.cancel()
    queue.sync {}
  }

  /// Hears, on the writer's queue, what was committed.
  func note(_ news: [HotRuns.News]) {
    guard !news.isEmpty else { return }
    let now = Self.now
    let isDue = state.withLock { state in
      var isDue = false
      for piece in news {
        switch piece {
        case .appended(let run, let rows, let bytes, let hasEnded):
          state.lastRow = now
          var tail = state.tails[run] ?? Tail()
          tail.rows += rows
          tail.blocks += 1
          tail.bytes += bytes
          tail.hasEnded = hasEnded
          tail.lastRow = now
          state.tails[run] = tail
          isDue = isDue || kind(for: tail, now: now, .policy) != nil
        case .ended(let run, let hasEnded): state.tails[run]?.hasEnded = hasEnded
        case .rewritten(let run): state.tails[run] = nil
        case .purge:
          state.hasPurge = true
          isDue = true
        case .derived, .reconfigured: break
        }
      }
      guard isDue, !state.isScheduled, !state.isStopped else { return false }
      state.isScheduled = true
      return true
    }
    if isDue, let wake { queue.async(execute: wake) }
  }

  /// Hears, on the writer's queue, what a run's tail was when a transaction of this had been committed.
  func set(_ tail: (rows: Int, blocks: Int, bytes: Int, hasEnded: Bool), of run: Int64, largeBlocks: Int = 0)
  {
    state.withLock { state in
      guard tail.blocks > 0 else {
        state.tails[run] = nil
        return
      }
      var known = state.tails[run] ?? Tail(lastRow: Self.now)
      (known.rows, known.blocks, known.bytes) = (tail.rows, tail.blocks, tail.bytes)
      (known.hasEnded, known.largeBlocks) = (tail.hasEnded, largeBlocks)
      state.tails[run] = known
    }
  }

  /// What is to be done next, of other runs than some; nil: nothing yet.
  func nextTask(_ occasion: Occasion, besides runs: Set<Int64>) -> Task? {
    let now = Self.now
    return state.withLock { state in
      guard !state.isStopped else { return nil }
      for (run, tail) in state.tails where !runs.contains(run) {
        if let kind = kind(for: tail, now: now, occasion) { return Task(kind: kind, run: run) }
      }
      return nil
    }
  }

  private func kind(for tail: Tail, now: UInt64, _ occasion: Occasion) -> Task.Kind? {
    guard tail.blocks > 0, now >= tail.retryAt else { return nil }
    let quiet = Double(now - min(now, tail.lastRow)) / 1e9
    let isWhole =
      switch occasion {
      case .policy: quiet >= (tail.hasEnded ? policy.endedSeconds : policy.idleSeconds)
      case .settling(let idle): idle || tail.hasEnded
      }
    if isWhole { return .sealWhole }
    if tail.rows >= SealedChunk.length || tail.bytes >= policy.bytes { return .sealFull }
    return tail.blocks - tail.largeBlocks > policy.blocks ? .merge : nil
  }

  /// After a failure: not again before ten seconds have gone.
  func postpone(_ run: Int64) {
    state.withLock { $0.tails[run]?.retryAt = Self.now + 10_000_000_000 }
  }

  func forgetFailures() {
    state.withLock { state in
      for run in state.tails.keys { state.tails[run]?.retryAt = 0 }
    }
  }
}
