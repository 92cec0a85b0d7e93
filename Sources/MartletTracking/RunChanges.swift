// Rows of runs whose summaries changed, read and told at most four times a second.

package import Logging
package import MartletModel
package import MartletStore

/// Gathers ids of runs that got points; points come by the thousand, rows need not.
package actor RunChanges {
  private let store: Store
  private let feed: LiveFeed
  private let logger: Logger
  private var changed: Set<PublicID> = []
  private var isScheduled = false

  package init(store: Store, feed: LiveFeed, logger: Logger) {
    self.logger = logger
    self.store = store
    self.feed = feed
  }

  package func note(_ id: PublicID) {
    guard feed.isWatched else { return }
    changed.insert(id)
    guard !isScheduled else { return }
    isScheduled = true
    Task { await publish() }
  }

  private func publish() async {
    // A cancelled sleep only publishes earlier.
    try? await Task.sleep(for: .milliseconds(250))
    let ids = changed
    changed = []
    isScheduled = false
    do {
      feed.publish(
        try await store.read { reader in try ids.compactMap { try reader.run($0) }.map(FeedEvent.run) })
    } catch {
      logger.warning("Changes of \(ids.count) runs could not be told to their watchers: \(error)")
    }
  }
}
