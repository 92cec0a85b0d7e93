// The states of attempts, trials and sweeps, and the one table of moves an attempt may make.

/// The state of one attempt; a run shows the state of its latest.
public enum AttemptState: String, Sendable, CaseIterable {
  case queued, starting, running, lost
  case finished, failed, timedOut, killed, stopped, preempted, crashed

  /// Nothing follows but a new attempt.
  public var isEnd: Bool {
    switch self {
    case .queued, .starting, .running, .lost: false
    case .finished, .failed, .timedOut, .killed, .stopped, .preempted, .crashed: true
    }
  }

  /// An end that nobody wanted: somebody should hear of it.
  public var isAlarming: Bool {
    switch self {
    case .failed, .timedOut, .killed, .crashed: true
    case .queued, .starting, .running, .lost, .finished, .stopped, .preempted: false
    }
  }

  /// Whether an attempt that Martlet executes may go from here to `next`.
  ///
  /// `queued → starting → running →` one end, `running ⇄ lost`. An attempt may end before it runs (stopped while
  /// queued; could not be started), and one that never began (its server was killed in between) is `preempted`.
  public func mayBecome(_ next: AttemptState) -> Bool {
    switch self {
    case .queued: next == .starting || next == .stopped || next == .failed || next == .preempted
    case .starting: next == .running || next == .lost || next.isEnd
    case .running: next == .lost || next.isEnd
    case .lost: next == .running || next.isEnd
    case .finished, .failed, .timedOut, .killed, .stopped, .preempted, .crashed: false
    }
  }
}

/// A run's state is its latest attempt's; a run logged from outside begins in `running`.
public typealias RunState = AttemptState

/// The state of one suggestion of a sweep.
public enum TrialState: String, Sendable, CaseIterable {
  case waiting, running, paused, complete, pruned, failed

  public var isEnd: Bool {
    switch self {
    case .waiting, .running, .paused: false
    case .complete, .pruned, .failed: true
    }
  }
}

/// The state of a sweep or flow.
public enum SweepState: String, Sendable, CaseIterable {
  case pending, queued, running, paused, draining, finished, stopped, failed, cancelled

  public var isEnd: Bool {
    switch self {
    case .pending, .queued, .running, .paused, .draining: false
    case .finished, .stopped, .failed, .cancelled: true
    }
  }
}
