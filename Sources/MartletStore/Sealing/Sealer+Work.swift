// The work of the sealer, on its queue.

import Foundation
import GRDB
import MartletModel
import Synchronization

extension Store {
  /// Returns when rows of all runs that have ended are in chunks, those of others that make full ones too, deleted runs are off the
  /// disk, and free pages are given back.
  ///
  /// - Parameter idle: also rows of runs that have not ended, and make no full chunk.
  /// - Throws: `Problem`, and what was done before it stays done.
  package func settle(idle: Bool = false) async throws {
    try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
      sealer.queue.async { [self] in
        done.resume(with: Result { try sealer.settle(self, idle: idle) })
      }
    }
  }
}

extension Sealer {
  /// Free pages that are given back in one transaction.
  private static let pages = 256

  fileprivate func settle(_ store: Store, idle: Bool) throws {
    forgetFailures()
    try load(store)
    try purge(store)
    while let task = nextTask(.settling(idle: idle)) { try perform(task, store) }
    while try isLoose(store, from: 1) { try giveBack(store) }
    try store.checkpointer.empty(always: true)
  }

  /// Does all that is due by the policy.
  ///
  /// What fails, as on a full disk, is told and tried again later: nothing is lost by waiting.
  func work(_ store: Store) {
    do {
      try load(store)
      try purge(store)
    } catch {
      report(error)
    }
    while let task = nextTask(.policy) {
      do {
        try perform(task, store)
      } catch {
        report(error)
        postpone(task.run)
      }
    }
  }

  private func report(_ error: any Error) {
    guard !state.withLock(\.isStopped) else { return }
    FileHandle.standardError.write(Data("martlet: points into chunks: \(error)\n".utf8))
  }

  // MARK: - Chunks

  private func perform(_ task: Task, _ store: Store) throws {
    switch task.kind {
    case .sealFull: try seal(task.run, isWhole: false, store)
    case .sealWhole: try seal(task.run, isWhole: true, store)
    case .merge: try merge(task.run, store)
    }
  }

  /// Reads on a snapshot, encodes on no connection, and writes where the run is still what was read: a crash at any instant
  /// leaves either the blocks or the chunks made of them.
  private func seal(_ run: Int64, isWhole: Bool, _ store: Store) throws {
    let plan = try store.readNow {
      try $0.sealPlan(of: run, isWhole: isWhole, bytes: policy.bytes)
    }
    let chunks = plan?.chunks() ?? []
    try store.writeNow { writer in
      if let plan { try writer.seal(chunks, plan) }
      return try writer.tail(of: run)
    } committed: { tail in
      set(tail, of: run)
      // Nothing to seal, whatever is counted: not to be asked again at once.
      if plan == nil { postpone(run) }
    }
  }

  private func merge(_ run: Int64, _ store: Store) throws {
    let plan = try store.readNow { try $0.mergePlan(of: run) }
    try store.writeNow { writer in
      if let plan { try writer.merge(plan) }
      return try writer.tail(of: run)
    } committed: { tail in
      set(tail, of: run, largeBlocks: plan == nil ? tail.blocks : 0)
    }
  }

  /// Finds the runs that had a tail when the store was opened.
  private func load(_ store: Store) throws {
    guard !hasLoaded else { return }
    var run = Int64.min
    while let next = try store.readNow({ try $0.nextTail(after: run) }) {
      run = next
      try store.writeNow {
        try $0.tail(of: next)
      } committed: {
        set($0, of: next)
      }
    }
    hasLoaded = true
  }

  // MARK: - Purging

  private func purge(_ store: Store) throws {
    guard state.withLock({ $0.hasPurge && !$0.isStopped }) else { return }
    // Before it is looked: what is asked for meanwhile is not missed.
    state.withLock { $0.hasPurge = false }
    do {
      while try store.writeNow({ try $0.purgeStep() }), !state.withLock(\.isStopped) {}
    } catch {
      state.withLock { $0.hasPurge = true }
      throw error
    }
  }

  // MARK: - Free pages

  /// When nothing was appended for five seconds: gives some pages back where more than a twentieth of the file is free, and
  /// empties the write-ahead log.
  func giveBackWhenIdle(_ store: Store) {
    do {
      var given = 0
      while state.withLock({ !$0.isStopped && Self.now > $0.lastRow + 5_000_000_000 }) {
        guard given < 16, try isLoose(store, from: Self.pages) else {
          return try store.checkpointer.empty(always: given > 0)
        }
        try giveBack(store)
        given += 1
      }
    } catch {
      report(error)
    }
  }

  private func isLoose(_ store: Store, from least: Int) throws -> Bool {
    guard !state.withLock(\.isStopped) else { return false }
    let (free, all) = try store.readNow { reader in
      (
        try Int.fetchOne(reader.db, sql: "PRAGMA freelist_count") ?? 0,
        try Int.fetchOne(reader.db, sql: "PRAGMA page_count") ?? 0
      )
    }
    return free >= least && free * 20 > all
  }

  private func giveBack(_ store: Store) throws {
    try store.writeNow { writer in
      // A row a page.
      _ = try Row.fetchAll(writer.db, sql: "PRAGMA incremental_vacuum(\(Self.pages))")
    }
  }
}

extension StoreReader {
  /// The next run with blocks of a tail, by row id.
  fileprivate func nextTail(after run: Int64) throws -> Int64? {
    try Int64.fetchOne(db, sql: "SELECT min(run_id) FROM row_block WHERE run_id > ?", arguments: [run])
  }
}
