// `martlet run move`.

import ArgumentParser
import MartletModel

struct RunMove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "move",
    abstract: "Move runs to another project, with all that is nested in them.",
    discussion: """
      The project is made where it is missing. Trials stay with their sweep: fork one
      to move it.

      Examples:
        martlet run move swift-finch-3 k2f9a0xy --to digits-final
      """)

  @Argument(help: "The runs: ids, or names that are unique.")
  var runs: [String]

  @Option(name: .long, help: ArgumentHelp("The project, by its name or id.", valueName: "project"))
  var to: String

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    var found: [JSONValue] = []
    for name in runs {
      let run = try await client.find(.run, name)
      if !found.contains(where: { $0.id == run.id }) { found.append(run) }
    }
    for run in found {
      let moved = try await client.send(.patch, "/runs/\(run.id)", body: ["project": .string(to)])
      let name = Terminal.plain(moved["name"]?.string ?? "")
      try Terminal.say(
        "Run \(run.id), '\(name)', is in project '\(Terminal.plain(moved["project"]?.string ?? ""))'.")
    }
  }
}
