// `martlet project describe`: what a project is for, in words.

import ArgumentParser
import MartletModel

struct ProjectDescribe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "describe",
    abstract: "Say what a project is for.",
    discussion: """
      Example:
        martlet project describe digits "Which width is enough?"
      """)

  @Argument(help: "The project's name or id.")
  var project: String

  @Argument(help: "The description; empty to take it away.")
  var text: String

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let changed = try await connection.client().send(
      .patch, Client.path(ofProject: project), body: ["description": .string(text)])
    try Terminal.say("Project '\(Terminal.plain(changed["name"]?.string ?? ""))' is described.")
  }
}
