// `martlet project list`: the drawers there are.

import ArgumentParser

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
      fields: ProjectGroup.fields,
      whenEmpty: "There are no projects: the first run makes one."
    ).print(format.format)
  }
}
