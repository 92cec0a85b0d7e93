// `martlet run tag`.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunTag: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tag",
    abstract: "Give a run tags, or take them away.",
    discussion: """
      Prints the tags that the run has then, a line each.

      Examples:
        martlet run tag swift-finch-3 baseline ablation
        martlet run tag swift-finch-3 --remove ablation
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Argument(help: ArgumentHelp("Tags that it is to have.", valueName: "tag"))
  var tags: [String] = []

  @Option(name: .long, help: ArgumentHelp("A tag that it is to have no more; repeatable.", valueName: "tag"))
  var remove: [String] = []

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    var found = try await client.find(.run, run)
    if !tags.isEmpty || !remove.isEmpty {
      found = try await client.send(
        .patch, "/runs/\(found.id)",
        body: ["add_tags": JSONValue(tags), "remove_tags": JSONValue(remove)])
    }
    let items = (found["tags"]?.array ?? []).map { JSONValue.object(["tag": $0]) }
    switch format.format {
    case .table: for item in items { try Terminal.say(Terminal.plain(item["tag"]?.string ?? "")) }
    case .json, .csv:
      try Listing(items: items, fields: [Field("tag", "Tag")], whenEmpty: "").print(format.format)
    }
  }
}
