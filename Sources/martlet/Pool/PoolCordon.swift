// `martlet pool cordon`.

import ArgumentParser
import MartletModel
import OrderedCollections

struct PoolCordon: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cordon",
    abstract: "Give devices to nobody any more; who holds one goes on.",
    discussion: """
      It stays so when the server is started anew, until 'martlet pool uncordon'.

      Examples:
        martlet pool cordon 3 --reason 'fan is loud'
        martlet pool cordon 4 5 6 7
      """)

  @Argument(help: "The devices' numbers.")
  var devices: [Int]

  @Option(name: .long, help: "Why, a sentence that others read.")
  var reason: String?

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    try await connection.client().order("cordon", devices, reason: reason) { device in
      let holders = device["holders"]?.array?.count ?? 0
      let words = holders > 0 ? "; \(Words.count(Int64(holders), "run")) on it may end" : ""
      return "is given to nobody any more\(words)."
    }
  }
}

extension Client {
  /// Orders something for each of these devices and says what came of it.
  func order(
    _ order: String, _ devices: [Int], reason: String? = nil, _ words: (JSONValue) -> String
  ) async throws {
    let body: JSONObject = reason.map { ["reason": .string($0)] } ?? [:]
    for index in devices {
      let device = try await send(.post, "/pool/devices/\(index)/\(order)", body: .object(body))
      try Terminal.say("Device \(index) \(words(device))")
    }
  }
}
