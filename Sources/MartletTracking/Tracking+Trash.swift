// Runs that go: into the trash, out of it, and off the disk.

import Logging
package import MartletModel
import MartletStore
import OrderedCollections
import Synchronization

extension Tracking {
  /// Seconds a run stays in the trash.
  package static let trashLifetime = 30.0 * 86_400
  /// Seconds that bytes which were put for a named file wait for their name.
  package static let unnamedLifetime = 86_400.0

  /// One round of cleaning up, called every few seconds: runs that were in the trash for long enough go, and so do
  /// the files that nobody else has and the directories of purged runs, those that an earlier server left included.
  ///
  /// - Parameter principal: who is said to have purged what was in the trash.
  package func clean(by principal: Principal) async throws {
    let now = clock.now
    let old = now + -Self.trashLifetime
    // Most rounds find nothing: those must not cost a transaction of the writer.
    if try await store.read({ try $0.isTrashOlder(than: old) }) {
      let gone = try await store.purgeTrash(before: old, by: principal, now: now)
      needsCleaning.store(true, ordering: .relaxed)
      purges.needsRound.store(true, ordering: .relaxed)
      samples.needsRound.store(true, ordering: .relaxed)
      await feed.tell(gone: gone)
    }
    if purges.needsRound.exchange(false, ordering: .relaxed) { await removePurgedDirectories() }
    if try await store.read({ try $0.isAnyBlobUnnamed(since: now + -Self.unnamedLifetime) }) {
      try await store.write { try $0.dropUnnamedBlobs(since: now + -Self.unnamedLifetime) }
      needsCleaning.store(true, ordering: .relaxed)
    }
    if needsCleaning.exchange(false, ordering: .relaxed) { await removeUnusedBlobs() }
    try await seeToSamples()
  }

  /// Puts a run into the trash.
  ///
  /// - Parameter purge: all of it goes at once, and for ever.
  /// - Returns: the run as it was last.
  /// - Throws: `Problem`: `notFound`, `conflict` while Martlet executes it.
  package func deleteRun(_ id: PublicID, purge: Bool, access: Access) async throws -> Run {
    let now = clock.now
    let (run, relatives) = try await store.write { writer -> (Run?, [PublicID]) in
      try Self.refuseLocked(try Self.check(try writer.place(of: id), id, access), id, "deleted")
      try writer.trash(id, by: access.principal, now: now)
      let (run, relatives) = (try writer.run(id), try writer.relatives(of: id))
      // Not after it: nobody finds a run in the trash that is gone a moment later.
      if purge { try writer.purge(id, by: access.principal, now: now) }
      return (run, relatives)
    }
    let deleted = try check(run, id, access)
    await ingest.flush()
    if purge {
      samples.needsRound.store(true, ordering: .relaxed)
      await feed.tell(gone: [(id, deleted.project)])
      await removeUnusedBlobs()
      await removePurgedDirectories()
    } else {
      await tell(runs: [id])
    }
    await tell(runs: OrderedSet(relatives))
    return deleted
  }

  /// Takes a run out of the trash.
  ///
  /// - Throws: `Problem`: `notFound`, also when it was purged.
  package func restoreRun(_ id: PublicID, access: Access) async throws -> Run {
    let now = clock.now
    let (run, relatives) = try await store.write { writer -> (Run?, [PublicID]) in
      try Self.check(try writer.place(of: id), id, access)
      try writer.restore(id, by: access.principal, now: now)
      return (try writer.run(id), try writer.relatives(of: id))
    }
    let restored = try check(run, id, access)
    await tell(runs: OrderedSet([id] + relatives))
    return restored
  }

  // MARK: - Directories

  /// Removes the directories of purged runs, and then what the database still had of these runs.
  ///
  /// A run whose points are still being removed, or in whose directory a supervisor lives, is seen to in a later round.
  /// What cannot be removed is told in the log, and tried again with the next purge and the next start.
  func removePurgedDirectories() async {
    let (store, directories, logger, purges) = (store, directories, logger, purges)
    do {
      try await purges.queue.run {
        let isFirst = purges.isFirst.exchange(false, ordering: .relaxed)
        var isLeft = try await store.read { try $0.isPurging() }
        var gone: [PublicID] = []
        for id in try await store.read({ try $0.purgedRuns(all: isFirst) }) {
          do {
            if try await blocking({ try directories.remove(id) }) { gone.append(id) } else { isLeft = true }
          } catch {
            logger.failure(
              "The directory of the purged run \(id) could not be removed", error, level: .warning)
          }
        }
        for start in stride(from: 0, to: gone.count, by: 100) {
          let some = Array(gone[start..<min(start + 100, gone.count)])
          try await store.write { try $0.endPurge(of: some) }
        }
        // What they had of files is only now forgotten, where it was much.
        if !gone.isEmpty { self.needsCleaning.store(true, ordering: .relaxed) }
        if isLeft { purges.needsRound.store(true, ordering: .relaxed) }
      }
    } catch {
      logger.failure("Directories of purged runs could not be removed; trying again", error, level: .warning)
      purges.needsRound.store(true, ordering: .relaxed)
    }
  }
}

/// What is known of purges that have not ended.
final class Purges: Sendable {
  let queue = OrderedQueue()
  /// Whether there may be directories to remove.
  let needsRound = Atomic(true)
  /// Nothing was looked for since the start.
  let isFirst = Atomic(true)
}
