// Losses as people know them: by the name and the sign of the metric.

import Foundation
import MartletModel

/// Says a loss as the metric it was made of.
struct MetricWording: Hashable, Sendable {
  let name: String
  let isMaximized: Bool

  init(_ objective: Objective) {
    name = objective.metric
    isMaximized = objective.goal == .maximize
  }

  /// Where nobody named the objective.
  static let loss = MetricWording(Objective(metric: "loss", goal: .minimize))

  /// The metric's value.
  func value(_ loss: Double) -> Double { isMaximized ? -loss : loss }

  /// The metric's value in four digits.
  func text(_ loss: Double) -> String { loss.isFinite ? Self.plain(value(loss)) : "no number" }

  /// A number in four digits.
  static func plain(_ value: Double) -> String { String(format: "%.4g", value) }

  var better: String { isMaximized ? "higher" : "lower" }
}
