// `martlet run preempt`.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunPreempt: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preempt",
    abstract: "Ask a run to give its devices back; it is started again when it is its turn.",
    discussion: """
      It is asked as by 'martlet run stop', and killed when its grace is over. Its next
      attempt stands in its old place of the line, or with --to-back at the end.

      Examples:
        martlet run preempt swift-finch-3
        martlet run preempt k2f9a0xy --to-back
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Flag(name: .long, help: "Put it at the end of the line.")
  var toBack = false

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let asked = try await client.send(
      .post, "/runs/\(found.id)/preempt", body: ["keep_place": .bool(!toBack)])
    try Terminal.say(
      "Run \(found.id), '\(Terminal.plain(asked["name"]?.string ?? ""))', is asked to make room; another attempt follows."
    )
  }
}
