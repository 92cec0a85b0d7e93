// `martlet metrics`: what a run logged, a line a name.

import ArgumentParser
import Foundation
import MartletModel
import OrderedCollections

struct Metrics: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List a run's metrics: last, best, lowest, highest, mean.",
    discussion: """
      best follows the metric's goal and is empty without one. Counts are of points;
      NaN counts, and takes no part in the other numbers.

      Examples:
        martlet metrics swift-finch-3
        martlet metrics k2f9a0xy --format csv > metrics.csv
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Option(name: .long, help: "Only those whose name holds this.")
  var search: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let found = try await connection.client().find(.run, run)
    var items: [JSONValue] = []
    for (name, metric) in found["summary"]?.object ?? [:] {
      if let search, !name.localizedCaseInsensitiveContains(search) { continue }
      var members: JSONObject = ["name": .string(name)]
      for (member, value) in metric.object ?? [:] { members[member] = value }
      items.append(.object(members))
    }
    try Listing(
      items: items, fields: Self.fields,
      whenEmpty: search == nil ? "This run has logged nothing." : "No metric of this run is called so."
    ).print(format.format)
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
  ]
}
