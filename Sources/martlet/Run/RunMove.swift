// `martlet run move`: into another project, or to another place in the line.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunMove: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "move",
    abstract: "Move runs to another project, or those that wait to another place in the line.",
    discussion: """
      With --to they go into a project, which is made where it is missing, with all
      that is nested in them. Trials stay with their sweep: fork one to move it.
      With --front, --back or --priority they wait somewhere else: --front and --back
      are the ends of the line of their priority.

      Examples:
        martlet run move swift-finch-3 k2f9a0xy --to digits-final
        martlet run move swift-finch-3 --front
        martlet run move swift-finch-3 --priority 10
      """)

  @Argument(help: "The runs: ids, or names that are unique.")
  var runs: [String]

  @Option(name: .long, help: ArgumentHelp("The project, by its name or id.", valueName: "project"))
  var to: String?

  @Flag(name: .long, help: "To the beginning of the line.")
  var front = false

  @Flag(name: .long, help: "To the end of the line.")
  var back = false

  @Option(
    // It may be below zero.
    name: .long, parsing: .unconditional,
    help: ArgumentHelp("Among those of this priority: higher goes first.", valueName: "n"))
  var priority: Int?

  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    let given = [to != nil, front, back, priority != nil].count { $0 }
    guard given == 1 else {
      throw ValidationError(
        given == 0
          ? "Say where to: --to PROJECT, --front, --back or --priority N."
          : "Give one of --to, --front, --back and --priority.")
    }
  }

  func run() async throws {
    let client = try connection.client()
    var found: [JSONValue] = []
    for name in runs {
      let run = try await client.find(.run, name)
      if !found.contains(where: { $0.id == run.id }) { found.append(run) }
    }
    if let to { return try await move(found, to: to, client) }
    // The last that is put in front is the first.
    for run in front ? found.reversed() : found {
      let change: JSONObject =
        priority.map { ["priority": .int(Int64($0))] } ?? ["move": front ? "front" : "back"]
      let entry = try await client.send(.patch, "/runs/\(run.id)/queue", body: .object(change))
      let place = entry["position"]?.int.map { "is number \($0) of those who wait" } ?? "waits no longer"
      let reason = Terminal.plain(entry["reason"]?.string ?? "")
      try Terminal.say(
        "Run \(run.id), '\(Terminal.plain(run["name"]?.string ?? ""))', \(place). \(reason)")
    }
  }

  private func move(_ runs: [JSONValue], to project: String, _ client: Client) async throws {
    for run in runs {
      let moved = try await client.send(.patch, "/runs/\(run.id)", body: ["project": .string(project)])
      let name = Terminal.plain(moved["name"]?.string ?? "")
      try Terminal.say(
        "Run \(run.id), '\(name)', is in project '\(Terminal.plain(moved["project"]?.string ?? ""))'.")
    }
  }
}
