// `martlet version`: of this program, and of the server that is up.

import ArgumentParser
import MartletModel
import MartletServer

struct Version: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the version of this program and of the server.",
    discussion: """
      Example:
        martlet version
      """)

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    var server: String?
    if let client = try connection.place().client() {
      do {
        server = try await client.send(.get, "/version")["version"]?.string
      } catch let failure as Failure where failure.status == .unavailable {
        // No server is no reason not to say one's own version.
      }
    }
    switch format.format {
    case .table:
      try Terminal.say("martlet \(martletVersion)")
      if let server { try Terminal.say("server  \(server)") }
    case .json, .csv:
      let item: JSONValue = ["version": .string(martletVersion), "server": JSONValue(server)]
      try Card(item: item, fields: [Field("version", nil), Field("server", nil)]).print(format.format)
    }
  }
}
