// `martlet pool uncordon`.

import ArgumentParser
import MartletModel

struct PoolUncordon: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "uncordon",
    abstract: "Put devices back into service.",
    discussion: """
      Examples:
        martlet pool uncordon 3
      """)

  @Argument(help: "The devices' numbers.")
  var devices: [Int]

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    try await connection.client().order("uncordon", devices) { _ in "is in service again." }
  }
}
