// `martlet project show`: one project, and what is derived in it.

import ArgumentParser
import MartletModel

struct ProjectShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one project with its derived metrics.",
    discussion: """
      Example:
        martlet project show digits
      """)

  @Argument(help: "The project's name or id.")
  var project: String

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    let found = try await client.send(.get, Client.path(ofProject: project))
    try Card(item: found, fields: Self.fields).print(format.format)
    guard format.format == .table else { return }
    let derived = try await client.send(.get, Client.path(ofProject: project, "/derived"))
    guard let items = derived["items"]?.array, !items.isEmpty else { return }
    try Terminal.say("")
    try Listing(items: items, fields: ProjectGroup.derivedFields, whenEmpty: "").print(.table)
  }

  private static let fields = [
    Field("id", "ID"),
    Field("name", "Name"),
    Field("description", "Description"),
    Field("runs", "Runs", .number),
    Field("running", "Running", .number),
    Field("sweeps", "Sweeps", .number),
    Field("last_activity_at", "Last activity", .time),
    Field("created_at", "Created", .time),
    Field("created_by", "By"),
  ]
}
