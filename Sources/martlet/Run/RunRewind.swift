// `martlet run rewind`: back to a step.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunRewind: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewind",
    abstract: "Take back all rows of a run above a step.",
    discussion: """
      The rows are gone for ever, and summaries are as if they had never been
      logged. martlet run fork leaves a run as it is and makes another one of its
      beginning.

      Examples:
        martlet run rewind swift-finch-3 12000
        martlet run rewind swift-finch-3 12000 --yes
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Argument(help: "The highest step that stays.")
  var step: Int64

  @Flag(name: .long, help: "Ask nothing.")
  var yes = false

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let name = Terminal.plain(found["name"]?.string ?? "")
    let last = found["last_step"]?.int
    guard let last, last > step else {
      try Terminal.say(
        "Run \(found.id), '\(name)', has nothing above step \(step)\(last.map { ": its last is \($0)" } ?? "")."
      )
      return
    }
    try Confirmation.ask("Take back what '\(name)' logged above step \(step), up to \(last)?", isGiven: yes)
    let after = try await client.send(.post, "/runs/\(found.id)/rewind", body: ["step": .int(step)])
    let gone = (found["points"]?.int ?? 0) - (after["points"]?.int ?? 0)
    try Terminal.say(
      "Run \(found.id), '\(name)', is back at step \(step); \(Words.count(gone, "point")) gone.")
  }
}
