// `martlet run restore`: out of the trash again.

import ArgumentParser
import MartletModel

struct RunRestore: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Take runs out of the trash.",
    discussion: """
      Examples:
        martlet run restore swift-finch-3
        martlet run list --deleted
      """)

  @Argument(help: "The runs: ids, or names that are unique in the trash.")
  var runs: [String]

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    var found: [JSONValue] = []
    for name in runs {
      let run = try await client.findDeleted(name)
      if !found.contains(where: { $0.id == run.id }) { found.append(run) }
    }
    for run in found {
      _ = try await client.send(.post, "/runs/\(run.id)/restore")
      try Terminal.say("Run \(run.id), '\(Terminal.plain(run["name"]?.string ?? ""))', is back.")
    }
  }
}
