// A sweep's trials: made, gone on with, judged; and its end when there is nothing left to do.

import HashTreeCollections
package import MartletModel
package import MartletSearch
import OrderedCollections

extension SweepMachine {
  /// What a trial reported at a step: one value an objective, NaN for those that said nothing.
  package struct Report: Sendable, Hashable {
    package var step: Int64
    package var values: [Double]
    /// It misses a constraint by what it has logged.
    package var isInfeasible: Bool

    package init(step: Int64, values: [Double], isInfeasible: Bool = false) {
      (self.step, self.values, self.isInfeasible) = (step, values, isInfeasible)
    }
  }

  /// Makes trials while there is room, and ends the sweep when there is nothing left to do.
  ///
  /// - Parameter asked: so many more than the server runs itself.
  mutating func fill(asked: Int = 0) -> [Action] {
    var actions: [Action] = []
    if let waiting = preparation() {
      actions += waiting
      if laws.hold(.preparedFirst) { return actions }
    }
    let limit = trialLimit
    if !progress.isExhausted, let reason = limitReached { exhaust(reason) }
    // Whoever found what he looked for, or has spent what he had, goes on with nothing.
    let isSatisfied = stopReason != nil || limitReached != nil
    filling: while state == .running, !isSatisfied, hasRoom(asked: asked) {
      let isSpent = progress.isExhausted || trials.count >= limit
      if let paused = stopping?.resume(isExhausted: isSpent), isPaused(paused) {
        actions.append(resume(paused))
        continue
      }
      guard !isSpent else { break }
      let number = trials.count
      switch search.ask(trial: number) {
      case .trial(let suggestion):
        let origin = TrialOrigin(
          coordinates: suggestion.coordinates, note: suggestion.note,
          from: suggestion.from.flatMap { trials.indices.contains($0) ? $0 : nil },
          isRepeat: suggestion.isRepeat)
        openTrials.insert(number)
        trials.append(TrialRecord(point: suggestion.point, origin: origin, state: .waiting, objective: nil))
        actions.append(.create(trial: number, suggestion.point, origin))
      case .resume(let paused):
        guard isPaused(paused) else { break filling }
        actions.append(resume(paused))
      case .wait:
        if openTrials.isEmpty { exhaust("Its method waits for trials, and none runs.") }
        break filling
      case .exhausted(let reason): exhaust(reason)
      }
    }
    // A paused sweep may have more to ask for: whoever resumes it finds out.
    let isOver =
      openTrials.isEmpty && !awaitsAgents
      && (state != .paused || progress.isExhausted || trials.count >= limit)
    return actions + (isOver ? finish() : [])
  }

  /// How many trials it may make.
  var trialLimit: Int { laws.hold(.budgetKept) ? limits.trials ?? .max : .max }

  private mutating func exhaust(_ reason: String) {
    progress.isExhausted = true
    progress.exhaustion = progress.exhaustion ?? reason
  }

  // MARK: - Paused trials

  private func isPaused(_ number: Int) -> Bool {
    trials.indices.contains(number) && trials[number].state == .paused
  }

  private mutating func resume(_ number: Int) -> Action {
    openTrials.insert(number)
    trials[number].state = .waiting
    pausedCount -= 1
    return .resume(trial: number)
  }

  /// Nobody goes on with them any more.
  private mutating func retirePaused() -> [Action] {
    guard pausedCount > 0 else { return [] }
    var actions: [Action] = []
    for number in trials.indices where trials[number].state == .paused {
      trials[number].state = .pruned
      trials[number].reason = Self.standing(since: trials[number].reason)
      tell(number)
      let record = trials[number]
      actions.append(
        .retire(
          trial: number, .pruned(objective: record.objective, record.measured, reason: record.reason)))
    }
    finishedCount += pausedCount
    pausedCount = 0
    return actions
  }

  /// - Parameter reason: why it was paused, a sentence of that time.
  private static func standing(since reason: String?) -> String {
    "It stood still when the sweep ended.\(reason.map { " When it was paused: \($0)" } ?? "")"
  }

  /// What a running trial reported, in its order; the sign is that of the metrics.
  ///
  /// - Returns: what it means for the trial; nil: it goes on.
  package mutating func report(_ number: Int, _ reports: [Report]) -> Verdict? {
    guard stopping != nil, openTrials.contains(number) else { return nil }
    var verdict: Verdict?
    for report in reports {
      let losses = Self.losses(report.values, objectives)
      let decision = stopping?.report(
        trial: number, step: report.step, losses: losses, isInfeasible: report.isInfeasible)
      switch decision {
      case .stop(let reason)?: verdict = verdict ?? .prune(reason: reason)
      case .pause(let reason)?: verdict = verdict ?? .pause(reason: reason)
      case .goOn?, nil: break
      }
    }
    return trials[number].verdict == nil ? verdict : nil
  }

