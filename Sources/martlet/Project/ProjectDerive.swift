// `martlet project derive`: a metric that is computed from others.

import ArgumentParser
import MartletModel
import OrderedCollections

struct ProjectDerive: AsyncParsableCommand {
  enum Goal: String, ExpressibleByArgument, CaseIterable { case minimize, maximize }

  static let configuration = CommandConfiguration(
    commandName: "derive",
    abstract: "Define a metric that is computed from others, for all runs of a project.",
    discussion: """
      It is a metric like any other: a column, a filter, a chart, a sweep's objective.
      An expression has numbers, metrics, + - * / ^ and functions: abs sqrt exp log
      log10 min max clip ema diff rate cumsum cummin cummax lag last; step, time, and
      numbers of the configuration as config.lr. Spaces stand around - and /, which
      names may hold; other names stand in back-quotes.

      Examples:
        martlet project derive digits gap 'val/loss - train/loss' --goal minimize
        martlet project derive digits smooth 'ema(loss, 0.98)'
        martlet project derive digits cost 'loss + 1e-9 * config.width ^ 2'
      """)

  @Argument(help: "The project's name or id; a name that is new makes a project.")
  var project: String

  @Argument(help: "What it is called.")
  var name: String

  @Argument(help: "How it is computed.")
  var expression: String

  @Option(name: .long, help: "What it tells.")
  var description: String?

  @Option(name: .long, help: "Which way is better: minimize or maximize.")
  var goal: Goal?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let body: JSONValue = [
      "name": .string(name), "expression": .string(expression), "description": JSONValue(description),
      "goal": JSONValue(goal?.rawValue),
    ]
    let metric: JSONValue
    do {
      metric = try await connection.client().send(
        .put, Client.path(ofProject: project, "/derived"), body: body)
    } catch var failure as Failure {
      failure.message += Self.pointer(into: expression, failure.refusal)
      throw failure
    }
    switch format.format {
    case .table:
      try Terminal.say(
        "'\(Terminal.plain(name))' is derived in project '\(Terminal.plain(project))' now, of all its runs.")
    case .json, .csv: try Card(item: metric, fields: ProjectGroup.derivedFields).print(format.format)
    }
    for note in metric["notes"]?.array ?? [] { Terminal.complain("  " + Terminal.plain(Words.value(note))) }
  }

  /// The expression, and below it marks where it is wrong.
  private static func pointer(into expression: String, _ refusal: Problem?) -> String {
    guard let from = refusal?.details["from"]?.int, let to = refusal?.details["to"]?.int,
      from <= to, to <= expression.utf16.count, !expression.contains(where: \.isNewline)
    else { return "" }
    let text = Array(expression.utf16)
    let before = Table.width(of: String(decoding: text[..<Int(from)], as: UTF16.self))
    let length = Table.width(of: String(decoding: text[Int(from)..<Int(to)], as: UTF16.self))
    let marks = String(repeating: " ", count: before) + String(repeating: "^", count: max(1, length))
    return "\n    \(Terminal.plain(expression))\n    \(marks)"
  }
}
