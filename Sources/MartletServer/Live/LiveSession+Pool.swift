// The pool's subscription: it is read at most twice a second, and told where it is another than before.

import MartletModel
import MartletOrchestration
import MartletTracking
import OrderedCollections
import Synchronization

/// The pool that a subscription follows.
struct PoolFollow: Sendable {
  var subscription: UInt32
  var generation: UInt64
  var access: Access
}

/// How far a subscription is with telling the pool.
struct PoolTelling: Sendable {
  /// It changed since it was read last.
  var isDue = false
  /// It is being read.
  var isBeingRead = false
  /// What waits to be told, and the newest change that is in it.
  var offered: (sequence: UInt64, pool: JSONValue)?

  /// Whether something of it is still to be told.
  var isBehind: Bool { isDue || isBeingRead || offered != nil }
}

extension LiveSession {
  /// Entries of the queue that are told.
  static let maximumQueue = 1_000

  enum PoolAppetite: Sendable {
    /// It is to be read now.
    case hungry
    /// Nothing changed, or what was read last was not taken yet.
    case full
    /// The subscription ended, or was replaced.
    case gone
  }

  /// Asked before the pool is read.
  mutating func poolAppetite(_ id: UInt32, generation: UInt64) -> PoolAppetite {
    guard let subscription = subscriptions[id], subscription.generation == generation else { return .gone }
    guard subscription.pool.isDue, subscription.pool.offered == nil, subscription.isAnnounced else {
      return .full
    }
    subscriptions[id]?.pool.isDue = false
    subscriptions[id]?.pool.isBeingRead = true
    return .hungry
  }

  /// Takes the pool as it was read.
  ///
  /// - Parameters:
  ///   - pool: nil: it is as it was when it was told last.
  ///   - sequence: of the newest change that is in it.
  mutating func offer(_ pool: JSONValue?, sequence: UInt64, to id: UInt32, generation: UInt64) {
    guard subscriptions[id]?.generation == generation else { return }
    subscriptions[id]?.pool.isBeingRead = false
    subscriptions[id]?.pool.offered = pool.map { (sequence, $0) }
    subscriptions[id]?.snapshot?.hasMore = false
  }
}

extension LiveSession.Subscription {
  mutating func takePool(_ id: UInt32) -> LiveFrame? {
    guard let (sequence, read) = pool.offered else { return nil }
    pool.offered = nil
    return .message([
      "type": "pool", "id": .int(Int64(id)), "seq": .int(Int64(sequence)), "pool": read,
    ])
  }
}

extension LiveConnection {
  /// Reads the pool as long as the subscription stands, when it changed, at most once in a rhythm.
  func keepUp(with follow: PoolFollow) async {
    let (engine, feed) = (services.engine, services.tracking.feed)
    var told: JSONValue?
    while !Task.isCancelled {
      // Before it is read: what changes meanwhile is due again.
      let sequence = feed.sequence
      switch state.withLock({
        $0.session?.poolAppetite(follow.subscription, generation: follow.generation) ?? .gone
      }) {
      case .gone: return
      case .full: break
      case .hungry:
        let pool = await engine.pool(limit: LiveSession.maximumQueue, access: follow.access)
        // Spelled out: a bare nil would be JSON's null.
        let news: JSONValue? = pool == told ? .none : .some(pool)
        told = pool
        state.withLock {
          $0.session?.offer(
            news, sequence: sequence, to: follow.subscription, generation: follow.generation)
        }
        ring()
      }
      // A cancelled sleep ends it.
      try? await Task.sleep(for: timing.rhythm)
    }
  }
}
