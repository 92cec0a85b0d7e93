// Rows of runs whose summaries changed, read and told at most four times a second.

package import Logging
package import MartletModel
package import MartletStore
import OrderedCollections

/// Gathers ids of runs that got points; points come by the thousand, rows need not.
package actor RunChanges {
  private let store: Store
  private let feed: LiveFeed
  private let logger: Logger
  private var changed: OrderedSet<PublicID> = []
  private var isScheduled = false

  package init(store: Store, feed: LiveFeed, logger: Logger) {
    self.logger = logger
    self.store = store
    self.feed = feed
  }

  package func note(_ id: PublicID) {
    guard !feed.noteUnwatched(runs: CollectionOfOne(id)) else { return }
    changed.append(id)
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
    await feed.tell(runs: ids, from: store, logger: logger)
  }
}
