// `martlet token list`: without the secrets, which nobody keeps.

import ArgumentParser

struct TokenList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List tokens.",
    discussion: """
      Example:
        martlet token list --format json
      """)

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let tokens = try await connection.client().items("/tokens")
    try Listing(items: tokens, fields: TokenGroup.fields, whenEmpty: "There are no tokens.").print(
      format.format)
  }
}
