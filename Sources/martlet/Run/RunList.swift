// `martlet run list`.

import ArgumentParser
import MartletModel

struct RunList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List runs, newest first.",
    discussion: """
      Examples:
        martlet run list --state running
        martlet run list --project digits --sort metric:val_loss.min --limit 10
        martlet run list --sweep digits-grid --format csv
      """)

  @Option(name: .long, help: "Only this project's.")
  var project: String?

  @Option(name: .long, help: "Only this sweep's: its id, or its name when it is unique.")
  var sweep: String?

  @Option(name: .long, help: "Only in these states; repeatable, or with commas.")
  var state: [String] = []

  @Option(name: .long, help: "Only those whose name holds this.")
  var search: String?

  @Flag(name: .long, help: "Those in the trash instead of all others.")
  var deleted = false

  @Flag(name: .long, help: "Those in the archive instead of all others.")
  var archived = false

  @Option(
    name: .long,
    help: ArgumentHelp(
      "created, name or metric:NAME.last, .best, .min, .max or .mean; with - before it descending. (default: -created)",
      valueName: "order"))
  var sort: String?

  @Option(name: [.customShort("n"), .long], help: ArgumentHelp("At most this many; 0: all.", valueName: "n"))
  var limit = 100

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit must be 0 or more, not \(limit).") }
    for state in states where RunState(rawValue: state) == nil {
      let known = RunState.allCases.map(\.rawValue)
      let hint = nearest(to: state, in: known).map { " Did you mean '\($0)'?" } ?? ""
      throw ValidationError(
        "'\(state)' is no state of a run.\(hint) There are \(known.joined(separator: ", ")).")
    }
  }

  private var states: [String] { state.flatMap { $0.split(separator: ",").map(String.init) } }

  func run() async throws {
    let client = try connection.client()
    var sweepID: String?
    if let sweep { sweepID = try await client.find(.sweep, sweep).id }
    let query: Client.Query = [
      ("project", project), ("sweep", sweepID),
      ("state", states.isEmpty ? nil : states.joined(separator: ",")),
      ("search", search), ("sort", sort), ("deleted", deleted ? "true" : nil),
      ("archived", archived ? "true" : nil),
    ]
    // One more than shown tells whether there are more.
    let found = try await client.items("/runs", query: query, limit: limit == 0 ? nil : limit + 1)
    let shown = limit == 0 ? found : Array(found.prefix(limit))
    try Listing(
      items: shown, fields: RunGroup.listFields,
      whenEmpty: deleted ? "The trash is empty." : "There are no such runs."
    )
    .print(format.format)
    if shown.count < found.count {
      Terminal.complain("The first \(limit) are shown; --limit 0 shows all.")
    }
  }
}
