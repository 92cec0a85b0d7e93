// `martlet sweep analyze`: what the trials of a sweep showed.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

struct SweepAnalyze: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze",
    abstract: "Show what matters in a sweep: importance of parameters, progress, fronts, charts.",
    discussion: """
      Without --chart it is a page: how the search goes, what matters, the front. The charts are history, edf, \
      slices, contour, rank, parallel, pareto, hypervolume, timeline and trials. --format json has all of them, or \
      those that are named; --format csv is a row for each trial that ended.

      Examples:
        martlet sweep analyze digits
        martlet sweep analyze digits --chart contour --x lr --y width
        martlet sweep analyze digits --objective latency --chart history --chart edf
        martlet sweep analyze digits --format json > analysis.json
        martlet sweep analyze digits --format csv > trials.csv
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @Option(
    name: .long,
    help: ArgumentHelp(
      "What it is about: an objective's metric, or its place from 0. (default: the first)", valueName: "name")
  )
  var objective: String?

  @Option(name: .long, help: ArgumentHelp("Draw this; may be given several times.", valueName: "name"))
  var chart: [String] = []

  @Option(
    name: .long,
    help: ArgumentHelp(
      "The parameter across of contour and rank. (default: one that matters most)", valueName: "parameter"))
  var x: String?

  @Option(name: .long, help: ArgumentHelp("The parameter up of contour and rank.", valueName: "parameter"))
  var y: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    if chart.contains(where: \.isEmpty) { throw ValidationError("--chart needs a name.") }
    guard format.format == .csv else { return }
    if !chart.isEmpty || x != nil || y != nil {
      throw ValidationError(
        "--format csv is a row for each trial: --chart, --x and --y are for tables and JSON.")
    }
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    var query = [("charts", charts.joined(separator: ","))]
    for (key, value) in [("objective", objective), ("x", x), ("y", y)] {
      if let value { query.append((key, value)) }
    }
    let answer = AnalysisAnswer(
      json: try await client.send(.get, "/sweeps/\(found.id)/analysis", query: query))
    switch format.format {
    case .json: try Terminal.say(answer.json.text)
    case .csv:
      guard let table = TrialRows(answer) else {
        throw Failure(.failed, "Sweep \(found.id) has too many trials for one table.")
      }
      try Terminal.write(table.csv, to: STDOUT_FILENO)
    case .table:
      for line in lines(of: answer) { try Terminal.say(Terminal.plain(line)) }
    }
  }

  /// What is asked of the server.
  private var charts: [String] {
    switch format.format {
    case .csv: [AnalysisChart.trials.rawValue]
    case .json: chart.isEmpty ? AnalysisChart.allCases.map(\.rawValue) : chart
    // The volume is drawn up to the last trial of the history.
    case .table:
      chart.isEmpty
        ? SweepReport.charts.map(\.rawValue)
        : chart + (chart.contains(AnalysisChart.hypervolume.rawValue) ? [AnalysisChart.history.rawValue] : [])
    }
  }

  private func lines(of answer: AnalysisAnswer) -> [String] {
    let width = min(max(Terminal.outputWidth ?? 100, 40), 140)
    guard !chart.isEmpty else { return SweepReport(answer: answer).lines(width: width) }
    // The server has refused names that it does not know.
    let named = OrderedSet(
      chart.flatMap { $0.split(separator: ",") }.compactMap { AnalysisChart(rawValue: String($0)) })
    return Array(named.map { ChartText(answer, width: width).lines($0) }.joined(separator: [""]))
  }
}
