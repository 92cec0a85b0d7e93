// `martlet sweep resume`.

import ArgumentParser
import MartletModel

struct SweepResume: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume",
    abstract: "Go on with a sweep that was paused, or that paused itself after failures.",
    discussion: """
      Examples:
        martlet sweep resume digits-grid
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    let resumed = try await client.send(.post, "/sweeps/\(found.id)/resume", body: [:])
    let name = Terminal.plain(resumed["name"]?.string ?? "")
    try Terminal.say("Sweep \(found.id), '\(name)', goes on.")
  }
}
