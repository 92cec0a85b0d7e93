// `martlet token`: who may ask the server what.

import ArgumentParser
import MartletModel

struct TokenGroup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Make, list and revoke tokens.",
    discussion: """
      Example:
        martlet token new laptop --scope run --expires 30d
      """,
    subcommands: [TokenNew.self, TokenList.self, TokenRevoke.self])

  static let fields = [
    Field("id", "ID"),
    Field("name", "Name"),
    Field("scopes", "Scopes") { token in
      (token["scopes"]?.array).map { .string($0.compactMap(\.string).joined(separator: " ")) }
    },
    Field("project", "Project", dispensability: 3),
    Field("principal", nil),
    Field("created_by", "By", dispensability: 4),
    Field("created_at", "Created", .time, dispensability: 2),
    Field("last_used_at", "Last used", .time, dispensability: 1),
    Field("expires_at", nil, .time),
    Field("revoked_at", nil, .time),
    Field("state", "State", .state) { .string(state(of: $0)) },
  ]

  private static func state(of token: JSONValue) -> String {
    if let revoked = token["revoked_at"]?.int { return "revoked \(Words.ago(revoked))" }
    guard let expires = token["expires_at"]?.int else { return "valid" }
    let left = Double(expires - Words.now) / 1e6
    return left <= 0 ? "expired \(Words.ago(expires))" : "valid for \(Words.duration(left))"
  }

}
