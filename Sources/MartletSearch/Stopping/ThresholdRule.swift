// Limits: a trial whose first objective leaves them, or is no number, ends.

import HashTreeCollections
import MartletModel

/// Stops a trial whose first objective is above or below a limit, or not a number.
///
/// A trial that was never within the limits is stopped even when no other one is better: the limits say what is worth
/// nothing.
struct ThresholdRule: StoppingRule {
  /// In units of the metric.
  let limits: ClosedRange<Double>
  /// Before this step a value outside of the limits is let pass; what is no number never is.
  let firstStep: Int64
  let wording: MetricWording
  private var seen: TreeDictionary<Int, Bool> = [:]

  init(limits: ClosedRange<Double>, firstStep: Int64, wording: MetricWording) {
    (self.limits, self.firstStep, self.wording) = (limits, firstStep, wording)
  }

  mutating func report(_ report: StoppingReport) -> StoppingDecision {
    let value = wording.value(report.losses[0])
    let isWithin = report.losses[0].isFinite && limits.contains(value)
    seen[report.trial] = isWithin || seen[report.trial] == true
    guard report.losses[0].isFinite else {
      return .stop("Its \(wording.name) at step \(report.step) is not a number.")
    }
    guard !isWithin, report.step >= firstStep else { return .goOn }
    let side =
      value > limits.upperBound
      ? "above \(MetricWording.plain(limits.upperBound))" : "below \(MetricWording.plain(limits.lowerBound))"
    return .stop(
      "Its \(wording.name) at step \(report.step), \(wording.text(report.losses[0])), is \(side).")
  }

  mutating func settle(trial: Int, as state: TrialState) {}

  func maySacrifice(trial: Int) -> Bool { seen[trial] != true }

  func memory(of trial: Int) -> JSONValue? { seen[trial].map(JSONValue.bool) }

  mutating func restore(trial: Int, _ memory: JSONValue) throws(SearchError) {
    guard let isWithin = memory.bool else { throw unusable(trial: trial) }
    seen[trial] = isWithin
  }
}
