// What looks wrong in the losses of a trial: they rose, were no numbers, exploded, or parted.

import Foundation
package import MartletModel

/// Looks at a trial that has ended, and says in sentences what a person should look at.
package struct LossCheck: Sendable {
  /// More than this is taken for a loss that exploded.
  package static let explosion = 10.0
  /// The part of its best value by which a validation loss must have risen before that means something.
  private static let rise = 0.05

  private let metrics: [MetricSummary]
  private let objective: Objective?

  package init(metrics: [MetricSummary], objective: Objective?) {
    self.metrics = metrics
    self.objective = objective
  }

  // MARK: - Which metrics

  private static func isLoss(_ name: String) -> Bool {
    let name = name.lowercased()
    return ["loss", "nll", "cross_entropy", "crossentropy"].contains { name.contains($0) }
  }

  private static func isValidation(_ name: String) -> Bool {
    let words = name.lowercased().split { !$0.isLetter }
    return words.contains { ["val", "valid", "validation", "eval", "test", "dev"].contains($0) }
  }

  /// The loss on data that was not trained on: what the sweep looks for, if that is one.
  package var validationLoss: MetricSummary? {
    let losses = metrics.filter { Self.isLoss($0.name) }
    if let objective, objective.goal == .minimize,
      let own = metrics.first(where: { $0.name == objective.metric }),
      Self.isLoss(own.name) || !losses.contains(where: { Self.isValidation($0.name) })
    {
      return own
    }
    return losses.first { Self.isValidation($0.name) }
  }

  /// The loss that is trained on.
  package var trainingLoss: MetricSummary? {
    let validation = validationLoss?.name
    let losses = metrics.filter {
      Self.isLoss($0.name) && !Self.isValidation($0.name) && $0.name != validation
    }
    return losses.first { $0.name.lowercased().contains("train") } ?? losses.first { $0.name == "loss" }
      ?? losses.first
  }

  /// Names of the metrics whose series the check looks at.
  package var names: [String] {
    [trainingLoss?.name, validationLoss?.name, objective?.metric].compactMap(\.self)
  }

  // MARK: - What is wrong

  /// - Parameters:
  ///   - series: of the metrics in `names`, or of more; those that are not there are judged by their summaries alone.
  ///   - wasPruned: its sweep ended it early.
  package func findings(in series: [Series], wasPruned: Bool = false) -> TrialFindings {
    let (training, validation) = (trainingLoss, validationLoss)
    var issues: [String] = []
    for loss in [training, validation].compactMap(\.self) {
      issues += self.issues(of: loss, Line(series.first { $0.key == loss.name }))
    }
    if let training, let validation,
      let parting = parting(
        training, Line(series.first { $0.key == training.name }), validation,
        Line(series.first { $0.key == validation.name }))
    {
      issues.append(parting)
    }
    let shown = objective.flatMap { objective in metrics.first { $0.name == objective.metric } } ?? validation
    let isMaximized = objective?.goal == .maximize && shown?.name == objective?.metric
    let early = last("early_stopped").map { $0 != 0 && !$0.isNaN } ?? false
    return TrialFindings(
      issues: issues, training: training.map { curve(of: $0, series, isMaximized: false) },
      validation: shown.map { curve(of: $0, series, isMaximized: isMaximized) },
      epochs: last("epochs_trained").flatMap { Int(exactly: $0.rounded()) } ?? shown.map { Int($0.count) },
      isEarlyStopped: wasPruned || early)
  }

  private func last(_ name: String) -> Double? { metrics.first { $0.name == name }?.last }

  private func curve(
    of metric: MetricSummary, _ series: [Series], isMaximized: Bool
  ) -> TrialFindings.Curve {
    let line = Line(series.first { $0.key == metric.name })
    return TrialFindings.Curve(
      name: metric.name, first: line.values.first ?? metric.last, final: metric.last,
      best: isMaximized ? metric.max : metric.min, count: Int(metric.count))
  }

  private func issues(of loss: MetricSummary, _ line: Line) -> [String] {
    var issues: [String] = []
    if loss.nanCount > 0 {
      issues.append("\(loss.name) was NaN in \(loss.nanCount) of \(loss.count) points.")
    }
    if loss.max?.isInfinite == true || loss.min?.isInfinite == true {
      issues.append("\(loss.name) was infinite.")
    }
    let first = line.values.first { !$0.isNaN }
    if let first, loss.count > 1, loss.last > first, first.isFinite {
      issues.append("\(loss.name) rose from \(Self.text(first)) to \(Self.text(loss.last)).")
    }
    // A loss that begins high and falls below is none that exploded.
    if let most = loss.max, most > Self.explosion, most.isFinite,
      loss.last > Self.explosion || first.map({ most > $0 }) ?? false
    {
      issues.append(
        "\(loss.name) reached \(Self.text(most)), more than \(Self.text(Self.explosion)): it may have exploded."
      )
    }
    return issues
  }

  /// The validation loss rose behind its best value while the training loss went on falling.
  private func parting(
    _ training: MetricSummary, _ trained: Line, _ validation: MetricSummary, _ validated: Line
  ) -> String? {
    guard let best = validation.min, let step = validation.minStep, best.isFinite, validation.last.isFinite,
      validation.last > best + Self.rise * abs(best), validation.lastStep > step,
      let before = trained.value(at: step), training.last.isFinite, before.isFinite, training.last < before,
      training.lastStep > step
    else { return nil }
    return
      "\(validation.name) rose from \(Self.text(best)) at step \(step) to \(Self.text(validation.last)) while "
      + "\(training.name) fell from \(Self.text(before)) to \(Self.text(training.last))."
  }

  private static func text(_ value: Double) -> String { String(format: "%.4g", value) }

  /// A series as steps and values; of a long one the last of each bucket.
  private struct Line {
    var steps: [Int64]
    var values: [Double]

    init(_ series: Series?) {
      steps = series?.steps ?? []
      switch series?.points {
      case .raw(let values)?: self.values = values
      case .buckets(let first, let last, _, _, _, _, _)?:
        values = last
        // Where it began matters more than where its first bucket ended.
        if !first.isEmpty { values[0] = first[0] }
      case nil: values = []
      }
    }

    /// The newest value up to a step.
    func value(at step: Int64) -> Double? {
      var found: Double?
      for (own, value) in zip(steps, values) where own <= step && !value.isNaN { found = value }
      return found
    }
  }
}
