// `martlet sweep pause`.

import ArgumentParser
import MartletModel

struct SweepPause: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Make no more trials of a sweep until it is resumed; those that there are go on.",
    discussion: """
      Examples:
        martlet sweep pause digits-grid
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    let paused = try await client.send(.post, "/sweeps/\(found.id)/pause", body: [:])
    let open = paused.trials(.running) + paused.trials(.waiting)
    try Terminal.say(
      "Sweep \(found.id), '\(Terminal.plain(paused["name"]?.string ?? ""))', is paused; \(Words.count(open, "trial")) that it has made \(open == 1 ? "goes" : "go") on."
    )
  }
}
