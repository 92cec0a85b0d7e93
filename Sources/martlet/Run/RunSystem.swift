// `martlet run system`: what a run and its machine used.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunSystem: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "system",
    abstract: "Show what a run used: processors, memory, disk, network, GPUs.",
    discussion: """
      Sampled every few seconds while it ran (martlet up --sample-every). The metrics
      of the process are those of all that the run started; the others are the
      machine's.

      Examples:
        martlet run system swift-finch-3
        martlet run system k2f9a0xy --format csv
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let overview = try await client.send(.get, "/runs/\(found.id)/system")
    var metrics = overview["metrics"]?.array ?? []
    if format.format == .table { metrics = metrics.map(Self.inWords) }
    try Listing(
      items: metrics, fields: Self.fields,
      whenEmpty: "Nothing was sampled of this run: it ended at once, or the server does not sample."
    ).print(format.format)
    guard format.format == .table, let from = overview["from"]?.int, let to = overview["to"]?.int else {
      return
    }
    try Terminal.say("\nSampled over \(Words.duration(Double(to - from) / 1_000)).")
  }

  private static let fields = [
    Field("name", "Metric"), Field("last", "Last"), Field("mean", "Mean"), Field("min", "Min"),
    Field("max", "Max"), Field("unit", nil),
  ]

  /// Numbers with their units, bytes in the unit that suits them.
  private static func inWords(_ metric: JSONValue) -> JSONValue {
    let unit = metric["unit"]?.string ?? ""
    var members = metric.object ?? [:]
    for key in ["last", "mean", "min", "max"] {
      guard let value = metric[key]?.double else { continue }
      switch unit {
      case "bytes": members[key] = .string(Words.bytes(Int64(value)))
      case "bytes/s": members[key] = .string("\(Words.bytes(Int64(value)))/s")
      case "": members[key] = .string(Words.number(value))
      default: members[key] = .string("\(Words.number((value * 10).rounded() / 10)) \(unit)")
      }
    }
    return .object(members)
  }
}
