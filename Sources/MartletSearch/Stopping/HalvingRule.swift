// Successive halving without waiting: ASHA, its brackets (Hyperband), and W&B's `hyperband`.

import MartletModel

/// At certain steps (rungs), each η times the one before, only the best 1/η of all trials that came so far go on.
///
/// Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020), algorithm 2, which pauses a trial at each
/// rung and resumes it when it belongs to the best ⌊n/η⌋ there; and the version that decides at once and for good when a
/// trial arrives, so that nothing is ever paused. Trials may be spread over brackets that begin at different rungs (Li
/// et al., "Hyperband", 2018); a trial is compared with all who came to its rung, of whatever bracket.
///
/// The loss on a rung is that of the last report at or before its step, as long as that lies beyond the rung below, or
/// else that of the first report after; rungs that were jumped over are not judged. What has no number on a rung does
/// not pass. With several objectives trials are ranked by fronts (`RungRanking`). Equal losses share their fate.
struct HalvingRule: StoppingRule {
  /// What becomes of those who do not belong to the best.
  enum Manner: String, Hashable, Sendable, CaseIterable {
    case stop, pause
  }

  let rungs: Rungs
  let eta: Double
  let manner: Manner
  /// ⌊n/η⌋ of n pass, or one (W&B's `strict`); else one more does. Those who pause: ⌊n/η⌋ in any case.
  let isStrict: Bool
  /// A trial is judged again at every report, against those who have come to its rung since.
  let isRejudging: Bool
  let brackets: Brackets
  let wording: MetricWording
  private var rankings: [RungRanking]
  private var trials: [Int: Memory] = [:]

  private struct Memory: Hashable, Sendable {
    /// The last report, and the furthest step so far.
    var losses: [Double]
    var step: Int64
    /// The losses on each rung it was judged on, ascending by rung.
    var marks: [Mark] = []
    var isPaused = false
  }

  private struct Mark: Hashable, Sendable {
    var rung: Int
    var losses: [Double]
  }

  init(
    rungs: Rungs, eta: Double, manner: Manner, isStrict: Bool, isRejudging: Bool, brackets: Brackets,
    wording: MetricWording
  ) {
    (self.rungs, self.eta, self.manner) = (rungs, eta, manner)
    (self.isStrict, self.isRejudging) = (isStrict, isRejudging)
    (self.brackets, self.wording) = (brackets, wording)
    rankings = Array(repeating: RungRanking(), count: rungs.steps.count)
  }

  mutating func report(_ report: StoppingReport) -> StoppingDecision {
    let before = trials[report.trial]
    var memory = before ?? Memory(losses: report.losses, step: report.step)
    defer { trials[report.trial] = memory }
    memory.losses = report.losses
    memory.step = max(memory.step, report.step)
    let first = brackets.bracket(of: report.trial)
    guard let rung = rungs.rung(at: memory.step), rung >= first else { return .goOn }
    if let last = memory.marks.last, last.rung >= rung {
      return isRejudging ? judgement(of: last, trial: report.trial) : .goOn
    }
    let mark = Mark(rung: rung, losses: lossesOn(rung, before, report))
    memory.marks.append(mark)
    rankings[rung].insert(mark.losses)
    return judgement(of: mark, trial: report.trial)
  }

  private func lossesOn(_ rung: Int, _ before: Memory?, _ report: StoppingReport) -> [Double] {
    guard let before, report.step != rungs.steps[rung], rung == 0 || before.step > rungs.steps[rung - 1]
    else { return report.losses }
    return before.losses
  }

  private func judgement(of mark: Mark, trial: Int) -> StoppingDecision {
    let ranking = rankings[mark.rung]
    let place = "at step \(rungs.steps[mark.rung])"
    guard mark.losses.allSatisfy(\.isFinite) else {
      return .stop("Its \(wording.name) \(place) is not a number.")
    }
    let better = ranking.countBetter(than: mark.losses)
    let allowed = quota(ranking.count)
    if better < allowed { return .goOn }
    let own =
      mark.losses.count == 1
      ? "Its \(wording.name) \(place), \(wording.text(mark.losses[0])), is" : "What it measured \(place) is"
    let bound = ranking.bound(ofBest: allowed).map { " (\(wording.text($0)) or \(wording.better))" } ?? ""
    if manner == .pause && allowed == 0 {
      return decision("It waits \(place) for others to compare with: \(ranking.count) came so far.")
    }
    return decision("\(own) not among the best \(allowed) of \(ranking.count)\(bound).")
  }

  /// How many of `count` on a rung pass.
  private func quota(_ count: Int) -> Int {
    let share = Int(Double(count) / eta)
    return manner == .pause ? share : isStrict ? max(1, share) : share + 1
  }

  private func decision(_ reason: String) -> StoppingDecision {
    manner == .stop ? .stop(reason) : .pause(reason)
  }

  mutating func settle(trial: Int, as state: TrialState) { trials[trial]?.isPaused = state == .paused }

  /// The best paused trial on the highest rung that belongs to the best ⌊n/η⌋ there by now; of equals the eldest.
  func resumable() -> Int? {
    guard manner == .pause else { return nil }
    var best: (rung: Int, better: Int, trial: Int)?
    for (trial, memory) in trials where memory.isPaused {
      guard let mark = memory.marks.last, mark.losses.allSatisfy(\.isFinite) else { continue }
      let ranking = rankings[mark.rung]
      let better = ranking.countBetter(than: mark.losses)
      guard better < quota(ranking.count) else { continue }
      let candidate = (rung: mark.rung, better: better, trial: trial)
      if let held = best, (-held.rung, held.better, held.trial) < (-candidate.rung, better, trial) {
        continue
      }
      best = candidate
    }
    return best?.trial
  }

  func memory(of trial: Int) -> JSONValue? {
    guard let memory = trials[trial] else { return nil }
    return [
      "step": .int(memory.step), "losses": .array(memory.losses.map(JSONValue.double)),
      "rungs": .array(
        memory.marks.map { .array([.int(Int64($0.rung))] + $0.losses.map(JSONValue.double)) }),
    ]
  }

  mutating func restore(trial: Int, _ memory: JSONValue) throws(SearchError) {
    guard let step = memory["step"]?.int, let losses = memory["losses"]?.array?.compactMap(\.double),
      let marks = memory["rungs"]?.array
    else { throw unusable(trial: trial) }
    var restored = Memory(losses: losses, step: step)
    for entry in marks {
      guard let items = entry.array, let rung = items.first?.int.map({ Int($0) }),
        rankings.indices.contains(rung), items.count == losses.count + 1
      else { throw unusable(trial: trial) }
      let mark = Mark(rung: rung, losses: items.dropFirst().compactMap(\.double))
      restored.marks.append(mark)
      rankings[rung].insert(mark.losses)
    }
    trials[trial] = restored
  }
}
