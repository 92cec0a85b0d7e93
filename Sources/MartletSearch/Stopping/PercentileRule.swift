// The median rule and its relatives: worse than most finished trials were at the same step.

import HashTreeCollections
import MartletModel

/// Stops a trial whose best loss so far is worse than a percentile of the best losses that completed trials had at the
/// same step.
///
/// Golovin et al., "Google Vizier: A Service for Black-Box Optimization" (2017), section 3.3, with best values for
/// running means. Only trials that were trained to their end count: were those that ran or were stopped compared with,
/// too, each step would halve who is left.
struct PercentileRule: StoppingRule {
  /// The share of trials whose company is good enough, in percent: 50 is the median.
  let percentile: Double
  /// How many completed trials that reached the step it takes to judge one, 1 or more.
  let startupTrials: Int
  /// No trial is judged before this step.
  let firstStep: Int64
  /// A trial is judged at the first report in each span of so many steps, 1 or more.
  let interval: Int64
  let wording: MetricWording
  private var trials: TreeDictionary<Int, Memory> = [:]
  /// Those of completed trials.
  private var completed = Pages<BestCurve>()

  private struct Memory: Hashable, Sendable {
    var curve: BestCurve
    /// The last span in which it was judged.
    var span: Int64 = -1
    var isComplete = false
  }

  init(
    percentile: Double, startupTrials: Int, firstStep: Int64, interval: Int64, wording: MetricWording
  ) {
    (self.percentile, self.startupTrials, self.firstStep) = (percentile, startupTrials, firstStep)
    (self.interval, self.wording) = (interval, wording)
  }

  mutating func report(_ report: StoppingReport) -> StoppingDecision {
    var memory = trials[report.trial] ?? Memory(curve: BestCurve(reach: report.step))
    defer { trials[report.trial] = memory }
    memory.curve.record(report.losses[0], at: report.step)
    guard report.step >= firstStep else { return .goOn }
    let span = (report.step - firstStep) / interval
    guard span > memory.span else { return .goOn }
    memory.span = span
    let others = completed.filter { $0.reach >= report.step }.map { $0.best(at: report.step) }
    guard others.count >= startupTrials else { return .goOn }
    let bound = Self.quantile(percentile / 100, of: others)
    let own = memory.curve.best
    guard own > bound || !own.isFinite else { return .goOn }
    let name = percentile == 50 ? "the median" : "percentile \(MetricWording.plain(percentile))"
    return .stop(
      "Its best \(wording.name) up to step \(report.step), \(wording.text(own)), is worse than \(name) of "
        + "\(others.count) completed trials there (\(wording.text(bound))).")
  }

  mutating func settle(trial: Int, as state: TrialState) {
    guard state == .complete, let memory = trials[trial], !memory.isComplete else { return }
    trials[trial]?.isComplete = true
    completed.append(memory.curve)
  }

  /// The quantile with the share `share` below it, between two values in proportion (Hyndman, Fan, "Sample Quantiles in
  /// Statistical Packages", 1996, definition 7). Infinite where a neighbour is.
  static func quantile(_ share: Double, of values: [Double]) -> Double {
    let sorted = values.sorted()
    guard let last = sorted.last else { return .infinity }
    let place = share * Double(sorted.count - 1)
    let low = Int(place)
    guard low + 1 < sorted.count else { return last }
    let rest = place - Double(low)
    return rest == 0 ? sorted[low] : sorted[low] * (1 - rest) + sorted[low + 1] * rest
  }

  func memory(of trial: Int) -> JSONValue? {
    trials[trial].map { ["curve": $0.curve.json, "span": .int($0.span)] }
  }

  mutating func restore(trial: Int, _ memory: JSONValue) throws(SearchError) {
    guard let curve = memory["curve"].flatMap(BestCurve.init), let span = memory["span"]?.int else {
      throw unusable(trial: trial)
    }
    trials[trial] = Memory(curve: curve, span: span)
  }
}
