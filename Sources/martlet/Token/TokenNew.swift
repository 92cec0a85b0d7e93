// `martlet token new`: the secret is shown once, alone on standard output.

import ArgumentParser
import MartletModel
import OrderedCollections

struct TokenNew: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Make a token and print its secret, once.",
    discussion: """
      Scopes: read, ingest (log to runs), write (holds both), run (holds write; may
      start programs), admin (all).

      Examples:
        martlet token new laptop --scope run --expires 30d
        MARTLET_TOKEN=$(martlet token new ci --scope ingest --project digits)
      """)

  @Argument(help: "What it is called; whatever is made with it keeps this name.")
  var name: String

  @Option(name: .long, help: ArgumentHelp("What it allows; repeatable, or with commas.", valueName: "scope"))
  var scope: [String] = ["read"]

  @Option(name: .long, help: "The only project it sees and changes.")
  var project: String?

  @Option(name: .long, help: ArgumentHelp("How long it is valid: 90s, 30m, 12h, 30d. (default: for ever)"))
  var expires: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    for scope in scopes where Scope(rawValue: scope) == nil {
      let known = Scope.allCases.map(\.rawValue)
      let hint = nearest(to: scope, in: known).map { "; did you mean '\($0)'?" } ?? ""
      throw ValidationError("'\(scope)' is no scope\(hint) There are \(known.joined(separator: ", ")).")
    }
    if let expires, Words.seconds(expires) == nil {
      throw ValidationError("--expires '\(expires)' is no time span; write 90s, 30m, 12h or 30d.")
    }
    if let expires, let seconds = Words.seconds(expires), seconds > Self.longestLife {
      throw ValidationError("--expires '\(expires)' is too long: a token is valid for 100 years at most.")
    }
  }

  /// Seconds; the server takes no more.
  private static let longestLife = 3.2e9

  private var scopes: [String] { scope.flatMap { $0.split(separator: ",").map(String.init) } }

  func run() async throws {
    var body: JSONObject = ["name": .string(name), "scopes": JSONValue(scopes)]
    if let project { body["project"] = .string(project) }
    if let seconds = expires.flatMap(Words.seconds) {
      body["expires_in_s"] = .int(Int64(seconds.rounded(.up)))
    }
    let token = try await connection.client().send(.post, "/tokens", body: .object(body))
    switch format.format {
    case .table:
      Terminal.complain("Token \(token.id), '\(name)'. It is not shown again:")
      try Terminal.say(token["token"]?.string ?? "")
    case .json, .csv:
      try Card(item: token, fields: [Field("token", nil)] + TokenGroup.fields).print(format.format)
    }
  }
}
