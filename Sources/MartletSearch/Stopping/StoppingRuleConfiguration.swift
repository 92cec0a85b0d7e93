// Which early-stopping rule a sweep has, and its numbers.

import MartletModel

/// An early-stopping rule with its settings, as a sweep file's `early_terminate` gives them.
public enum StoppingRuleConfiguration: Hashable, Sendable {
  /// `median` (percentile 50) and `percentile`.
  case percentile(Percentile)
  case patience(Patience)
  case threshold(Threshold)
  /// `asha` and `hyperband`.
  case halving(Halving)
  /// A list of rules: the first that stops a trial is heard.
  case combined([StoppingRuleConfiguration])

  public struct Percentile: Hashable, Sendable {
    /// In percent, 0 to 100: what is worse than this share of completed trials ends.
    public var percentile = 50.0
    /// How many completed trials it takes, 1 or more.
    public var startupTrials = 5
    /// No trial is judged before this step.
    public var minIter: Int64 = 0
    /// A trial is judged once in so many steps, 1 or more.
    public var interval: Int64 = 1

    public init() {}
  }

  public struct Patience: Hashable, Sendable {
    /// How many reports without a better one end a trial, 1 or more.
    public var patience: Int
    /// By how much the metric must change for the better, 0 or more.
    public var minDelta = 0.0
    /// No trial is stopped before this step.
    public var minIter: Int64 = 0

    public init(patience: Int) { self.patience = patience }
  }

  public struct Threshold: Hashable, Sendable {
    /// In units of the metric.
    public var lower = -Double.infinity
    public var upper = Double.infinity
    /// Before this step only what is no number ends a trial.
    public var minIter: Int64 = 0

    public init() {}
  }

  public struct Halving: Hashable, Sendable {
    /// The steps at which trials are judged.
    var rungs: Rungs
    /// The best 1/eta go on.
    public var eta: Double
    /// The others pause, and may be resumed, instead of being stopped.
    public var isPausing = false
    /// ⌊n/eta⌋ pass and not one more.
    public var isStrict = true
    /// A trial is judged again at every report.
    public var isRejudging = false
    /// How many brackets trials are spread over, 1 or more.
    public var brackets = 1

    /// The steps at which trials are judged, ascending.
    public var steps: [Int64] { rungs.steps }
  }

  /// The rule at its beginning.
  func rule(objectives: [Objective], seed: UInt64) -> any StoppingRule {
    let wordings = objectives.isEmpty ? [MetricWording.loss] : objectives.map(MetricWording.init)
    switch self {
    case .percentile(let own):
      return PercentileRule(
        percentile: own.percentile, startupTrials: own.startupTrials, firstStep: own.minIter,
        interval: own.interval, wording: wordings[0])
    case .patience(let own):
      return PatienceRule(
        patience: own.patience, leastGain: own.minDelta, firstStep: own.minIter, wordings: wordings)
    case .threshold(let own):
      return ThresholdRule(limits: own.lower...own.upper, firstStep: own.minIter, wording: wordings[0])
    case .halving(let own):
      return HalvingRule(
        rungs: own.rungs, eta: own.eta, manner: own.isPausing ? .pause : .stop, isStrict: own.isStrict,
        isRejudging: own.isRejudging, brackets: Brackets(count: own.brackets, eta: own.eta, seed: seed),
        wording: wordings[0])
    case .combined(let rules):
      return CombinedRule(rules.map { $0.rule(objectives: objectives, seed: seed) })
    }
  }

  /// Whether trials may be paused and resumed, for which their programs must go on from a checkpoint.
  public var isPausing: Bool {
    switch self {
    case .halving(let own): own.isPausing
    case .combined(let rules): rules.contains(where: \.isPausing)
    case .percentile, .patience, .threshold: false
    }
  }
}
