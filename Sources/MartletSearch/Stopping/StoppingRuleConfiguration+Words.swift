// Early-stopping rules in words for people.

public import MartletModel

extension StoppingRuleConfiguration {
  /// Rungs that are named; those behind them follow by the factor.
  private static let namedRungs = 6

  /// What each rule does, a sentence or two; one a rule.
  ///
  /// - Parameter objectives: what trials are judged by, in order.
  public func sentences(_ objectives: [Objective]) -> [String] {
    let wordings = objectives.isEmpty ? [MetricWording.loss] : objectives.map(MetricWording.init)
    switch self {
    case .percentile(let own): return [own.sentence(wordings[0])]
    case .patience(let own): return [own.sentence(wordings)]
    case .threshold(let own): return [own.sentence(wordings[0])]
    case .halving(let own): return [own.sentence(wordings)]
    case .combined(let rules): return rules.flatMap { $0.sentences(objectives) }
    }
  }

  /// The steps at which trials are compared with each other, ascending; empty: by no rule they are at certain steps.
  public var rungs: [Int64] {
    switch self {
    case .halving(let own): own.steps
    case .combined(let rules): Array(Set(rules.flatMap(\.rungs))).sorted()
    case .percentile, .patience, .threshold: []
    }
  }

  fileprivate static func named(_ rungs: [Int64]) -> String {
    let first = rungs.prefix(namedRungs).map(String.init)
    if rungs.count > namedRungs { return "steps \(first.joined(separator: ", ")) and so on" }
    guard let last = first.last, first.count > 1 else { return "step \(first.joined())" }
    return "steps \(first.dropLast().joined(separator: ", ")) and \(last)"
  }

  fileprivate static func from(_ step: Int64) -> String { step > 0 ? "From step \(step) on, a" : "A" }
}

extension StoppingRuleConfiguration.Percentile {
  fileprivate func sentence(_ wording: MetricWording) -> String {
    let bound = percentile == 50 ? "the median" : "percentile \(MetricWording.plain(percentile))"
    let often = interval > 1 ? ", looked at once in \(interval) steps," : ""
    return
      "\(StoppingRuleConfiguration.from(minIter)) trial\(often) ends when its best \(wording.name) so far is "
      + "worse than \(bound) of what completed trials had at that step, once \(startupTrials) of them came so far."
  }
}

extension StoppingRuleConfiguration.Patience {
  fileprivate func sentence(_ wordings: [MetricWording]) -> String {
    let names = wordings.map(\.name).joined(separator: " and ")
    let least = minDelta > 0 ? " by more than \(MetricWording.plain(minDelta))" : ""
    let reports = patience == 1 ? "in one report" : "in \(patience) reports"
    return "\(StoppingRuleConfiguration.from(minIter)) trial ends when its \(names) became no better\(least) "
      + "\(reports)."
  }
}

extension StoppingRuleConfiguration.Threshold {
  fileprivate func sentence(_ wording: MetricWording) -> String {
    let upper = upper.isFinite ? "above \(MetricWording.plain(upper))" : nil
    let lower = lower.isFinite ? "below \(MetricWording.plain(lower))" : nil
    let sides = [lower, upper].compactMap(\.self).joined(separator: " or ")
    let number = "A trial ends when its \(wording.name) is not a number"
    guard !sides.isEmpty else { return number + "." }
    return "\(number)\(minIter > 0 ? ", and from step \(minIter) on" : ", or") when it is \(sides)."
  }
}

extension StoppingRuleConfiguration.Halving {
  fileprivate func sentence(_ wordings: [MetricWording]) -> String {
    guard !steps.isEmpty else { return "No step lies between the first and the last: no trial is compared." }
    let place = StoppingRuleConfiguration.named(steps)
    let share = "the best 1/\(MetricWording.plain(eta))"
    let names = wordings.map(\.name).joined(separator: " and ")
    let judged = wordings.count == 1 ? "by \(names)" : "by fronts of \(names)"
    let more = isPausing || isStrict ? "" : " and one more"
    let fate =
      isPausing
      ? "the others stand still, and go on when they belong to the best" : "the others end"
    let again = isRejudging ? " Those that went on are judged again at each report." : ""
    let spread =
      brackets > 1
      ? " Trials are spread over \(brackets) brackets, each of which is first judged at a later step." : ""
    return "At \(place) \(share)\(more) of the trials that came so far, \(judged), go on; \(fate).\(again)"
      + spread
  }
}
