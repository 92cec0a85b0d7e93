// What becomes of an attempt.

package import MartletModel

/// What was heard of an attempt.
package enum JobNews: Sendable, Hashable {
  /// Its command runs.
  case running
  /// Its supervisor is gone, its command may not be.
  case lost
  /// Nothing of it runs any more.
  case over(JobEnd)
}

/// How an attempt ended.
package struct JobEnd: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// It did what it was to do; the objective is what its sweep ranks it by.
    case success(objective: Double?, Measured = Measured())
    /// It was ended early, and that was the plan.
    case pruned(objective: Double?, Measured = Measured())
    /// It left at a checkpoint, to be gone on with perhaps.
    case paused(objective: Double?, Measured = Measured())
    case fault(Fault)
    /// It did something, and would do the same again.
    case hopeless
    /// There is no such program, or no place to write: the next try would end as this one.
    case impossible
    /// It left because it was asked to.
    case left
    /// Nothing was started, and nothing will be. `isBlamed`: no server was killed meanwhile.
    case neverStarted(isBlamed: Bool)
  }

  package var kind: Kind
  /// What is written down.
  package var state: AttemptState
  package var reason: String
  /// Seconds that its command ran.
  package var seconds: Double

  package init(_ kind: Kind, _ state: AttemptState, reason: String, seconds: Double) {
    self.kind = kind
    self.state = state
    self.reason = reason
    self.seconds = seconds
  }
}
