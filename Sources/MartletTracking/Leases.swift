// Runs from outside that have fallen silent.

package import Logging
package import MartletModel
package import MartletStore
import OrderedCollections
import Synchronization

/// Marks silent runs: `lost` after a minute without a sign of life, `crashed` ten minutes later.
///
/// A wall clock that is set forward must not make everybody silent: where it moved otherwise than the steady clock, the
/// leases begin anew.
package final class Leases: Sendable {
  package static let lease = 60.0
  package static let patience = 600.0

  let store: Store
  let feed: LiveFeed
  let clock: any WallClock
  let system: Principal
  private let logger: Logger

  private struct Reading {
    /// Signs of life from before this moment may have been missed: nobody is silent since earlier.
    var since: Timestamp
    var wall: Timestamp
    var uptime: Double
  }

  private let reading: Mutex<Reading>

  package init(
    store: Store, feed: LiveFeed, clock: any WallClock, system: Principal,
    logger: Logger = Logger(label: "martlet.tracking")
  ) {
    self.logger = logger
    self.store = store
    self.feed = feed
    self.clock = clock
    self.system = system
    reading = Mutex(Reading(since: clock.now, wall: clock.now, uptime: clock.uptime))
  }

  /// One round; called every few seconds.
  package func check() async throws {
    let (now, uptime) = (clock.now, clock.uptime)
    let since = reading.withLock { reading in
      if abs((now - reading.wall) - (uptime - reading.uptime)) > 1 { reading.since = now }
      (reading.wall, reading.uptime) = (now, uptime)
      return reading.since
    }
    guard now - since > Self.lease else { return }
    let crashTime = now - since > Self.lease + Self.patience
    let (system, lostBefore, crashedBefore) = (
      system, now + -Self.lease, now + -(Self.lease + Self.patience)
    )
    // Most rounds find nobody: those must not cost a transaction of the writer.
    let isAnyone = try await store.read { reader in
      if try !reader.silentRuns(state: .running, before: lostBefore).isEmpty { return true }
      return crashTime ? try !reader.silentRuns(state: .lost, before: crashedBefore).isEmpty : false
    }
    guard isAnyone else { return }
    // Asked again where they are changed: a sign of life may have come in between.
    let (changed, alerts) = try await store.write { writer -> (OrderedSet<PublicID>, [Int64]) in
      var ids: OrderedSet<PublicID> = []
      for id in try writer.silentRuns(state: .running, before: lostBefore) {
        let exit = ExitRecord(
          code: nil, signal: nil, reason: "No sign of life for \(Int(Self.lease)) seconds.")
        try writer.setRunState(id, .lost, exit: exit, by: system, now: now)
        ids.append(id)
      }
      for id in crashTime ? try writer.silentRuns(state: .lost, before: crashedBefore) : [] {
        // It ended when it fell silent, as far as anybody knows.
        let last = try writer.lastSign(of: id) ?? now
        let exit = ExitRecord(
          code: nil, signal: nil,
          reason:
            "No sign of life for \(Int(Self.lease + Self.patience)) seconds; the last came at \(last.inWords)."
        )
        try writer.setRunState(id, .crashed, exit: exit, endedAt: last, by: system, now: now)
        ids.append(id)
      }
      return (ids, writer.raisedAlerts)
    }
    await feed.tell(runs: changed, alerts: alerts, from: store, logger: logger)
  }
}
