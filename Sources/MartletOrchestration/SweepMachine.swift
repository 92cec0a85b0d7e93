// One sweep as a pure machine: what happened goes in, what to do comes out.

package import MartletModel
package import MartletSearch

/// Decides which trials a sweep runs and when it has ended. No clock, no I/O: the runner carries its actions out and
/// feeds what comes of them back in.
package struct SweepMachine: Sendable {
  /// How one trial ended.
  package enum Outcome: Sendable, Hashable {
    case complete(objective: Double?)
    case pruned(objective: Double?)
    case failed(reason: String)
    /// Nothing ran: no place to write, no such program.
    case notStarted(reason: String)
  }

  package enum Event: Sendable {
    case start
    case trialRunning(Int)
    case trialEnded(Int, Outcome)
    /// End: `now` asks running trials to leave, otherwise they may go on to their end.
    case stop(now: Bool, reason: String)
  }

  package enum Action: Sendable, Hashable {
    case create(trial: Int, Point)
    case stop(trial: Int)
    case setState(SweepState, reason: String?)
    /// The best trial changed; nil when there is none.
    case setBest(trial: Int?)
  }

  /// A trial that was asked for.
  package struct TrialRecord: Sendable, Hashable {
    package var point: Point
    package var state: TrialState
    package var objective: Double?
    /// Why it failed.
    package var reason: String?

    package init(point: Point, state: TrialState, objective: Double?, reason: String? = nil) {
      self.point = point
      self.state = state
      self.objective = objective
      self.reason = reason
    }
  }

  package private(set) var state: SweepState
  package private(set) var sampler: any Sampler
  /// By number, from 0.
  package private(set) var trials: [TrialRecord]
  package private(set) var best: Int?
  private let objective: Objective?
  private let target: Double?
  private let budget: Int?
  private let maxParallel: Int
  /// After so many trials in a row that could not be started, the next ones could not either.
  private static let notStartedLimit = 5
  private var notStartedInARow = 0
  /// The sampler has nothing left to ask for.
  private var isExhausted = false
  /// Why no more trials are made.
  private var stopReason: String?

  package init(
    state: SweepState = .pending, sampler: any Sampler, trials: [TrialRecord] = [], best: Int? = nil,
    objective: Objective?, target: Double?, budget: Int?, maxParallel: Int, stopReason: String? = nil
  ) {
    self.state = state
    self.sampler = sampler
    self.trials = trials
    self.best = best
    self.objective = objective
    self.target = target
    self.budget = budget
    self.maxParallel = maxParallel
    self.stopReason = stopReason
    // A target that was reached before a restart stays reached.
    if state == .running, let reached = targetReason,
      trials.contains(where: { $0.state == .complete && $0.objective.map(reachesTarget) == true })
    {
      self.stopReason = reached
      isExhausted = true
    }
  }

  package var open: [Int] { trials.indices.filter { !trials[$0].state.isEnd } }

  package mutating func handle(_ event: Event) -> [Action] {
    guard !state.isEnd else { return [] }
    switch event {
    case .start:
      // After a restart the sweep goes on in the state it had.
      guard state == .pending else { return fill() }
      state = .running
      return [.setState(.running, reason: nil)] + fill()
    case .trialRunning(let number):
      if trials.indices.contains(number), !trials[number].state.isEnd { trials[number].state = .running }
      return []
    case .trialEnded(let number, let outcome):
      guard trials.indices.contains(number), !trials[number].state.isEnd else { return [] }
      return end(number, outcome) + fill()
    case .stop(let now, let reason):
      var actions: [Action] = []
      if stopReason == nil || state != .draining {
        stopReason = reason
        state = .draining
        actions.append(.setState(.draining, reason: reason))
      }
      if now { actions += open.map(Action.stop) }
      return actions + fill()
    }
  }

  private mutating func end(_ number: Int, _ outcome: Outcome) -> [Action] {
    var actions: [Action] = []
    if case .notStarted = outcome { notStartedInARow += 1 } else { notStartedInARow = 0 }
    switch outcome {
    case .complete(let value):
      (trials[number].state, trials[number].objective) = (.complete, value)
    case .pruned(let value):
      (trials[number].state, trials[number].objective) = (.pruned, value)
    case .failed(let reason), .notStarted(let reason):
      (trials[number].state, trials[number].reason) = (.failed, reason)
    }
    sampler.tell(
      TrialOutcome(
        trial: number, point: trials[number].point, state: trials[number].state,
        objective: trials[number].objective))
    if notStartedInARow == Self.notStartedLimit, state == .running {
      let reason = "\(Self.notStartedLimit) trials in a row could not be started."
      (state, stopReason) = (.draining, reason)
      actions.append(.setState(.draining, reason: reason))
    }
    guard let objective, let value = trials[number].objective, trials[number].state == .complete else {
      return actions
    }
    if best.flatMap({ trials[$0].objective }).map({ objective.isBetter(value, than: $0) }) ?? !value.isNaN {
      best = number
      actions.append(.setBest(trial: number))
    }
    if let reason = targetReason, stopReason == nil, reachesTarget(value) {
      stopReason = reason
      isExhausted = true
      actions.append(.setState(.running, reason: reason))
      actions += open.map(Action.stop)
    }
    return actions
  }

  private func reachesTarget(_ value: Double) -> Bool {
    guard let objective, let target else { return false }
    return value == target || objective.isBetter(value, than: target)
  }

  private var targetReason: String? {
    guard let objective, let target else { return nil }
    return "The target \(objective.metric) \(objective.goal == .minimize ? "≤" : "≥") \(target) was reached."
  }

  /// Makes trials while there is room, and ends the sweep when there is nothing left to do.
  private mutating func fill() -> [Action] {
    var actions: [Action] = []
    while state == .running, !isExhausted, open.count < maxParallel, trials.count < budget ?? .max {
      guard let point = sampler.ask() else {
        isExhausted = true
        break
      }
      trials.append(TrialRecord(point: point, state: .waiting, objective: nil))
      actions.append(.create(trial: trials.count - 1, point))
    }
    return actions + (open.isEmpty ? finish() : [])
  }

  /// The sentence that begins the reason of the first trial that failed.
  private var firstFailure: String? {
    trials.lazy.compactMap(\.reason).first?.split(whereSeparator: \.isNewline).first.map(String.init)
  }

  private mutating func finish() -> [Action] {
    let succeeded = trials.count { $0.state == .complete || $0.state == .pruned }
    if state == .draining, succeeded > 0 || notStartedInARow < Self.notStartedLimit {
      state = trials.isEmpty ? .cancelled : .stopped
    } else if succeeded == 0, !trials.isEmpty {
      state = .failed
      let first = firstFailure.map { " The first failure: \($0)" } ?? ""
      return [.setState(.failed, reason: "No trial succeeded.\(first)")]
    } else {
      state = .finished
    }
    return [.setState(state, reason: stopReason)]
  }
}
