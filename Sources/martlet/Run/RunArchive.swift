// `martlet run archive`.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunArchive: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Leave runs out of lists, or take them back into them.",
    discussion: """
      An archived run keeps all it has and is found by its id and name; lists show it
      with --archived.

      Examples:
        martlet run archive swift-finch-3 k2f9a0xy
        martlet run archive swift-finch-3 --undo
        martlet run list --archived
      """)

  @Argument(help: "The runs: ids, or names that are unique.")
  var runs: [String]

  @Flag(name: .long, help: "Take them out of the archive.")
  var undo = false

  @OptionGroup var connection: ConnectionOptions

  func run() async throws {
    try await RunMark(member: "archived", isSet: !undo, words: undo ? "is in lists again" : "is archived")
      .set(of: runs, connection.client())
  }
}

/// Something that runs are or are not.
struct RunMark {
  /// The API's member.
  var member: String
  var isSet: Bool
  /// What a run is then.
  var words: String

  /// All are looked up before the first one changes.
  func set(of names: [String], _ client: Client) async throws {
    var found: [JSONValue] = []
    for name in names {
      let run = try await client.find(.run, name)
      if !found.contains(where: { $0.id == run.id }) { found.append(run) }
    }
    for run in found {
      _ = try await client.send(.patch, "/runs/\(run.id)", body: .object([member: .bool(isSet)]))
      try Terminal.say("Run \(run.id), '\(Terminal.plain(run["name"]?.string ?? ""))', \(words).")
    }
  }
}
