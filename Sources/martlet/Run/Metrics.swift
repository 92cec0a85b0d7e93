// `martlet metrics`: what a run logged and what is derived of it, a line a name, or as a chart.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

struct Metrics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List a run's metrics, or draw them: last, best, lowest, highest, mean.",
    discussion: """
      best follows the metric's goal and is empty without one. Counts are of points;
      NaN counts, and takes no part in the other numbers.

      Examples:
        martlet metrics swift-finch-3
        martlet metrics k2f9a0xy --format csv > metrics.csv
        martlet metrics swift-finch-3 val/loss train/loss --plot --log
        martlet metrics swift-finch-3 loss --follow
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Argument(help: "Only these metrics; derived ones too.")
  var keys: [String] = []

  @Option(name: .long, help: "Only those whose name holds this.")
  var search: String?

  @Flag(name: .long, help: "Draw them over their steps.")
  var plot = false

  @OptionGroup(title: "Chart") var chart: ChartOptions
  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    if plot || chart.follow {
      if keys.isEmpty {
        throw ValidationError("Name the metrics to draw: martlet metrics \(run) loss --plot")
      }
      if format.format != .table {
        throw ValidationError("A chart has no --format; martlet run history gives the numbers.")
      }
      if search != nil { throw ValidationError("--search narrows a list, not a chart.") }
    } else if let option = chart.given {
      throw ValidationError("\(option) is for charts: add --plot.")
    }
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let names = keys.map(\.precomposedStringWithCanonicalMapping)
    if !names.isEmpty { try await Self.check(names, of: found, client) }
    if plot || chart.follow { return try await chart.draw(names, of: found, client) }
    var items: [JSONValue] = []
    for (name, metric) in found["summary"]?.object ?? [:] {
      if !names.isEmpty, !names.contains(name) { continue }
      if let search, !name.localizedCaseInsensitiveContains(search) { continue }
      var members: JSONObject = ["name": .string(name)]
      for (member, value) in metric.object ?? [:] { members[member] = value }
      items.append(.object(members))
    }
    try Listing(
      items: items, fields: Self.fields,
      whenEmpty: search == nil && names.isEmpty
        ? "This run has logged nothing." : "No metric of this run is called so."
    ).print(format.format)
  }

  /// A name that is neither logged nor derived is most likely mistyped.
  private static func check(_ names: [String], of run: JSONValue, _ client: Client) async throws {
    var known = Array((run["summary"]?.object ?? [:]).keys)
    if names.allSatisfy(known.contains) { return }
    // What is derived has no summary before it was computed, nor where it has no point.
    let project = Client.escaped(run["project"]?.string ?? "")
    let derived = try await client.send(.get, "/projects/\(project)/derived")
    known += (derived["items"]?.array ?? []).compactMap { $0["name"]?.string }
    for name in names where !known.contains(name) {
      let hint = nearest(to: name, in: known).map { "Did you mean '\($0)'? " } ?? ""
      throw Failure(
        .notFound, "Run \(run.id) has no metric '\(Terminal.plain(name))'.",
        hint: "\(hint)martlet metrics \(run.id) shows what it has.")
    }
  }

  private static let fields = [
    Field("name", "Metric"),
    Field("last", "Last", .number) { $0["last"] ?? $0["value"] },
    Field("last_step", "at step", .number, dispensability: 2),
    Field("best", "Best", .number, dispensability: 1),
    Field("best_step", "at step", .number, dispensability: 3),
    Field("min", "Min", .number),
    Field("min_step", "at step", .number, dispensability: 5),
    Field("max", "Max", .number),
    Field("max_step", "at step", .number, dispensability: 6),
    Field("mean", "Mean", .number, dispensability: 4),
    Field("count", "Points", .number),
    Field("nan_count", "NaN", .number, dispensability: 7),
    Field("last_at", nil, .time),
    Field("value", nil),
    Field("derived", nil),
  ]
}
