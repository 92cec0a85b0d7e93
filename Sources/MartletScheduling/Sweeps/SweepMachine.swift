// One sweep as a pure machine: what happened goes in, what to do comes out.

import HashTreeCollections
package import MartletModel
package import MartletSearch

/// Decides which trials a sweep runs and when it has ended. No clock, no I/O: the runner carries its actions out and
/// feeds what comes of them back in.
package struct SweepMachine: Sendable {
  /// How one trial ended.
  package enum Outcome: Sendable, Hashable {
    case complete(objective: Double?, Measured = Measured())
    /// - reason: a sentence.
    case pruned(objective: Double?, Measured = Measured(), reason: String? = nil)
    /// It left to be gone on with, perhaps, from its checkpoint; the values are its last.
    case paused(objective: Double?, Measured = Measured(), reason: String? = nil)
    /// - penalty: what it counts as for the search, a value of the metric; nil: nothing is said of that.
    case failed(reason: String, penalty: Double? = nil)
    /// Nothing ran: no place to write, no such program.
    case notStarted(reason: String)
  }

  package enum Event: Sendable {
    case start
    case trialRunning(Int)
    /// - seconds: how long its last attempt ran.
    /// - attempts: how many it had.
    case trialEnded(Int, Outcome, seconds: Double = .infinity, attempts: Int = 1)
    /// Its values say that going on with it is not worth it.
    case judge(Int, Verdict)
    /// An attempt of a trial had devices for so long together, seconds.
    case used(deviceSeconds: Double)
    /// A look at the clock.
    case tick
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
    /// Another search in place of the old one, with all its trials, how far it may go, and what trials that fail from now
    /// on count as.
    case change(Search, limits: SweepLimits, penalties: PenaltyRule)
    /// A point that somebody wants to be tried; with `repeats`, as so many trials though it was tried before.
    case add(Point, repeats: Int = 0)
    /// An agent asks for a trial, however many there are.
    case demand
    /// A trial is an agent's.
    case lent(Int)
    /// A trial waits again that was an agent's.
    case takenBack(Int)
  }

  package enum Action: Sendable, Hashable {
    case create(trial: Int, Point, TrialOrigin)
    /// Another attempt for a paused trial.
    case resume(trial: Int)
    /// A paused trial is not gone on with any more.
    case retire(trial: Int, Outcome)
    case stop(trial: Int)
    /// Asks a running trial to leave, because of what its values are.
    case judge(trial: Int, Verdict)
    /// Look at the clock then, in seconds.
    case wake(at: Double)
    case setState(SweepState, reason: String?)
    /// The best trial changed; nil when there is none.
    case setBest(trial: Int?)
    /// Begin what goes before the first trial.
    case prepare
    case stopPreparation
    /// It has another number of trials at a time by its own decision.
    case setMaxParallel(Int, reason: String)
  }

  package internal(set) var state: SweepState
  package internal(set) var search: Search
  /// Who looks at the values of running trials; nil: nobody does.
  package internal(set) var stopping: EarlyStopping?
  /// By number, from 0.
  package internal(set) var trials: Pages<TrialRecord>
  package internal(set) var best: Int?
  /// What trials are ranked by; nil: nothing.
  var objective: Objective? { objectives.first }
  package let objectives: [Objective]
  /// What they aim at; nil: any value will do. Empty: none of them aims at anything.
  private let targets: [Double?]
  /// With several objectives the trials that no other one dominates.
  private var front: [Int] = []
  package internal(set) var limits: SweepLimits
  /// What trials that failed count as for the search.
  package internal(set) var penalties: PenaltyRule
  /// Trials at a time that the server runs itself; 0: agents run them all.
  package internal(set) var maxParallel: Int
  package internal(set) var progress: SweepProgress
  /// Whether something goes before its first trial.
  let prepares: Bool
  /// After so many quick failures in a row the sweep is paused; nil: it never is.
  let breaker: Int?
  /// A failure before so many seconds is a quick one.
  package static let quickSeconds = 60.0
  /// After so many trials in a row that could not be started, the next ones could not either.
  static let notStartedLimit = 5
  let laws: Laws
  /// Why no more trials are made.
  var stopReason: String?

  /// - Parameters:
  ///   - search: which knows of the trials.
  ///   - stopping: likewise.
  package init(
    state: SweepState = .pending, search: Search, stopping: EarlyStopping? = nil,
    trials: some Sequence<TrialRecord> = [], best: Int? = nil, objectives: [Objective],
    targets: [Double?] = [], limits: SweepLimits = SweepLimits(), penalties: PenaltyRule = PenaltyRule(),
    maxParallel: Int,
    stopReason: String? = nil, breaker: Int? = nil, prepares: Bool = false,
    progress: SweepProgress = SweepProgress(), laws: Laws = .all
  ) {
    self.state = state
    self.prepares = prepares
    self.search = search
    self.stopping = stopping
    let trials = Pages(trials)
    self.trials = trials
    self.best = best
    self.objectives = objectives
    self.targets = targets
    self.limits = limits
    self.penalties = penalties
    self.maxParallel = maxParallel
    self.stopReason = stopReason
    self.breaker = breaker
    self.progress = progress
    self.laws = laws
    openTrials = TreeSet(trials.indices.filter { trials[$0].state.isOpen })
    pausedCount = trials.count { $0.state == .paused }
    finishedCount = trials.count { $0.state == .complete || $0.state == .pruned }
    // A target that was reached before a restart stays reached.
    if state == .running || state == .paused, let reached = targetReason,
      trials.contains(where: reachesTargets)
    {
      self.stopReason = reached
      self.progress.isExhausted = true
    }
    for number in trials.indices { _ = joinFront(number) }
  }

  /// With one objective, or none, and a number of trials at most.
  package init(
    state: SweepState = .pending, search: Search, trials: some Sequence<TrialRecord> = [], best: Int? = nil,
    objective: Objective?, target: Double?, budget: Int?, maxParallel: Int, stopReason: String? = nil,
    breaker: Int? = nil, prepares: Bool = false, progress: SweepProgress = SweepProgress(), laws: Laws = .all
  ) {
    self.init(
      state: state, search: search, trials: trials, best: best, objectives: objective.map { [$0] } ?? [],
      targets: target.map { [$0] } ?? [], limits: SweepLimits(trials: budget), maxParallel: maxParallel,
      stopReason: stopReason,
      breaker: breaker, prepares: prepares, progress: progress, laws: laws)
  }

  /// Trials that wait or run, by number.
  package var open: [Int] { openTrials.sorted() }
  var openTrials: TreeSet<Int>
  /// Those of them that agents run. It follows from their attempts.
  package var lent: [Int] { lentTrials.sorted() }
  var lentTrials = TreeSet<Int>()
  /// How many trials are paused.
  var pausedCount: Int
  /// How many ended with a result.
  var finishedCount: Int
  /// The time of the event at hand.
  var now = 0.0

  /// - Parameter now: seconds of a clock that goes on through restarts.
  package mutating func handle(_ event: Event, at now: Double = 0) -> [Action] {
    guard !state.isEnd else { return [] }
    self.now = now
    switch event {
    case .start:
      // After a restart the sweep goes on in the state it had.
      if !laws.hold(.preparedOnce) { progress.isPrepared = false }
      guard state == .pending else { return wakes() + fill() }
      state = .running
      progress.startedAt = now
      return [.setState(.running, reason: preparationReason)] + wakes() + fill()
    case .trialRunning(let number):
      if openTrials.contains(number) {
        trials[number].state = .running
        stopping?.settle(trial: number, as: .running)
      }
      return []
    case .trialEnded(let number, let outcome, let seconds, let attempts):
      guard openTrials.contains(number) else { return [] }
      trials[number].attempts = attempts
      return end(number, outcome, seconds) + fill()
    case .judge(let number, let verdict):
      return judge(number, verdict)
    case .used(let seconds):
      progress.deviceSeconds += seconds
      return []
    case .tick:
      return fill()
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
      maxParallel = max(count, 0)
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
    case .change(let search, let limits, let penalties):
      self.penalties = penalties
      return change(search, limits)
    case .add(let point, let repeats):
      return add(point, repeats: repeats)
    case .demand:
      return fill(asked: 1)
    case .lent(let number):
      lentTrials.insert(number)
      return fill()
    case .takenBack(let number):
      lentTrials.remove(number)
      return []
    }
  }

  private mutating func end(_ number: Int, _ outcome: Outcome, _ seconds: Double) -> [Action] {
    var actions: [Action] = []
    openTrials.remove(number)
    lentTrials.remove(number)
    if case .notStarted = outcome { progress.notStartedInARow += 1 } else { progress.notStartedInARow = 0 }
    switch outcome {
    case .complete(let value, let measured):
      trials[number].end(.complete, value, measured)
      finishedCount += 1
      if seconds.isFinite {
        progress.timedTrials += 1
        progress.timedSeconds += seconds
      }
    case .pruned(let value, let measured, let reason):
      trials[number].end(.pruned, value, measured, reason)
      finishedCount += 1
    case .paused(let value, let measured, let reason):
      trials[number].end(.paused, value, measured, reason)
    case .failed(let reason, let penalty):
      trials[number].end(.failed, nil, Measured(penalty: penalty), reason)
    case .notStarted(let reason):
      trials[number].end(.failed, nil, Measured(), reason)
    }
    tell(number)
    actions += countFailure(outcome, seconds)
    if progress.notStartedInARow == Self.notStartedLimit, state == .running || state == .paused {
      let reason = "\(Self.notStartedLimit) trials in a row could not be started."
      (state, stopReason) = (.draining, reason)
      actions.append(.setState(.draining, reason: reason))
    }
    guard let objective, let value = trials[number].objective, trials[number].isFeasible else {
      return actions
    }
    progress.finishedSinceBest += 1
    if best.flatMap({ trials[$0].objective }).map({ objective.isBetter(value, than: $0) }) ?? !value.isNaN {
      best = number
      progress.finishedSinceBest = 0
      actions.append(.setBest(trial: number))
    }
    if joinFront(number) { progress.finishedSinceBest = 0 }
    if let reason = targetReason, stopReason == nil, reachesTargets(trials[number]) {
      stopReason = reason
      progress.isExhausted = true
      actions.append(.setState(state, reason: reason))
      // What runs has not failed: it is not gone on with.
      for other in open {
        let told = judge(other, .prune(reason: reason))
        actions += told.isEmpty ? [.stop(trial: other)] : told
      }
    }
    return actions
  }

  /// The circuit breaker: what fails at once fails again.
  private mutating func countFailure(_ outcome: Outcome, _ seconds: Double) -> [Action] {
    switch outcome {
    case .failed(let reason, _) where seconds < Self.quickSeconds:
      progress.quickFailuresInARow += 1
      progress.firstQuickFailure = progress.firstQuickFailure ?? reason
    case .complete, .pruned, .paused, .failed, .notStarted:
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

  // MARK: - What is aimed at

  private func reachesTargets(_ trial: TrialRecord) -> Bool {
    guard !targets.isEmpty, trial.isFeasible, let value = trial.objective else { return false }
    let values = [value] + trial.measured.others
    return zip(objectives, targets).enumerated().allSatisfy { place, aim in
      guard let target = aim.1 else { return true }
      return values.indices.contains(place)
        && (values[place] == target || aim.0.isBetter(values[place], than: target))
    }
  }

  private var targetReason: String? {
    let aims = zip(objectives, targets).compactMap { objective, target in
      target.map { "\(objective.metric) \(objective.goal == .minimize ? "≤" : "≥") \($0)" }
    }
    guard !aims.isEmpty else { return nil }
    return aims.count == 1
      ? "The target \(aims[0]) was reached." : "The targets \(aims.joined(separator: " and ")) were reached."
  }

  /// Takes a trial into the front where it belongs there: whether there are several objectives, and none that ended so far
  /// is as good in all of them.
  private mutating func joinFront(_ number: Int) -> Bool {
    guard objectives.count > 1, trials[number].isFeasible else { return false }
    let own = trials[number].losses(objectives)
    guard own.count == objectives.count, own.allSatisfy(\.isFinite) else { return false }
    let others = front.map { trials[$0].losses(objectives) }
    guard !others.contains(where: { $0 == own || Pareto.dominates($0, own) }) else { return false }
    front = zip(front, others).filter { !Pareto.dominates(own, $0.1) }.map(\.0) + [number]
    return true
  }
}
