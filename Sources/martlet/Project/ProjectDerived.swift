// `martlet project derived`: what is derived in a project.

import ArgumentParser
import MartletModel

struct ProjectDerived: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "derived",
    abstract: "List the derived metrics of a project.",
    discussion: """
      Example:
        martlet project derived digits
      """)

  @Argument(help: "The project's name or id.")
  var project: String

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let answer = try await connection.client().send(.get, Client.path(ofProject: project, "/derived"))
    try Listing(
      items: answer["items"]?.array ?? [], fields: ProjectGroup.derivedFields,
      whenEmpty: "Nothing is derived in this project: martlet project derive defines a metric."
    ).print(format.format)
  }
}
