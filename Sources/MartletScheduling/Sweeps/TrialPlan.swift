// How a sweep's trials, or a run by itself, are executed.

/// What an attempt needs and what follows when it goes wrong.
package struct TrialPlan: Sendable, Hashable {
  package var needs: NeedsRule
  package var retries: RetryPolicy
  package var priority: Int
  /// Seconds that an attempt may take.
  package var timeout: Double?

  package init(
    needs: NeedsRule = NeedsRule(), retries: RetryPolicy = RetryPolicy(), priority: Int = 0,
    timeout: Double? = nil
  ) {
    self.needs = needs
    self.retries = retries
    self.priority = priority
    self.timeout = timeout
  }
}
