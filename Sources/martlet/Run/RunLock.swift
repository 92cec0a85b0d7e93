// `martlet run lock`.

import ArgumentParser
import MartletModel

struct RunLock: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock",
    abstract: "Protect runs against being deleted, rewound, moved and edited.",
    discussion: """
      What a locked run's own process sends still comes as long as it lives.

      Examples:
        martlet run lock swift-finch-3
        martlet run lock swift-finch-3 --undo
      """)

  @Argument(help: "The runs: ids, or names that are unique.")
  var runs: [String]

  @Flag(name: .long, help: "Unlock them.")
  var undo = false

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    try await RunMark(member: "locked", isSet: !undo, words: undo ? "is unlocked" : "is locked")
      .set(of: runs, connection.client())
  }
}
