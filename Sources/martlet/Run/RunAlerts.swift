// `martlet run alerts`.

import ArgumentParser
import MartletModel

struct RunAlerts: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts",
    abstract: "Show what runs want somebody to see, newest first.",
    discussion: """
      Examples:
        martlet run alerts
        martlet run alerts swift-finch-3
        martlet run alerts --project digits -n 5 --format json
      """)

  @Argument(help: "The run's id, or its name when it is unique; without it, of all runs.")
  var run: String?

  @Option(name: .long, help: "Only of this project's runs.")
  var project: String?

  @Option(name: [.customShort("n"), .long], help: ArgumentHelp("At most this many; 0: all.", valueName: "n"))
  var limit = 100

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit must be 0 or more, not \(limit).") }
    if run != nil, project != nil { throw ValidationError("Name a run or a project, not both.") }
  }

  func run() async throws {
    let client = try connection.client()
    var path = "/alerts"
    if let run { path = "/runs/\(try await client.find(.run, run).id)/alerts" }
    let alerts = try await client.items(path, query: [("project", project)], limit: limit == 0 ? nil : limit)
    try Listing(items: alerts, fields: Self.fields, whenEmpty: "There are no alerts.").print(format.format)
  }

  private static let fields = [
    Field("at", "When", .time),
    Field("level", "Level"),
    Field("title", "Title"),
    Field("text", "Text", dispensability: 2),
    Field("run_name", "Run", dispensability: 1),
    Field("run", nil),
    Field("project", "Project", dispensability: 3),
    Field("key", nil),
    Field("by", nil),
  ]
}
