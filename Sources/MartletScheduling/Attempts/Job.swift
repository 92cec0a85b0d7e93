// A run that has not ended: which of its attempts is under way, and how far that is.

/// What is executed, as the scheduler remembers it and the store keeps it.
package struct Job: Sendable, Hashable {
  package enum State: Sendable, Hashable {
    /// In the pool's line.
    case waiting
    /// Not before this time, in seconds.
    case pausing(until: Double)
    /// It has its devices; its command does not run yet as far as anybody knows.
    case starting
    case running
    /// Nobody watches its command, which may run.
    case lost

    /// It holds what it needs.
    package var holds: Bool {
      switch self {
      case .waiting, .pausing: false
      case .starting, .running, .lost: true
      }
    }
  }

  /// What was asked of an attempt.
  package enum Ask: String, Sendable, Hashable {
    /// To leave for good.
    case stop
    /// To make room: another attempt follows.
    case makeRoom
  }

  package var id: JobID
  /// Of the attempt, from 1.
  package var number: Int
  package var state: State
  package var needs: Needs
  package var priority: Int
  /// Its place in the line among those of one priority.
  package var ticket: Int
  package var policy: RetryPolicy
  /// How often each fault was forgiven.
  package var retries: [Fault: Int] = [:]
  /// Supervisors in a row that started nothing, and agents that fell silent.
  package var failedStarts = 0
  package var ask: Ask?
  /// Who runs it; nil: the server.
  package var agent: Agent?
  /// What it holds.
  package var devices: [Int] = []
  /// Seconds that an attempt is expected to take.
  package var expected: Double?

  package init(
    id: JobID, needs: Needs, priority: Int = 0, ticket: Int, policy: RetryPolicy = RetryPolicy(),
    expected: Double? = nil
  ) {
    self.id = id
    number = 1
    state = .waiting
    self.needs = needs
    self.priority = priority
    self.ticket = ticket
    self.policy = policy
    self.expected = expected
  }

  var request: PoolRequest {
    PoolRequest(job: id, needs: needs, priority: priority, ticket: ticket, expected: expected)
  }

  /// How often a run is queued again when its supervisors start nothing.
  static let failedStartsLimit = 5
}
