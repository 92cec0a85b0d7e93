// An attempt whose supervisor was killed, seen to its end as that would have: decided here, done by a `LostWatch`.

/// What is left of an attempt is waited for, asked to leave and ended. No clock, no processes: both come with events.
package struct LostAttempt: Sendable {
  /// Why its command ended.
  package enum Cause: Sendable, Hashable {
    /// By itself, or by somebody else.
    case unknown
    case request
    case timeLimit
  }

  package enum Event: Sendable, Hashable {
    /// Whether the command is there, and how many processes it left behind; those count only once it is gone.
    case seen(command: Bool, leftovers: Int)
    /// Somebody asks for its end.
    ///
    /// - patience: seconds it shall have instead of its grace.
    case stop(patience: Double?)
  }

  package enum Action: Sendable, Hashable {
    /// SIGUSR1 to the command alone.
    case askCommand
    /// SIGTERM to the command's process group.
    case askGroup
    /// SIGTERM to every process of the tree.
    case askTree
    /// SIGKILL to every process of the tree.
    case killTree
    /// Nothing of it is left.
    case end(Cause)
  }

  /// What a command leaves behind when it ends by itself has so many seconds at least: a metric sender empties its
  /// spool in that time.
  private static let leftoversGrace = 3.0
  private static let longestPause = 5.0

  private let grace: Double
  /// It is asked with SIGUSR1 instead of SIGTERM: it, or who submitted it, said that it handles that.
  package var asksByUserSignal: Bool
  private var deadline: Double
  private var cause = Cause.unknown
  private var killAt = Double.infinity
  private var pause = 0.1
  private var isSwept = false
  private var hasEnded = false

  /// - Parameters:
  ///   - grace: seconds between asking to leave and SIGKILL.
  ///   - asksByUserSignal: it is asked with SIGUSR1 instead of SIGTERM.
  ///   - deadline: when its time limit is over; nil: it has none.
  package init(grace: Double, asksByUserSignal: Bool, deadline: Double?) {
    self.grace = grace
    self.asksByUserSignal = asksByUserSignal
    self.deadline = deadline ?? .infinity
  }

  package mutating func handle(_ event: Event, at now: Double) -> [Action] {
    guard !hasEnded else { return [] }
    switch event {
    case .stop(let patience):
      guard cause == .unknown, !isSwept else {
        // It was asked before: only who has less patience than that changes anything.
        if let patience { killAt = min(killAt, now + patience) }
        return []
      }
      return ask(.request, wait: patience ?? grace, at: now)
    case .seen(command: true, _):
      return watch(at: now)
    case .seen(command: false, let leftovers):
      return sweep(leftovers, at: now)
    }
  }

  /// One grace, however it is asked; then the tree.
  private mutating func ask(_ cause: Cause, wait: Double, at now: Double) -> [Action] {
    self.cause = cause
    killAt = now + wait
    return [asksByUserSignal ? .askCommand : .askGroup]
  }

  private mutating func watch(at now: Double) -> [Action] {
    var actions: [Action] = []
    if cause == .unknown, now >= deadline {
      actions += ask(.timeLimit, wait: grace, at: now)
    }
    return actions + kill(at: now)
  }

  /// The command is gone: what it left behind is asked to do the same, and then made to.
  private mutating func sweep(_ leftovers: Int, at now: Double) -> [Action] {
    guard leftovers > 0 else {
      hasEnded = true
      return [.end(cause)]
    }
    guard !isSwept else { return kill(at: now) }
    isSwept = true
    // One that was asked to leave has used part of the grace, which is the whole tree's.
    if cause == .unknown { killAt = now + max(grace, Self.leftoversGrace) }
    return [.askTree] + kill(at: now)
  }

  /// Again and again, ever less often: what SIGKILL cannot end at once sleeps where no signal reaches it.
  private mutating func kill(at now: Double) -> [Action] {
    guard now >= killAt else { return [] }
    killAt = now + pause
    pause = min(2 * pause, Self.longestPause)
    return [.killTree]
  }
}
