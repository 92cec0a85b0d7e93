// One sweep as a pure machine: what happened goes in, what to do comes out.

import HashTreeCollections
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
    /// - seconds: how long its last attempt ran.
    case trialEnded(Int, Outcome, seconds: Double = .infinity)
    /// End: `now` asks running trials to leave, otherwise they may go on to their end.
    case stop(now: Bool, reason: String)
    /// No new trials until it is resumed; running ones go on.
    case pause(reason: String)
    case resume
    case setMaxParallel(Int)
    /// How many trials it has at a time follows what the machine has left, from here on.
    case setAutomatic
    /// What the machine has left; `hasRoom`: another trial would get its devices at once.
    case headroom(Headroom, hasRoom: Bool, at: Double)
    /// A trial ran out of memory while so many ran, itself included.
    case memoryTrouble(trial: Int, running: Int, at: Double)
    /// What goes before the first trial is over; nil: it succeeded.
    case preparationEnded(failure: String?)
  }

  package enum Action: Sendable, Hashable {
    case create(trial: Int, Point)
    case stop(trial: Int)
    case setState(SweepState, reason: String?)
    /// The best trial changed; nil when there is none.
    case setBest(trial: Int?)
    /// Begin what goes before the first trial.
    case prepare
    case stopPreparation
    /// It has another number of trials at a time by its own decision.
    case setMaxParallel(Int, reason: String)
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

  package internal(set) var state: SweepState
  package private(set) var sampler: any Sampler
  /// By number, from 0.
  package private(set) var trials: Pages<TrialRecord>
  package private(set) var best: Int?
  private let objective: Objective?
  private let target: Double?
  let budget: Int?
  package internal(set) var maxParallel: Int
  package internal(set) var progress: SweepProgress
  /// Whether something goes before its first trial.
  let prepares: Bool
  /// After so many quick failures in a row the sweep is paused; nil: it never is.
  private let breaker: Int?
  /// A failure before so many seconds is a quick one.
  package static let quickSeconds = 60.0
  /// After so many trials in a row that could not be started, the next ones could not either.
  private static let notStartedLimit = 5
  let laws: Laws
  /// Why no more trials are made.
  var stopReason: String?

  package init(
    state: SweepState = .pending, sampler: any Sampler, trials: some Sequence<TrialRecord> = [],
    best: Int? = nil,
    objective: Objective?, target: Double?, budget: Int?, maxParallel: Int, stopReason: String? = nil,
    breaker: Int? = nil, prepares: Bool = false, progress: SweepProgress = SweepProgress(), laws: Laws = .all
  ) {
    self.state = state
    self.prepares = prepares
    self.sampler = sampler
    let trials = Pages(trials)
    self.trials = trials
    self.best = best
    self.objective = objective
    self.target = target
    self.budget = budget
    self.maxParallel = maxParallel
    self.stopReason = stopReason
    self.breaker = breaker
    self.progress = progress
    self.laws = laws
    openTrials = TreeSet(trials.indices.filter { !trials[$0].state.isEnd })
    // A target that was reached before a restart stays reached.
    if state == .running || state == .paused, let reached = targetReason,
      trials.contains(where: { $0.state == .complete && $0.objective.map(reachesTarget) == true })
    {
      self.stopReason = reached
      self.progress.isExhausted = true
    }
  }

  /// Trials that have not ended, by number.
  package var open: [Int] { openTrials.sorted() }
  var openTrials: TreeSet<Int>

  package mutating func handle(_ event: Event) -> [Action] {
    guard !state.isEnd else { return [] }
    switch event {
    case .start:
      // After a restart the sweep goes on in the state it had.
      if !laws.hold(.preparedOnce) { progress.isPrepared = false }
      guard state == .pending else { return fill() }
      state = .running
      return [.setState(.running, reason: preparationReason)] + fill()
    case .trialRunning(let number):
      if trials.indices.contains(number), !trials[number].state.isEnd { trials[number].state = .running }
      return []
    case .trialEnded(let number, let outcome, let seconds):
      guard trials.indices.contains(number), !trials[number].state.isEnd else { return [] }
      return end(number, outcome, seconds) + fill()
    case .stop(let now, let reason):
      var actions: [Action] = []
      if stopReason == nil || state != .draining {
        stopReason = reason
        state = .draining
        actions.append(.setState(.draining, reason: reason))
      }
      if now { actions += open.map(Action.stop) }
      // Nothing will follow that it could be good for.
      if progress.isPreparing { actions.append(.stopPreparation) }
      return actions + fill()
    case .pause(let reason):
      guard state == .running else { return [] }
      state = .paused
      return [.setState(.paused, reason: reason)]
    case .resume:
      guard state == .paused else { return [] }
      state = .running
      (progress.quickFailuresInARow, progress.firstQuickFailure) = (0, nil)
      return [.setState(.running, reason: preparationReason ?? stopReason)] + fill()
    case .setMaxParallel(let count):
      maxParallel = max(count, 1)
      (progress.isAutomatic, progress.ceiling, progress.windowReason) = (false, nil, nil)
      return fill()
    case .setAutomatic:
      (progress.isAutomatic, progress.ceiling, progress.windowReason) = (true, nil, nil)
      (progress.windowChangedAt, progress.hasNarrowed) = (nil, false)
      return []
    case .headroom(let headroom, let hasRoom, let now):
      return adapt(to: headroom, hasRoom: hasRoom, at: now)
    case .memoryTrouble(let number, let running, let now):
      return narrow(after: number, running: running, at: now)
    case .preparationEnded(let failure):
      return endPreparation(failure)
    }
  }

  private mutating func end(_ number: Int, _ outcome: Outcome, _ seconds: Double) -> [Action] {
    var actions: [Action] = []
    openTrials.remove(number)
    if case .notStarted = outcome { progress.notStartedInARow += 1 } else { progress.notStartedInARow = 0 }
    switch outcome {
    case .complete(let value):
      (trials[number].state, trials[number].objective) = (.complete, value)
      if seconds.isFinite {
        progress.timedTrials += 1
        progress.timedSeconds += seconds
      }
    case .pruned(let value):
      (trials[number].state, trials[number].objective) = (.pruned, value)
    case .failed(let reason), .notStarted(let reason):
      (trials[number].state, trials[number].reason) = (.failed, reason)
    }
    sampler.tell(
      TrialOutcome(
        trial: number, point: trials[number].point, state: trials[number].state,
        objective: trials[number].objective))
    actions += countFailure(outcome, seconds)
    if progress.notStartedInARow == Self.notStartedLimit, state == .running || state == .paused {
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
      progress.isExhausted = true
      actions.append(.setState(state, reason: reason))
      actions += open.map(Action.stop)
    }
    return actions
  }

  /// The circuit breaker: what fails at once fails again.
  private mutating func countFailure(_ outcome: Outcome, _ seconds: Double) -> [Action] {
    switch outcome {
    case .failed(let reason) where seconds < Self.quickSeconds:
      progress.quickFailuresInARow += 1
      progress.firstQuickFailure = progress.firstQuickFailure ?? reason
    case .complete, .pruned, .failed, .notStarted:
      (progress.quickFailuresInARow, progress.firstQuickFailure) = (0, nil)
    }
    guard let breaker, progress.quickFailuresInARow >= breaker, state == .running else { return [] }
    state = .paused
    let first = progress.firstQuickFailure.map { " The first: \($0)" } ?? ""
    return [
      .setState(
        .paused,
        reason:
          "\(progress.quickFailuresInARow) trials in a row failed within \(Int(Self.quickSeconds)) s.\(first)"
      )
    ]
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
  mutating func fill() -> [Action] {
    var actions: [Action] = []
    if let waiting = preparation() {
      actions += waiting
      if laws.hold(.preparedFirst) { return actions }
    }
    let room = laws.hold(.parallelKept) ? maxParallel : maxParallel + 1
    let limit = laws.hold(.budgetKept) ? budget ?? .max : .max
    while state == .running, !progress.isExhausted, openTrials.count < room, trials.count < limit {
      guard let point = sampler.ask() else {
        progress.isExhausted = true
        break
      }
      openTrials.insert(trials.count)
      trials.append(TrialRecord(point: point, state: .waiting, objective: nil))
      actions.append(.create(trial: trials.count - 1, point))
    }
    // A paused sweep may have more to ask for: whoever resumes it finds out.
    let isOver = openTrials.isEmpty && (state != .paused || progress.isExhausted || trials.count >= limit)
    return actions + (isOver ? finish() : [])
  }

  /// The sentence that begins the reason of the first trial that failed.
  private var firstFailure: String? {
    trials.lazy.compactMap(\.reason).first?.split(whereSeparator: \.isNewline).first.map(String.init)
  }

  mutating func finish() -> [Action] {
    let succeeded = trials.count { $0.state == .complete || $0.state == .pruned }
    if state == .draining, succeeded > 0 || progress.notStartedInARow < Self.notStartedLimit {
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
