// `martlet pool`, `martlet pool list`: the pool as it is now.

import ArgumentParser
import MartletModel

struct PoolList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show devices with their holders, and the queue with the reasons; 'martlet pool' means this.",
    discussion: """
      --format json is all of it, csv the devices, or with --queue those who wait.

      Examples:
        martlet pool
        martlet pool list --queue --limit 0 --format csv
      """)

  @Flag(name: .long, help: "Only those who wait.")
  var queue = false

  @Option(
    name: [.customShort("n"), .long],
    help: ArgumentHelp("At most this many of those who wait; 0: all.", valueName: "n"))
  var limit = 20

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit must be 0 or more, not \(limit).") }
  }

  func run() async throws {
    let pool = try await connection.client().send(
      .get, "/pool", query: [("limit", limit == 0 ? nil : String(limit))])
    if queue {
      return try Listing(
        items: pool["queue"]?.array ?? [], fields: PoolGroup.queueFields, whenEmpty: "Nobody waits."
      ).print(format.format)
    }
    switch format.format {
    case .json: try Card(item: pool, fields: []).print(.json)
    case .csv:
      try Listing(items: pool["devices"]?.array ?? [], fields: PoolGroup.deviceFields, whenEmpty: "")
        .print(.csv)
    case .table:
      let lines = PoolGroup.lines(pool, width: Terminal.outputWidth, isColored: Terminal.usesColor)
      try Terminal.say(lines.joined(separator: "\n"))
    }
  }
}