  mutating func judge(_ number: Int, _ verdict: Verdict) -> [Action] {
    guard openTrials.contains(number), trials[number].state == .running, trials[number].verdict == nil else {
      return []
    }
    trials[number].verdict = verdict
    return [.judge(trial: number, verdict)]
  }

  // MARK: - Changes by hand

  /// What was added by hand, as it is to be tried in another search: what was tried once more already is not tried yet
  /// another time. Each has as many places as before.
  package var addedPoints: [AddedPoint] {
    var waiting = search.waitingCount
    var points: [AddedPoint] = []
    for added in progress.added.reversed() {
      let own = min(waiting, added.places)
      waiting -= own
      func part(_ places: Int, isDone: Bool) -> AddedPoint {
        AddedPoint(flat: added.flat, repeats: min(places, added.repeats), isDone: added.repeats > 0 && isDone)
      }
      if own > 0 { points.append(part(own, isDone: added.isDone)) }
      if own < added.places { points.append(part(added.places - own, isDone: true)) }
    }
    return points.reversed()
  }

  mutating func change(_ search: Search, _ limits: SweepLimits) -> [Action] {
    // Where the space has become another, points may not lie in it any more.
    progress.added = addedPoints.filter { $0.point.map(search.takes) ?? false }
    (self.search, self.limits) = (search, limits)
    (progress.isExhausted, progress.exhaustion) = (false, nil)
    return wakes() + fill()
  }

  /// Another number of trials at most, for one that is about to begin; nil: no limit.
  package mutating func extend(to trials: Int?) {
    limits.trials = trials
    (progress.isExhausted, progress.exhaustion) = (false, nil)
  }

  mutating func add(_ point: Point, repeats: Int) -> [Action] {
    enqueue(point, repeats: repeats) ? fill() : []
  }

  /// Takes a point that is tried before the method is asked. Returns false where it cannot be: whoever asks for it has looked
  /// before.
  ///
  /// - Parameter repeats: so many trials of it, though it was tried before; 0: one, of a point that was not.
  @discardableResult package mutating func enqueue(_ point: Point, repeats: Int = 0) -> Bool {
    let added = AddedPoint(flat: point.flat, repeats: repeats)
    do throws(SearchError) {
      for _ in 0..<added.places { try search.enqueue(point, isRepeat: added.isRepeat) }
    } catch {
      return false
    }
    progress.added.append(added)
    if let trials = limits.trials {
      let (sum, isTooLarge) = trials.addingReportingOverflow(added.places)
      limits.trials = isTooLarge ? .max : sum
    }
    if progress.exhaustion != nil { (progress.isExhausted, progress.exhaustion) = (false, nil) }
    return true
  }

  // MARK: - The search

  /// Tells the search how a trial ended.
  mutating func tell(_ number: Int) {
    let record = trials[number]
    stopping?.settle(trial: number, as: record.state, isInfeasible: record.missesConstraint)
    guard record.state.isEnd else {
      // It goes on perhaps, so the search still waits for it.
      pausedCount += 1
      return
    }
    search.tell(
      trial: number, state: record.state, losses: record.losses(objectives),
      violations: record.measured.violations, step: record.measured.step)
  }

  /// To be minimised, all of them.
  package static func losses(_ values: [Double], _ objectives: [Objective]) -> [Double] {
    zip(values, objectives).map { $1.goal == .minimize ? $0 : -$0 }
  }

  // MARK: - The end

  /// The sentence that begins the reason of the first trial that failed.
  private var firstFailure: String? {
    trials.lazy.filter { $0.state == .failed }.compactMap(\.reason).first?
      .split(whereSeparator: \.isNewline).first.map(String.init)
  }

  private mutating func finish() -> [Action] {
    let retired = retirePaused()
    let succeeded = trials.contains { $0.state == .complete || $0.state == .pruned }
    if state == .draining, succeeded || progress.notStartedInARow < Self.notStartedLimit {
      state = trials.isEmpty ? .cancelled : .stopped
    } else if !succeeded, !trials.isEmpty {
      state = .failed
      let first = firstFailure.map { " The first failure: \($0)" } ?? ""
      return retired + [.setState(.failed, reason: "No trial succeeded.\(first)")]
    } else {
      state = .finished
    }
    return retired + [.setState(state, reason: stopReason ?? progress.exhaustion)]
  }
}
