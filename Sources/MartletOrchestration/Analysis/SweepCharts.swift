// The charts of an analysis that were asked for.

import MartletModel
import MartletSearch
import OrderedCollections

/// Charts by their names, and notes on those that there cannot be.
struct SweepCharts {
  /// What an analysis has found already.
  struct Parts {
    var model: ResponseModel?
    var importances: [ParameterImportance]
    var interactions: [ParameterInteraction]
    var slices: [SliceChart]
    var distribution: DistributionChart
    /// Nil: there is one objective, or too much to compare.
    var pareto: ParetoChart?
    var volume: HypervolumeHistory?
    /// Why there is no model.
    var silence: String?
  }

  private(set) var members: JSONObject = [:]
  private(set) var notes: JSONObject = [:]

  /// - Parameter ended: the trials that ended.
  init(
    of question: SweepFindings.Question, _ analysis: SweepAnalysis, _ ended: [Trial], parts: Parts,
    _ budget: inout AnalysisBudget
  ) {
    let objective = question.objective
    let asked = AnalysisChart.allCases.filter(question.charts.contains)
    let isLarge =
      analysis.ended.count * max(analysis.parameters.count, 1) > budget.mostCells
    let history =
      asked.contains { $0 == .history || $0 == .trials }
      ? analysis.optimizationHistory(objective: objective) : nil
    let pair = asked.contains(where: \.isOfTwoParameters) ? Self.pair(question, analysis, parts) : nil
    // Only the contour needs the surface; both have the same trials.
    let contour = pair.flatMap { pair in
      analysis.contour(
        x: pair.x, y: pair.y, objective: objective,
        model: asked.contains(.contour) && budget.allows("charts.contour") ? parts.model : nil)
    }
    for chart in asked {
      if isLarge, [.slices, .parallel, .trials].contains(chart) {
        budget.leaveOut("charts.\(chart.rawValue)")
        members[chart.rawValue] = .null
        continue
      }
      switch chart {
      case .history: add(chart, history?.json)
      case .edf: add(chart, parts.distribution.json)
      case .slices:
        if parts.slices.count < analysis.parameters.count { budget.leaveOut("charts.slices") }
        add(chart, .array(parts.slices.map(\.json)))
        note(chart, parts.silence)
      case .contour:
        add(chart, contour?.json)
        note(chart, pair == nil ? Self.tooFew(analysis) : parts.silence)
      case .rank:
        add(chart, contour?.ranks)
        note(chart, pair == nil ? Self.tooFew(analysis) : nil)
      case .parallel: add(chart, analysis.parallelCoordinates(objective: objective).json)
      case .pareto:
        add(chart, parts.pareto?.json)
        note(chart, analysis.objectives.count < 2 ? Self.oneObjective : nil)
      case .hypervolume:
        add(chart, parts.volume?.json)
        note(chart, Self.noVolume(analysis))
      case .timeline: break
      case .trials:
        guard let history else { continue }
        add(chart, TrialTable(analysis, history, ended, objective: objective).json)
      }
    }
  }

  private mutating func add(_ chart: AnalysisChart, _ json: JSONValue?) {
    members[chart.rawValue] = json ?? .null
  }

  private mutating func note(_ chart: AnalysisChart, _ sentence: String?) {
    if let sentence { notes[chart.rawValue] = .string(sentence) }
  }

  private static let oneObjective = "The sweep has one objective: there is no front."

  private static func noVolume(_ analysis: SweepAnalysis) -> String? {
    if analysis.objectives.count < 2 { return oneObjective }
    return analysis.finished.contains(where: \.isFeasible)
      ? nil : "No complete trial meets every constraint yet: there is no front."
  }

  private static func tooFew(_ analysis: SweepAnalysis) -> String {
    let count = analysis.parameters.count
    return "It takes two parameters of several values: the sweep searches \(count == 0 ? "none" : "one")."
  }

  /// The two parameters of a chart: those that are named; else the pair that explains most together, then those that
  /// explain most alone, then the first of the file. Nil: there are not two.
  private static func pair(
    _ question: SweepFindings.Question, _ analysis: SweepAnalysis, _ parts: Parts
  ) -> (x: String, y: String)? {
    guard analysis.parameters.count > 1 else { return nil }
    let known = [question.x, question.y].compactMap(\.self)
    let strong = parts.interactions.first { pair in
      pair.variance > 0 && known.allSatisfy { [pair.first, pair.second].contains($0) }
    }
    let order =
      (strong.map { [$0.first, $0.second] } ?? []) + parts.importances.map(\.name) + analysis.parameters
    var free = order.filter { !known.contains($0) }
    func next() -> String? {
      guard let name = free.first else { return nil }
      free.removeAll { $0 == name }
      return name
    }
    guard let x = question.x ?? next(), let y = question.y ?? next() else { return nil }
    return (x, y)
  }
}

extension SweepFindings {
  /// When the trials ran.
  static func timeline(_ trials: [Trial], now: Double) -> SweepTimeline {
    SweepTimeline(
      trials.compactMap { trial in
        guard let start = trial.startedAt else { return nil }
        return SweepTimeline.Span(
          trial: trial.number, start: Double(start.microseconds) / 1e6,
          end: trial.endedAt.map { Double($0.microseconds) / 1e6 }, state: trial.state)
      }, now: now)
  }

  /// An answer with a timeline among its charts.
  static func adding(_ timeline: SweepTimeline, to answer: [UInt8]) throws -> [UInt8] {
    guard case .object(var members) = try JSONValue.parse(answer) else { return answer }
    members["charts"] = (members["charts"] ?? [:]).merging([AnalysisChart.timeline.rawValue: timeline.json])
    return JSONValue.object(members).bytes()
  }
}
