// `martlet status`: what the server is doing, and a fresh sign-in link.

import ArgumentParser
import MartletModel

struct Status: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the server: address, data, devices, what runs.",
    discussion: """
      Examples:
        martlet status
        martlet status --link             print a link that signs a browser in once
        martlet status --format json
      """)

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  @Flag(name: .long, help: "Print only a fresh sign-in link; it works once, within 10 minutes.")
  var link = false

  func run() async throws {
    let client = try connection.client()
    if link { return try Terminal.say(try await client.signInLink()) }
    let status = try await client.send(.get, "/status")
    try Card(item: status, fields: Self.fields).print(format.format)
  }

  /// SQLite's levels by name (https://sqlite.org/pragma.html#pragma_synchronous).
  @Sendable private static func synchronous(_ level: JSONValue) -> JSONValue {
    let names = ["OFF", "NORMAL", "FULL", "EXTRA"]
    guard let number = level.int, names.indices.contains(Int(number)) else { return level }
    return .string(names[Int(number)])
  }

  private static let fields = [
    Field("url", "Address"),
    Field("version", "Version"),
    Field("data", "Data"),
    Field("pid", "Process"),
    Field("started_at", "Started", .time),
    Field("uptime_s", nil, .duration),
    Field("running", "Runs running") { $0["running"] },
    Field("queued", "Runs queued") { $0["queued"] },
    Field("projects", "Projects") { $0["counts"]?["projects"] },
    Field("runs", "Runs") { $0["counts"]?["runs"] },
    Field("sweeps", "Sweeps") { $0["counts"]?["sweeps"] },
    Field("points", "Points") { $0["counts"]?["points"] },
    Field("database_bytes", "Database", .bytes) { $0["database"]?["bytes"] },
    Field("wal_bytes", "Write-ahead log", .bytes) { $0["database"]?["wal_bytes"] },
    Field("synchronous", "Synchronous") { $0["database"]?["synchronous"].map(synchronous) },
    Field("devices", "Devices") { status in
      guard let devices = status["devices"]?.array, !devices.isEmpty else { return nil }
      return .string(
        devices.map { device in
          "\(Words.value(device["index"])): \(device["holder"]?.string ?? "free")"
        }.joined(separator: ", "))
    },
  ]
}
