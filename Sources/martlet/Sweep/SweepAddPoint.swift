// `martlet sweep add-point`: a point that somebody wants to be tried.

import ArgumentParser
import MartletModel
import OrderedCollections

struct SweepAddPoint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add-point",
    abstract: "Add a point to a sweep, which is tried before its method is asked again.",
    discussion: """
      Every parameter needs a value, but those that have only one. Where the number of
      trials is limited, there is one more.

      Example:
        martlet sweep add-point digits lr=0.003 width=96 optimizer=adam
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @Argument(help: "Values of the parameters, name=value each; nested ones by their dotted names.")
  var values: [String]

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    for item in values where Self.pair(item) == nil {
      throw ValidationError("'\(item)' is no name=value.")
    }
  }

  /// A value is what JSON reads, else text.
  private static func pair(_ item: String) -> (String, JSONValue)? {
    guard let sign = item.firstIndex(of: "="), sign != item.startIndex else { return nil }
    let text = String(item[item.index(after: sign)...])
    return (String(item[..<sign]), (try? JSONValue.parse(text)) ?? .string(text))
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    let point = JSONObject(values.compactMap(Self.pair)) { $1 }
    let changed = try await client.send(
      .post, "/sweeps/\(found.id)/points", body: ["params": .object(point)])
    try Terminal.say(
      "Sweep \(found.id), '\(Terminal.plain(changed["name"]?.string ?? ""))': the point is tried as soon as there is room."
    )
  }
}
