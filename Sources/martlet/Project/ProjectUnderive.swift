// `martlet project underive`: a derived metric taken away.

import ArgumentParser
import MartletModel

struct ProjectUnderive: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "underive",
    abstract: "Take a derived metric away; what was logged stays as it is.",
    discussion: """
      Example:
        martlet project underive digits gap
      """)

  @Argument(help: "The project's name or id.")
  var project: String

  @Argument(help: "What the metric is called.")
  var name: String

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    _ = try await connection.client().send(
      .delete, Client.path(ofProject: project, "/derived"), query: [("name", name)])
    try Terminal.say(
      "'\(Terminal.plain(name))' is no longer derived in project '\(Terminal.plain(project))'.")
  }
}
