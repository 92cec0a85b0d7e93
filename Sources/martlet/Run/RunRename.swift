// `martlet run rename`.

import ArgumentParser
import MartletModel

struct RunRename: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rename",
    abstract: "Give a run another name.",
    discussion: """
      Names are labels and may repeat; the id stays.

      Examples:
        martlet run rename swift-finch-3 baseline
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Argument(help: "The new name.")
  var name: String

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    _ = try await client.send(.patch, "/runs/\(found.id)", body: ["name": .string(name)])
    try Terminal.say(
      "Run \(found.id), '\(Terminal.plain(found["name"]?.string ?? ""))', is called '\(Terminal.plain(name))' now."
    )
  }
}
