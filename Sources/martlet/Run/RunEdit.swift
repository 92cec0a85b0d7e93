// `martlet run edit`: group, job type, parent and state.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunEdit: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edit",
    abstract: "Change a run's group, job type, parent or state.",
    discussion: """
      A state is set by hand where it is wrong; who did it and when stands in the run's
      reason and events. The state of a run that is being executed follows its process.

      Examples:
        martlet run edit swift-finch-3 --group seeds --job-type eval
        martlet run edit swift-finch-3 --parent k2f9a0xy
        martlet run edit swift-finch-3 --state failed
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @Option(name: .long, help: "The group it belongs to; empty: none.")
  var group: String?

  @Option(name: .long, help: "What kind of job it is; empty: none.")
  var jobType: String?

  @Option(name: .long, help: "The run it is nested in, by id or name; empty: none.")
  var parent: String?

  @Option(name: .long, help: "The state it is in.")
  var state: String?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func validate() throws {
    guard group != nil || jobType != nil || parent != nil || state != nil else {
      throw ValidationError("Name what is to change: --group, --job-type, --parent or --state.")
    }
    if let state, RunState(rawValue: state) == nil {
      let known = RunState.allCases.map(\.rawValue)
      let hint = nearest(to: state, in: known).map { " Did you mean '\($0)'?" } ?? ""
      throw ValidationError(
        "'\(state)' is no state of a run.\(hint) There are \(known.joined(separator: ", ")).")
    }
  }

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    var body: JSONObject = [:]
    if let group { body["group"] = .string(group) }
    if let jobType { body["job_type"] = .string(jobType) }
    if let state { body["state"] = .string(state) }
    if let parent {
      body["parent"] = parent.isEmpty ? .null : .string(try await client.find(.run, parent).id)
    }
    let changed = try await client.send(.patch, "/runs/\(found.id)", body: .object(body))
    try Card(item: changed, fields: RunGroup.listFields + Self.fields).print(format.format)
  }

  private static let fields = [
    Field("group", "Group"), Field("job_type", "Job type"), Field("parent", "Parent"),
    Field("reason", "Reason") { $0["exit"]?["reason"] },
  ]
}
