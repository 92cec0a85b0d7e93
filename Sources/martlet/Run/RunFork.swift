// `martlet run fork`: a new run with another one's beginning.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunFork: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fork",
    abstract: "Make a new run with the history of this one, up to a step.",
    discussion: """
      The new run has the configuration and the rows of the old one and is from
      outside: a client goes on with it. Its id is printed.

      Examples:
        martlet run fork swift-finch-3 --step 12000 --name finch-warm
        ID=$(martlet run fork swift-finch-3)
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Option(
    name: .long, help: ArgumentHelp("The highest step that is taken along. (default: all)", valueName: "n"))
  var step: Int64?

  @Option(name: .long, help: "What the new run is called. (default: adjective-bird-number)")
  var name: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    var body: JSONObject = [:]
    if let step { body["step"] = .int(step) }
    if let name { body["name"] = .string(name) }
    let fork = try await client.send(.post, "/runs/\(found.id)/fork", body: .object(body))
    switch format.format {
    case .table:
      let upTo = step.map { "up to step \($0)" } ?? "with all of it"
      let (old, new) = (found["name"]?.string ?? "", fork["name"]?.string ?? "")
      Terminal.complain("martlet: '\(Terminal.plain(new))' begins as '\(Terminal.plain(old))' did, \(upTo).")
      try Terminal.say(fork.id)
    case .json, .csv: try Card(item: fork, fields: RunGroup.listFields).print(format.format)
    }
  }
}
