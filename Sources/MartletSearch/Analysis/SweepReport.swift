// What a sweep taught, as a page of text.

public import MartletModel
import OrderedCollections

/// The findings of a sweep: sentences, importances, the history of the best, and with several objectives the front.
public struct SweepReport: Sendable {
  private let analysis: SweepAnalysis
  private let objective: Int
  public let progress: SearchProgress
  /// The one that explains most first; empty when there is too little to learn from.
  public let importances: [ParameterImportance]
  /// The strongest first.
  public let interactions: [ParameterInteraction]
  private let history: OptimizationHistory
  private let front: ParetoChart?
  private let volume: HypervolumeHistory?

  /// - Parameters:
  ///   - objective: whose importances and history are shown, by its place.
  ///   - target: the metric's value that is aimed at.
  public init(_ analysis: SweepAnalysis, objective: Int = 0, target: Double? = nil) {
    (self.analysis, self.objective) = (analysis, objective)
    progress = analysis.progress(objective: objective, target: target)
    let model = analysis.response(objective: objective)
    importances = model.map { analysis.importances($0, objective: objective) } ?? []
    interactions = model.map { analysis.interactions($0) } ?? []
    history = analysis.optimizationHistory(objective: objective)
    let hasSeveral = analysis.objectives.count > 1
    front = hasSeveral ? analysis.pareto() : nil
    volume = hasSeveral ? analysis.hypervolumeHistory() : nil
  }

  public var json: JSONValue {
    var members: JSONObject = [
      "objective": analysis.objectives[objective].json, "progress": progress.json,
      "importances": .array(importances.map(\.json)), "interactions": .array(interactions.map(\.json)),
      "history": history.json,
    ]
    if let front { members["pareto"] = front.json }
    if let volume { members["hypervolume"] = volume.json }
    return .object(members)
  }

  /// The page, no line wider than `width` as long as that is 40 or more and names are short; sentences are broken between
  /// words.
  public func lines(width: Int) -> [String] {
    var sections = [progress.statements.flatMap { Self.broken($0, width: width) }]
    sections.append(historyLines(width))
    sections.append(importanceLines(width))
    sections.append(interactionLines)
    sections.append(frontLines)
    return Array(sections.filter { !$0.isEmpty }.joined(separator: [""]))
  }

  private func historyLines(_ width: Int) -> [String] {
    let measured = history.rows.filter { $0.state == .complete && $0.isFeasible }
    let points = measured.compactMap { row in row.metric.map { (Double(row.trial), $0) } }
    var steps: [(Double, Double)] = []
    for row in measured {
      if let best = row.best, steps.last?.1 != best { steps.append((Double(row.trial), best)) }
    }
    let plot = TextPlot.scatter(points, steps: steps, width: width, height: 10)
    return plot.isEmpty
      ? [] : ["\(analysis.objectives[objective].metric) by trial; the line is the best so far"] + plot
  }

  private func importanceLines(_ width: Int) -> [String] {
    guard !importances.isEmpty else { return [] }
    let table = TextPlot.table(
      ["parameter", "explains", "among the best", "trials"],
      importances.map {
        [
          $0.name, SweepAnalysis.percent($0.variance), SweepAnalysis.percent($0.amongTheBest),
          String($0.trials),
        ]
      })
    let room = width - (table.map(\.count).max() ?? 0) - 2
    let longest = importances.map(\.variance).max() ?? 0
    guard room >= 8, longest > 0 else { return table }
    let wide = table.map(\.count).max() ?? 0
    return table.enumerated().map { place, line in
      guard place > 0 else { return line }
      let bar = TextPlot.bar(importances[place - 1].variance / longest, width: min(room, 40))
      return bar.isEmpty ? line : line + String(repeating: " ", count: wide - line.count + 2) + bar
    }
  }

  private var interactionLines: [String] {
    let strong = interactions.prefix(3).filter { $0.variance >= 0.01 }
    guard !strong.isEmpty else { return [] }
    return TextPlot.table(
      ["together", "explain"],
      strong.map { ["\($0.first) × \($0.second)", SweepAnalysis.percent($0.variance)] })
  }

  private var frontLines: [String] {
    guard let front else { return [] }
    let rows = front.rows.filter(\.isOnFront).sorted { ($0.metrics[0], $0.trial) < ($1.metrics[0], $1.trial) }
    guard !rows.isEmpty else { return [] }
    let table = TextPlot.table(
      ["front: trial"] + front.objectives,
      rows.prefix(20).map { [String($0.trial)] + $0.metrics.map(MetricWording.plain) })
    return rows.count > 20 ? table + ["\(rows.count - 20) more"] : table
  }

  private static func broken(_ sentence: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in sentence.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}
