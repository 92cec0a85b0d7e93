// When rows are laid into chunks.

/// Bounds of a run's tail; with any of them passed, it is sealed.
package struct SealingPolicy: Sendable {
  /// Seconds without a row after which the tail of a run that has ended is sealed.
  package var endedSeconds = 5.0
  /// The same for a run that has not.
  package var idleSeconds = 600.0
  /// Blocks of few rows that are brought together when there are more of them.
  package var blocks = 256
  /// Bytes of the tail.
  package var bytes = 32 << 20
  /// Runs that may share a transaction: each that has one of its own waits for the disk.
  package var sharedRuns = 64
  /// Bytes of tails with which a transaction that runs share is full; what is done of one run is never divided.
  package var sharedBytes = 512 << 10
  /// Seconds after which a transaction that runs share takes no further one: others wait for it.
  package var sharedSeconds = 0.02
  /// Whether the store does so by itself, or only in `settle`.
  package var isAutomatic = true

  package init() {}

  /// Nothing is sealed but in `settle`.
  package static var manual: SealingPolicy {
    var policy = SealingPolicy()
    policy.isAutomatic = false
    return policy
  }
}
