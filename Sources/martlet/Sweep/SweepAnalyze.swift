// `martlet sweep analyze`: what the trials of a sweep showed.

import ArgumentParser
import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

struct SweepAnalyze: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze",
    abstract: "Show what matters in a sweep: importance of parameters, progress, fronts.",
    discussion: """
      Examples:
        martlet sweep analyze digits
        martlet sweep analyze digits --format json > analysis.json
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    let trials = try await client.send(.get, "/sweeps/\(found.id)/trials")["items"]?.array ?? []
    let specification: SweepSpecification
    do {
      specification = try SweepSpecification.read(
        source: found["source"]?.string ?? "", command: ["true"])
    } catch {
      throw Failure(
        .wrongInput, "The file of sweep \(found.id) cannot be read any more: \(error.first.message)")
    }
    guard !specification.objectives.isEmpty else {
      throw Failure(.wrongInput, "Sweep \(found.id) looks for nothing: its file names no metric.")
    }
    var search = try specification.search(seed: 0)
    try search.restore(
      .null, trials: trials.map { Self.record($0, in: specification.space) },
      objectives: specification.objectives)
    let report = SweepReport(
      SweepAnalysis(search.history, objectives: specification.objectives), target: specification.targets.first ?? nil)
    switch format.format {
    case .json: try Terminal.say(report.json.text)
    case .table, .csv:
      for line in report.lines(width: 100) { try Terminal.say(Terminal.plain(line)) }
    }
  }

  /// A trial as the API shows it.
  private static func record(_ trial: JSONValue, in space: Space) -> SweepMachine.TrialRecord {
    let parameters = trial["params"] ?? [:]
    return SweepMachine.TrialRecord(
      point: space.point(flat: parameters) ?? Point(values: parameters.object ?? [:]),
      state: trial["state"]?.string.flatMap(TrialState.init(rawValue:)) ?? .failed,
      objective: trial["objective"]?.double,
      measured: Measured(
        others: trial["other_objectives"]?.array?.map { $0.double ?? .nan } ?? [],
        violations: trial["violations"]?.array?.map { $0.double ?? .nan } ?? []))
  }
}
