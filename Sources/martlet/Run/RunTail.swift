// `martlet run tail`: the log of the newest run, as it grows.

import ArgumentParser
import Foundation
import MartletModel

struct RunTail: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tail",
    abstract: "Follow what the newest run writes: logs --follow of it.",
    discussion: """
      Examples:
        martlet run tail
        martlet run tail --project digits --stderr
      """)

  @Option(name: .long, help: "The newest of this project.")
  var project: String?

  @Flag(name: .long, help: "Standard error instead of standard output.")
  var stderr = false

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("Begin this many lines before the end.", valueName: "n"))
  var tail = 20

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    guard tail >= 0 else { throw ValidationError("--tail must be 0 or more, not \(tail).") }
  }

  func run() async throws {
    let client = try connection.client()
    guard
      let newest = try await client.items("/runs", query: [("project", project)], limit: 1).first
    else {
      throw Failure(
        .notFound, "There is no run yet.", hint: "martlet run -- COMMAND\(client.place.suffix) begins one.")
    }
    let name = Terminal.plain(newest["name"]?.string ?? "")
    Terminal.complain("martlet: '\(name)' (\(newest.id)), \(newest["state"]?.string ?? "")")
    // The very command that is meant.
    var logs = try RunLogs.parse(
      [newest.id, "--follow", "--tail", String(tail)] + (stderr ? ["--stderr"] : []))
    logs.connection = connection
    try await logs.run()
  }
}
