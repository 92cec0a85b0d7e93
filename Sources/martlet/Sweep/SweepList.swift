// `martlet sweep list`.

import ArgumentParser
import MartletModel

struct SweepList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List sweeps, newest first.",
    discussion: """
      Examples:
        martlet sweep list
        martlet sweep list --project digits --format json
      """)

  @Option(name: .long, help: "Only this project's.")
  var project: String?

  @Option(name: .long, help: "Only in these states; repeatable, or with commas.")
  var state: [String] = []

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    for state in states where SweepState(rawValue: state) == nil {
      let known = SweepState.allCases.map(\.rawValue)
      let hint = nearest(to: state, in: known).map { " Did you mean '\($0)'?" } ?? ""
      throw ValidationError(
        "'\(state)' is no state of a sweep.\(hint) There are \(known.joined(separator: ", ")).")
    }
  }

  private var states: [String] { state.flatMap { $0.split(separator: ",").map(String.init) } }

  func run() async throws {
    let query: Client.Query = [
      ("project", project), ("state", states.isEmpty ? nil : states.joined(separator: ",")),
    ]
    let sweeps = try await connection.client().items("/sweeps", query: query)
    try Listing(items: sweeps, fields: SweepGroup.listFields, whenEmpty: "There are no such sweeps.")
      .print(format.format)
  }
}
