// `martlet run list`.

import ArgumentParser
import MartletModel

struct RunList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List runs, newest first, or groups of them.",
    discussion: """
      Examples:
        martlet run list --state running
        martlet run list --project digits --filter 'lr<1e-3 val/loss.min<0.3' --sort val/loss.min
        martlet run list --columns name,lr,optimizer.name,val/loss.best --limit 10
        martlet run list --group lr,optimizer.name --values val/loss.min
        martlet run list --sweep digits-grid --format csv
      """)

  @Option(name: .long, help: "Only this project's.")
  var project: String?

  @Option(
    name: [.customShort("q"), .long],
    help: ArgumentHelp(
      "Only those that this holds for: lr<1e-3 state:finished \"text\".", valueName: "filter"))
  var filter: String?

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
    // Descending orders begin with a dash.
    name: .long, parsing: .unconditional,
    help: ArgumentHelp(
      "A field: created, duration, lr, val/loss.min; with - before it descending. Of groups: count, or one of their fields. (default: -created)",
      valueName: "order"))
  var sort: String?

  @Option(
    name: .long, help: ArgumentHelp("Show these fields, with commas between them.", valueName: "fields"))
  var columns: String?

  @Option(
    name: .long,
    help: ArgumentHelp("Show groups of runs that are alike in these fields.", valueName: "fields"))
  var group: String?

  @Option(
    name: .long,
    help: ArgumentHelp("With --group: what to sum up, like val/loss.min.", valueName: "fields"))
  var values: String?

  @Option(name: [.customShort("n"), .long], help: ArgumentHelp("At most this many; 0: all.", valueName: "n"))
  var limit = 100

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    guard limit >= 0 else { throw ValidationError("--limit must be 0 or more, not \(limit).") }
    guard values == nil || group != nil else { throw ValidationError("--values needs --group.") }
    guard columns == nil || group == nil else {
      throw ValidationError("--columns is for runs, and --group shows groups: give one of them.")
    }
    for state in states where RunState(rawValue: state) == nil {
      let known = RunState.allCases.map(\.rawValue)
      let hint = nearest(to: state, in: known).map { " Did you mean '\($0)'?" } ?? ""
      throw ValidationError(
        "'\(state)' is no state of a run.\(hint) There are \(known.joined(separator: ", ")).")
    }
  }

  private var states: [String] { state.flatMap { $0.split(separator: ",").map(String.init) } }

  func run() async throws {
    let shownColumns = try columns.map(RunColumn.list)
    let groupColumns = try group.map(RunColumn.list)
    let valueColumns = try values.map(RunColumn.list) ?? []
    let client = try connection.client()
    var sweepID: String?
    if let sweep { sweepID = try await client.find(.sweep, sweep).id }
    var query: Client.Query = [
      ("project", project), ("q", filter), ("sweep", sweepID),
      ("state", states.isEmpty ? nil : states.joined(separator: ",")),
      ("search", search), ("sort", sort), ("deleted", deleted ? "true" : nil),
      ("archived", archived ? "true" : nil),
    ]
    if group != nil { query += [("by", group), ("values", values)] }
    // One more than shown tells whether there are more.
    let found = try await client.items(
      group == nil ? "/runs" : "/runs/groups", query: query, limit: limit == 0 ? nil : limit + 1)
    let shown = limit == 0 ? found : Array(found.prefix(limit))
    if let groupColumns {
      try RunGroupList(by: groupColumns, values: valueColumns).print(shown, format.format)
    } else {
      try Listing(
        items: shown, fields: shownColumns?.map(\.listed) ?? RunGroup.listFields,
        whenEmpty: deleted ? "The trash is empty." : "There are no such runs."
      )
      .print(format.format)
    }
    if shown.count < found.count {
      Terminal.complain("The first \(limit) are shown; --limit 0 shows all.")
    }
  }
}
