// What just changed, told to whoever watches.

package import Logging
package import MartletModel
package import MartletSeries
package import MartletStore
package import OrderedCollections
import Synchronization

/// A change that is durable.
package enum FeedEvent: Sendable {
  case run(Run)
  case sweep(Sweep)
  case trial(sweep: PublicID, Trial)
  /// Rows that were stored: each has its step.
  case points(run: PublicID, RowBatch)
  /// Samples of what the run and its machine use; their steps are milliseconds since 1970.
  case system(run: PublicID, RowBatch)
  /// Rows of the run are gone: what was told of its points is to be read again.
  case rewound(run: PublicID)
  /// The run is in the trash, or no longer anywhere. A run that comes back is told as a row.
  case deleted(run: PublicID, project: String)
  /// The run is in another project now, which is told as a row.
  case moved(run: PublicID, from: String)
  case alert(Alert)
  /// Who runs, who waits, or the devices they share are others: whoever wants to know asks the engine.
  case pool
}

/// Hands every change to every subscriber, in one order.
///
/// Subscribers are called under the feed's lock: they note what changed and return at once. So a slow reader of a
/// subscription can never hold up whoever publishes.
package final class LiveFeed: Sendable {
  package typealias Receiver = @Sendable (_ sequence: UInt64, _ event: FeedEvent) -> Void

  private struct State {
    var sequence: UInt64 = 0
    var nextID = 0
    var receivers: [Int: Receiver] = [:]
    var recent: RecentChanges
    /// What is to be told soon.
    var waiting = FeedNews()
    /// Nothing more is read to be told.
    var isClosed = false

    /// The next change, which is one of `subject`.
    mutating func note(_ subject: RecentChanges.Subject) {
      sequence += 1
      recent.note(subject, sequence)
    }
  }

  /// Tells this feed's sequence from that of a server before or after this one: none of their numbers means the same.
  package let epoch: String
  private let state: Mutex<State>
  private let rows = OrderedQueue()

  /// - Parameters:
  ///   - epoch: never used before.
  ///   - memory: how many rows' newest changes are known at least to whoever comes back.
  package init(epoch: String = PublicID.random().rawValue, memory: Int = 8_192) {
    self.epoch = epoch
    state = Mutex(State(recent: RecentChanges(capacity: memory)))
  }

  /// The number of the newest change.
  package var sequence: UInt64 { state.withLock(\.sequence) }

  package var isWatched: Bool { state.withLock { !$0.receivers.isEmpty } }

  /// What changed after `sequence` of the feed `epoch`, in order.
  ///
  /// Complete for whoever subscribed before asking: a change is either in it or told from then on, or both.
  ///
  /// - Returns: nil when nobody can say, since it was another server's feed or too long ago.
  package func changes(after sequence: UInt64, epoch: String) -> [RecentChanges.Change]? {
    let found = state.withLock { state -> [RecentChanges.Change]? in
      guard epoch == self.epoch, sequence <= state.sequence else { return nil }
      return state.recent.changes(after: sequence)
    }
    // Without the lock, for which whoever publishes would wait: there may be thousands.
    return found?.sorted { $0.sequence < $1.sequence }
  }

  /// Runs `body` between two tellings of rows: what it reads is newer than all that was told of them before, and older
  /// than all that is told afterwards.
  package func inOrder<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    try await rows.run(body)
  }

  /// Notes changes for whoever comes back, as long as nobody is here to be told of them. False: somebody is.
  private func noteUnwatched(_ subjects: some Sequence<RecentChanges.Subject>) -> Bool {
    state.withLock { state in
      guard state.receivers.isEmpty || state.isClosed else { return false }
      for subject in subjects { state.note(subject) }
      return true
    }
  }

  /// Notes that rows of runs changed, where nobody watches. False: they are to be told.
  package func noteUnwatched(runs: some Sequence<PublicID>) -> Bool {
    noteUnwatched(runs.lazy.map(RecentChanges.Subject.run))
  }

  /// Calls `receive` for every change from now on, until the subscription is cancelled or let go.
  package func subscribe(_ receive: @escaping Receiver) -> FeedSubscription {
    let id = state.withLock { state in
      state.nextID += 1
      state.receivers[state.nextID] = receive
      return state.nextID
    }
    return FeedSubscription { [self] in _ = state.withLock { $0.receivers.removeValue(forKey: id) } }
  }

  package func publish(_ events: [FeedEvent]) {
    state.withLock { state in
      for event in events {
        state.note(event.subject)
        for receive in state.receivers.values { receive(state.sequence, event) }
      }
    }
  }

  /// Reads what these rows are now, in one snapshot, and tells it: runs, then trials, sweeps, alerts.
  ///
  /// This and `tellSoon` are the ways in which rows of the database are told. A row that is read in one snapshot and told
  /// after a newer one would stand for ever in every watcher's view: so each reading and its telling end before the next
  /// begin.
  package func tell(
    runs: OrderedSet<PublicID> = [], sweeps: OrderedSet<PublicID> = [],
    trials: OrderedDictionary<PublicID, OrderedSet<Int>> = [:], alerts: [Int64] = [],
    moved: [(run: PublicID, from: String)] = [], from store: Store, logger: Logger
  ) async {
    let news = FeedNews(runs: runs, sweeps: sweeps, trials: trials, alerts: alerts, moved: moved)
    guard !news.isEmpty, !noteUnwatched(news.subjects) else { return }
    do {
      try await rows.run { [self] in try await tellNow(news, from: store) }
    } catch {
      tellLater(news, from: store, logger, error)
    }
  }

  /// As `tell`, for whoever has no time to wait for readers of the database: in the order in which this is called, and what
  /// is asked for until its turn comes is told together.
  package func tellSoon(
    runs: OrderedSet<PublicID> = [], sweeps: OrderedSet<PublicID> = [],
    trials: OrderedDictionary<PublicID, OrderedSet<Int>> = [:], alerts: [Int64] = [],
    from store: Store, logger: Logger
  ) {
    let news = FeedNews(runs: runs, sweeps: sweeps, trials: trials, alerts: alerts, moved: [])
    guard !news.isEmpty, !noteUnwatched(news.subjects) else { return }
    let isFirst = state.withLock { state in
      defer { state.waiting.add(news) }
      return state.waiting.isEmpty
    }
    guard isFirst else { return }
    rows.add { [self] in
      let news = state.withLock { state in
        defer { state.waiting = FeedNews() }
        return state.waiting
      }
      do {
        try await tellNow(news, from: store)
      } catch {
        tellLater(news, from: store, logger, error)
      }
    }
  }

  /// Called in the queue of rows.
  private func tellNow(_ news: FeedNews, from store: Store) async throws {
    publish(try await store.read { try news.events($0) })
  }

  private func tellLater(_ news: FeedNews, from store: Store, _ logger: Logger, _ error: any Error) {
    // Whoever comes back is told of it; whoever is here, by the next try.
    state.withLock { state in for subject in news.subjects { state.note(subject) } }
    logger.failure("A change could not be told to its watchers; trying again", error, level: .warning)
    // Weak, and only as long as somebody watches: a feed that has ended tells nobody.
    Task { [weak self] in
      // A cancelled sleep only tries earlier.
      try? await Task.sleep(for: .seconds(1))
      await self?.tell(
        runs: news.runs, sweeps: news.sweeps, trials: news.trials, alerts: news.alerts, moved: news.moved,
        from: store, logger: logger)
    }
  }

  /// Returns when all that is to be told of rows by now was told.
  package func drain() async { await rows.drain() }

  /// Returns when all that was to be told of rows by now was told. From here on nothing is read any more, of a store that is
  /// being closed: whoever comes back, to the next server, reads all anew.
  package func close() async {
    state.withLock { $0.isClosed = true }
    await rows.drain()
  }

  /// Tells that runs were purged, after all that was read of them before.
  package func tell(gone runs: [(run: PublicID, project: String)]) async {
    guard !runs.isEmpty else { return }
    rows.add { [self] in publish(runs.map { .deleted(run: $0.run, project: $0.project) }) }
    await rows.drain()
  }
}

/// A place in the feed; ends with `cancel` or with its last reference.
package final class FeedSubscription: Sendable {
  private let end: @Sendable () -> Void

  init(end: @escaping @Sendable () -> Void) { self.end = end }

  deinit { end() }

  package func cancel() { end() }
}
