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
