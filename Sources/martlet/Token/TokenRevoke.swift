// `martlet token revoke`: a token that is no longer taken.

import ArgumentParser
import MartletModel

struct TokenRevoke: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke",
    abstract: "Revoke a token, at once and for good.",
    discussion: """
      Example:
        martlet token revoke k2f9a0xy
      """)

  @Argument(help: "The token's id, or its name when it is unique.")
  var token: String

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.token, token)
    _ = try await client.send(.delete, "/tokens/\(Client.escaped(found.id))")
    try Terminal.say("Token \(found.id), '\(found["name"]?.string ?? "")', is revoked.")
  }
}
