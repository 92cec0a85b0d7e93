// `martlet project list`: the drawers there are.

import ArgumentParser

struct ProjectGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "project",
    abstract: "List projects.",
    discussion: """
      Example:
        martlet project list
      """,
    subcommands: [ProjectList.self])
}

struct ProjectList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List projects with their runs and sweeps.",
    discussion: """
      Example:
        martlet project list --format csv
      """)

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let projects = try await connection.client().items("/projects")
    try Listing(
      items: projects,
      fields: [
        Field("id", nil),
        Field("name", "Name"),
        Field("runs", "Runs", .number),
        Field("running", "Running", .number),
        Field("sweeps", "Sweeps", .number),
        Field("last_activity_at", "Last activity", .time, dispensability: 1),
        Field("created_at", nil, .time),
        Field("created_by", nil),
        Field("description", "Description", dispensability: 2),
      ],
      whenEmpty: "There are no projects: the first run makes one."
    ).print(format.format)
  }
}
