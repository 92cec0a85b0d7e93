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
    while true {
      var works = try gather(.settling(idle: idle), store) { _, error in throw error }
      guard !works.isEmpty else { break }
      while !works.isEmpty { works.removeFirst(try write(works[...], store)) }
    }
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
    while true {
      let works = gather(.policy, store) { run, error in
        report(error)
        postpone(run)
      }
      guard !works.isEmpty else { return }
      write(works, store)
    }
  }

  private func report(_ error: any Error) {
    guard !state.withLock(\.isStopped) else { return }
    FileHandle.standardError.write(Data("martlet: points into chunks: \(error)\n".utf8))
  }

  // MARK: - Chunks

  /// What is to be written of one run, read on a snapshot and encoded on no connection.
  private struct Work {
    enum Change {
      /// Nothing was found to do.
      case nothing
      case seal([SealedChunk], SealPlan)
      case merge(MergePlan)
    }

    var task: Task
    var change: Change

    /// Of the tail that it was made of.
    var bytes: Int {
      switch change {
      case .nothing: 0
      case .seal(_, let plan): plan.bytes
      case .merge(let plan): plan.bytes
      }
    }
  }

  /// Prepares what is due, as much as may share one transaction: several runs with little, or one with much.
  ///
  /// - Parameter failed: told of a run that cannot be prepared, which must not be due after it; or throws.
  private func gather(
    _ occasion: Occasion, _ store: Store, failed: (_ run: Int64, any Error) throws -> Void
  ) rethrows -> [Work] {
    var works: [Work] = []
    var runs: Set<Int64> = []
    var bytes = 0
    while works.count < policy.sharedRuns, bytes < policy.sharedBytes,
      let task = nextTask(occasion, besides: runs)
    {
      runs.insert(task.run)
      do {
        let work = try prepare(task, store)
        bytes += work.bytes
        works.append(work)
      } catch {
        try failed(task.run, error)
      }
    }
    return works
  }

  private func prepare(_ task: Task, _ store: Store) throws -> Work {
    let isWhole: Bool
    switch task.kind {
    case .merge:
      let plan = try store.readNow { try $0.mergePlan(of: task.run) }
      return Work(task: task, change: plan.map { .merge($0) } ?? .nothing)
    case .sealFull: isWhole = false
    case .sealWhole: isWhole = true
    }
    let plan = try store.readNow {
      try $0.sealPlan(of: task.run, isWhole: isWhole, bytes: policy.bytes)
    }
    return Work(task: task, change: plan.map { .seal($0.chunks(), $0) } ?? .nothing)
  }

  /// Writes what was prepared, in one transaction, where the runs are still what was read: a crash at any instant
  /// leaves either the blocks or the chunks made of them. Returns how much of it: the first at least.
  private func write(_ works: ArraySlice<Work>, _ store: Store) throws -> Int {
    try store.writeNow { writer in
      let start = Self.now
      var tails: [(rows: Int, blocks: Int, bytes: Int, hasEnded: Bool)] = []
      for work in works {
        // Whoever waits for the writer waits for one run more at most.
        if !tails.isEmpty, Double(Self.now - start) / 1e9 > policy.sharedSeconds { break }
        switch work.change {
        case .nothing: break
        case .seal(let chunks, let plan): try writer.seal(chunks, plan)
        case .merge(let plan): try writer.merge(plan)
        }
        tails.append(try writer.tail(of: work.task.run))
      }
      return tails
    } committed: { tails in
      for (work, tail) in zip(works, tails) { note(tail, after: work) }
    }.count
  }

  private func note(_ tail: (rows: Int, blocks: Int, bytes: Int, hasEnded: Bool), after work: Work) {
    let run = work.task.run
    switch (work.change, work.task.kind) {
    // They are as few as can be: until there are more, not to be asked again.
    case (.nothing, .merge): set(tail, of: run, largeBlocks: tail.blocks)
    case (.nothing, _):
      set(tail, of: run)
      // Nothing to seal, whatever is counted: not to be asked again at once.
      postpone(run)
    case (.seal, _), (.merge, _): set(tail, of: run)
    }
  }

  /// The same for all, telling of failures. What fails together is tried one by one: a run that cannot be written
  /// holds up no other.
  private func write(_ works: [Work], _ store: Store) {
    var rest = works[...]
    while !rest.isEmpty {
      do {
        rest.removeFirst(try write(rest, store))
      } catch {
        guard rest.count == 1 else {
          for work in rest { write([work], store) }
          return
        }
        report(error)
        postpone(works[rest.startIndex].task.run)
        return
      }
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
      // Most starts find none: those must not cost a transaction of the writer.
      guard try store.readNow({ try $0.isPurging() }) else { return }
      while !state.withLock(\.isStopped) {
        let (isMore, freed) = try store.writeNow { (try $0.purgeStep(), $0.freedRuns) }
        if !freed.isEmpty, let tell = state.withLock(\.onFreed) { tell(freed) }
        if !isMore { return }
      }
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
