// Bounds that a trial may miss at a price: its objective gets the worse, the further it misses them.

import Foundation
package import MartletModel
import OrderedCollections

/// A constraint with a weight.
///
/// The price of a value that misses its bound by the share v of the bound is weight · exp(v / steepness), as autotuner's
/// scores have it; a trial whose prices add up to P counts as base + |base| · P where the metric is minimised, and as base −
/// |base| · P where it is maximised.
package struct SoftBound: Sendable, Hashable {
  package var bound: OutcomeConstraint
  package var weight: Double
  /// The share of the bound over which the price grows by a factor of e.
  package var steepness: Double
  /// Nothing at the bound itself: weight · (exp(v / steepness) − 1).
  package var isContinuous: Bool

  package init(
    _ bound: OutcomeConstraint, weight: Double = 1, steepness: Double = 0.1, isContinuous: Bool = false
  ) {
    (self.bound, self.weight, self.steepness) = (bound, weight, steepness)
    self.isContinuous = isContinuous
  }

  /// 0 where the bound is met; nil: nothing is known.
  package func price(in summary: MetricSummary?) -> Double? {
    guard let value = bound.value(in: summary) else { return nil }
    let shares = [
      bound.least.map { ($0 - value) / $0.magnitude }, bound.most.map { (value - $0) / $0.magnitude },
    ]
    guard let share = shares.compactMap(\.self).max(), share > 0 else { return 0 }
    // A number however far it is missed.
    let growth = exp(min(share / steepness, 500))
    return weight * (isContinuous ? growth - 1 : growth)
  }

  package var json: JSONValue {
    var members = bound.json.object ?? [:]
    members["weight"] = .double(weight)
    members["steepness"] = .double(steepness)
    members["continuous"] = .bool(isContinuous)
    return .object(members)
  }
}

extension SweepSpecification {
  /// Beyond it a sum of prices would be no number any more.
  private static let highestPrice = 1e300

  /// What a trial counts as whose metric came to `value`.
  ///
  /// - Returns: failure: the name of a metric of which nothing is known.
  package func score(
    _ value: Double, in summary: (String) -> MetricSummary?
  ) -> Result<Double, UnknownPrice> {
    guard !softBounds.isEmpty, value.isFinite else { return .success(value) }
    var price = 0.0
    for soft in softBounds {
      guard let own = soft.price(in: summary(soft.bound.metric)) else {
        return .failure(UnknownPrice(metric: soft.bound.metric))
      }
      price = min(price + own, Self.highestPrice)
    }
    let worse = min(value.magnitude * price, .greatestFiniteMagnitude / 2)
    return .success(objective?.goal == .maximize ? value - worse : value + worse)
  }

  /// A metric with a weight that a trial did not log.
  package struct UnknownPrice: Error, Hashable {
    package var metric: String
  }
}
