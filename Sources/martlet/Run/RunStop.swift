// `martlet run stop`.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunStop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "Stop a run: politely first, then for good.",
    discussion: """
      The whole process tree gets SIGTERM, and SIGKILL when it has not ended after
      the grace period.

      Examples:
        martlet run stop swift-finch-3
        martlet run stop k2f9a0xy --grace 0
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Option(
    name: .long, help: ArgumentHelp("Time to end by itself. (default: the run's own)", valueName: "seconds"))
  var grace: Double?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws { try check(grace, of: "--grace") }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let body: JSONObject = grace.map { ["grace_s": .double($0)] } ?? [:]
    _ = try await client.send(.post, "/runs/\(found.id)/stop", body: .object(body))
    try Terminal.say("Run \(found.id), '\(Terminal.plain(found["name"]?.string ?? ""))', is being stopped.")
  }
}
