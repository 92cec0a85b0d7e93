// Whether a search is still getting anywhere, in numbers and in words.

public import MartletModel
import OrderedCollections

/// How far a search has come.
public struct SearchProgress: Hashable, Sendable {
  /// Completed trials that meet every constraint.
  public var trials: Int
  /// The best metric and its trial; nil: there is none.
  public var best: Double?
  public var bestTrial: Int?
  /// How many feasible trials have completed since.
  public var sinceBest: Int
  /// Which part of all that the best has gained since the first trial came in the last quarter of the trials, 0 to 1.
  public var lateGain: Double
  /// The chance that one of the next tenth as many trials is the best, if points were drawn at random: n/10 of
  /// n + n/10. A method that learns should do better.
  public var chance: Double
  /// The distance to a known target, 0 when it is reached; nil: no target was given.
  public var regret: Double?
  /// All that in sentences.
  public var statements: [String]

  public var json: JSONValue {
    [
      "trials": .int(Int64(trials)), "best": JSONValue(best), "best_trial": JSONValue(bestTrial),
      "since_best": .int(Int64(sinceBest)), "late_gain": .double(lateGain), "chance": .double(chance),
      "regret": JSONValue(regret), "statements": .array(statements.map(JSONValue.string)),
    ]
  }
}

extension SweepAnalysis {
  /// It takes so many completed trials to say whether a search still improves.
  static let leastForProgress = 12

  /// - Parameter target: the metric's value that is aimed at, or the best there is.
  public func progress(objective: Int = 0, target: Double? = nil) -> SearchProgress {
    let feasible = finished.filter(\.isFeasible)
    let count = feasible.count
    let losses = feasible.map { $0.losses[objective] }
    var progress = SearchProgress(
      trials: count, sinceBest: 0, lateGain: 0, chance: 0, statements: [])
    let wording = MetricWording(objectives[objective])
    guard let place = losses.indices.min(by: { losses[$0] < losses[$1] }) else {
      progress.statements = [
        ended.isEmpty
          ? "No trial has ended yet."
          : "None of \(Self.trials(ended.count)) that ended is complete and meets every constraint."
      ]
      if let outsideSentence { progress.statements.append(outsideSentence) }
      return progress
    }
    let best = losses[place]
    progress.best = value(best, objective)
    progress.bestTrial = feasible[place].trial
    progress.sinceBest = count - 1 - place
    let early = losses.prefix(max(count - count / 4, 1)).min() ?? best
    let gain = losses[0] - best
    progress.lateGain = gain > 0 ? (early - best) / gain : 0
    let ahead = max(count / 10, 1)
    progress.chance = Double(ahead) / Double(count + ahead)
    progress.statements = [
      "The best \(wording.name) of \(Self.trials(count)) is \(wording.text(best)), by trial \(feasible[place].trial)."
    ]
    if let target {
      let aim = objectives[objective].goal == .maximize ? -target : target
      progress.regret = max(best - aim, 0)
      progress.statements.append(
        best <= aim
          ? "The target, \(MetricWording.plain(target)), is reached."
          : "It is \(MetricWording.plain(best - aim)) away from the target, \(MetricWording.plain(target)).")
    }
    progress.statements.append(Self.outlook(progress, gain: gain, early: early, best: best, ahead: ahead))
    if let outsideSentence { progress.statements.append(outsideSentence) }
    return progress
  }

  /// What trials that do not lie in the space count for; nil: there are none.
  public var outsideSentence: String? {
    guard outside > 0 else { return nil }
    let lie = outside == 1 ? "1 trial lies" : "\(outside) trials lie"
    let they = outside == 1 ? "it counts" : "they count"
    return
      "\(lie) outside the space of the sweep's present file: \(they) in all but what is said of parameters."
  }

  private static func outlook(
    _ progress: SearchProgress, gain: Double, early: Double, best: Double, ahead: Int
  ) -> String {
    let count = progress.trials
    guard count >= leastForProgress else {
      return
        "It is too early to say whether the search still improves: that takes \(leastForProgress) trials."
    }
    let next = ahead == 1 ? "the next trial" : "one of the next \(trials(ahead))"
    let chance = "At random \(next) would be better with a chance of \(percent(progress.chance))."
    guard progress.lateGain > 0 else {
      return
        "It no longer improves: \(trials(progress.sinceBest)) of \(count) have brought nothing better. \(chance)"
    }
    let part = percent(progress.lateGain)
    if progress.lateGain < 0.01 {
      return
        "It hardly improves: the last quarter of the trials brought \(part) of all that was gained. \(chance)"
    }
    return
      "It still improves: the last quarter of the trials brought \(part) of all that was gained, the last time "
      + (progress.sinceBest == 0 ? "with the newest trial." : "\(trials(progress.sinceBest)) ago.")
  }

  static func trials(_ count: Int) -> String { count == 1 ? "1 trial" : "\(count) trials" }

  /// A share in percent; what is above 0 is never called 0.
  public static func percent(_ share: Double) -> String {
    let percent = (share * 100).rounded()
    return share > 0 && percent < 1 ? "less than 1 %" : "\(Int(percent)) %"
  }
}
