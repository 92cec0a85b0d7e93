// `martlet pool drain`.

import ArgumentParser
import MartletModel

struct PoolDrain: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain",
    abstract: "Empty devices: who holds one is asked to make room, and stands in the line again.",
    discussion: """
      Nobody gets them until 'martlet pool uncordon', also when the server is started
      anew.

      Examples:
        martlet pool drain 3 --reason 'card is to be replaced'
      """)

  @Argument(help: "The devices' numbers.")
  var devices: [Int]

  @Option(name: .long, help: "Why, a sentence that others read.")
  var reason: String?

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    try await connection.client().order("drain", devices, reason: reason) { device in
      let holders = device["holders"]?.array?.count ?? 0
      return holders > 0
        ? "is being emptied: \(Words.count(Int64(holders), "run")) asked to make room." : "is empty."
    }
  }
}
