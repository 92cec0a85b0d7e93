// `martlet run events`: the account of a run.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunEvents: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events",
    abstract: "Show what happened to a run, when and by whom.",
    discussion: """
      Examples:
        martlet run events swift-finch-3
        martlet run events swift-finch-3 --format json
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let events = try await client.items("/runs/\(found.id)/events")
    try Listing(items: events, fields: Self.fields, whenEmpty: "Nothing happened to it.").print(format.format)
  }

  private static let fields = [
    Field("at", "When", .time),
    Field("type", "What"),
    Field("details", "Details", read: details),
    Field("by", "By", dispensability: 1),
  ]

  /// `queued → running`, `a → b`, or the members of what changed.
  @Sendable private static func details(_ event: JSONValue) -> JSONValue? {
    guard let payload = event["payload"]?.object, !payload.isEmpty else { return nil }
    if payload["to"] != nil || payload["from"] != nil {
      let change = [payload["from"], payload["to"]].map { value in
        value.map { Words.value($0) } ?? ""
      }.map { $0.isEmpty ? "–" : $0 }.joined(separator: " → ")
      let reason = payload["reason"]?.string.map { ": \($0)" } ?? ""
      return .string(change + reason)
    }
    return .string(
      payload.filter { $0.value != [] }.map { "\($0.key) \(Words.value($0.value))" }.joined(separator: ", "))
  }
}
