// Charts of an analysis in the terminal: those along trials and along one parameter.

import Foundation
import MartletModel
import OrderedCollections

/// Charts of an answer as lines of text.
struct ChartText {
  static let height = 16

  let answer: AnalysisAnswer
  let width: Int

  init(_ answer: AnalysisAnswer, width: Int) { (self.answer, self.width) = (answer, width) }

  var metric: String { Terminal.plain(answer.metric) }

  /// A chart with its title; where there is none, why.
  func lines(_ chart: AnalysisChart) -> [String] {
    let drawn =
      switch chart {
      case .history: history(height: Self.height)
      case .edf: distribution
      case .slices: slices
      case .contour: contour
      case .rank: ranks
      case .parallel: parallel
      case .pareto: front
      case .hypervolume: hypervolume
      case .timeline: timeline
      case .trials: trials
      }
    let note = answer.note(chart)
    let isLeftOut = answer.leftOut.contains("charts.\(chart.rawValue)")
    let reason = note ?? (drawn.isEmpty ? isLeftOut ? Self.leftOut(chart) : Self.nothing(chart) : nil)
    return drawn + (reason.map { TextPlot.broken($0, width: width) } ?? [])
  }

  func titled(_ title: String) -> [String] { TextPlot.broken(title, width: width) }

  private static func leftOut(_ chart: AnalysisChart) -> String {
    "The chart \(chart.rawValue) is left out: it would take too long, or be too large, for so many trials."
  }

  private static func nothing(_ chart: AnalysisChart) -> String {
    switch chart {
    case .timeline: "No trial has started yet."
    case .trials: "No trial has ended yet."
    case .history, .edf, .slices, .contour, .rank, .parallel, .pareto, .hypervolume:
      "There is nothing to draw for \(chart.rawValue) yet: no trial has come to its end with a value."
    }
  }

  /// The metric of complete trials that meet every constraint, and the best so far.
  func history(height: Int) -> [String] {
    guard let chart = answer.chart(.history) else { return [] }
    let (numbers, metrics, bests) = (chart.integers("trials"), chart.numbers("metric"), chart.numbers("best"))
    let (states, feasible) = (chart.texts("states"), chart.flags("feasible"))
    let shown = numbers.indices.filter { states[$0] == TrialState.complete.rawValue && feasible[$0] }
    var steps: [(Double, Double)] = []
    for place in shown where !bests[place].isNaN && steps.last?.1 != bests[place] {
      steps.append((Double(numbers[place]), bests[place]))
    }
    let plot = TextPlot.scatter(
      shown.map { TextPlot.Dot(x: Double(numbers[$0]), y: metrics[$0]) }, steps: steps, width: width,
      height: height)
    return plot.isEmpty ? [] : titled("\(metric) by trial; the line is the best so far") + plot
  }

  private var distribution: [String] {
    guard let chart = answer.chart(.edf) else { return [] }
    let steps = zip(chart.numbers("metric"), chart.numbers("share")).map { ($0, $1) }.sorted { $0.0 < $1.0 }
    let plot = TextPlot.scatter([], steps: steps, width: width, height: Self.height)
    return plot.isEmpty
      ? [] : titled("share of complete trials that is at least as good, by \(metric)") + plot
  }

  private var hypervolume: [String] {
    guard let chart = answer.chart(.hypervolume) else { return [] }
    let steps = zip(chart.integers("trials"), chart.numbers("volumes")).map { (Double($0), $1) }
    let last = answer.chart(.history)?.integers("trials").last.map(Double.init)
    let dots = last.flatMap { end in steps.last.map { [TextPlot.Dot(x: end, y: $0.1)] } } ?? []
    let plot = TextPlot.scatter(dots, steps: steps, width: width, height: Self.height)
    return plot.isEmpty
      ? [] : titled("hypervolume behind the front by trial, as a share of what there could be") + plot
  }

  // MARK: - Slices

  private var slices: [String] {
    let charts = answer.chart(.slices)?.array ?? []
    let drawn = charts.map { $0["axis"]?["kind"]?.string == "category" ? categories($0) : line($0) }
    return Array(drawn.filter { !$0.isEmpty }.joined(separator: [""]))
  }

  /// The metric over a parameter of numbers.
  private func line(_ chart: JSONValue) -> [String] {
    let axis = ChartAxis(chart["axis"], grid: [])
    let (values, metrics) = (chart.numbers("values"), chart.numbers("metric"))
    let means = zip(chart["mean"]?.numbers("values") ?? [], chart["mean"]?.numbers("metric") ?? []).map {
      ($0, $1)
    }
    let all = (values + means.map(\.0)).filter { !$0.isNaN }
    guard let low = all.min(), let high = all.max() else { return [] }
    let isLogarithmic = axis.isLogarithmic && low > 0
    func place(_ value: Double) -> Double { isLogarithmic ? value.logarithm : value }
    let plot = TextPlot.scatter(
      zip(values, metrics).map { TextPlot.Dot(x: place($0), y: $1) },
      steps: means.map { (place($0.0), $0.1) }, width: width, height: 10,
      ends: (TextPlot.number(low), TextPlot.number(high)))
    guard !plot.isEmpty else { return [] }
    let mean = means.isEmpty ? "" : "; the line is the mean over all other parameters"
    return titled("\(metric) over \(Terminal.plain(isLogarithmic ? axis.title : axis.name))\(mean)") + plot
  }

  /// The same of a parameter of a few values, as a table.
  private func categories(_ chart: JSONValue) -> [String] {
    let name = Terminal.plain(chart["axis"]?["name"]?.string ?? "")
    let feasible = chart.flags("feasible")
    let rows = zip(chart.values("values"), zip(chart.numbers("metric"), feasible)).map { ($0, $1.0, $1.1) }
    let means = zip(chart["mean"]?.values("values") ?? [], chart["mean"]?.numbers("metric") ?? []).map {
      ($0, $1)
    }
    let values = chart["axis"]?.values("values") ?? []
    return TextPlot.table(
      [name, "trials", "best \(metric)", "mean over others"],
      values.map { value in
        let own = rows.filter { Words.value($0.0) == Words.value(value) }
        let good = own.filter(\.2).map(\.1)
        let best = answer.isMaximized ? good.max() : good.min()
        let mean = means.first { Words.value($0.0) == Words.value(value) }?.1
        return [
          Terminal.plain(Words.value(value)), String(own.count), best.map(TextPlot.number) ?? "",
          mean.map(TextPlot.number) ?? "",
        ]
      })
  }
}
