// `martlet sweep show`: one sweep and its ranked trials.

import ArgumentParser
import MartletModel

struct SweepShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one sweep and its trials, best first.",
    discussion: """
      --format csv lists the trials, --format json the sweep with its trials.
      --file prints the sweep file itself; where it was changed while the sweep was
      paused, --file-version tells which: trials say theirs.

      Examples:
        martlet sweep show digits-grid
        martlet sweep show p81hq0zz --format csv > trials.csv
        martlet sweep show digits-grid --file --file-version 1
      """)

  @Argument(help: "The sweep's id, or its name when it is unique.")
  var sweep: String

  @Flag(name: .long, help: "All trials, not the best 20.")
  var all = false

  @Flag(name: .long, help: "The text of its file, and nothing else.")
  var file = false

  @Option(
    name: .long, help: ArgumentHelp("Which version of its file. (default: the newest)", valueName: "n"))
  var fileVersion: Int?

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.sweep, sweep)
    if file || fileVersion != nil { return try await printFile(of: found, client) }
    let ranked = try await RankedTrials.read(found, from: client)
    switch format.format {
    case .json:
      try Card(item: found.merging(["trials": .array(ranked.trials)]), fields: []).print(.json)
    case .csv:
      try ranked.print(.csv, limit: nil)
    case .table:
      try Card(item: found.merging(try await Self.standing(found, client)), fields: Self.fields).print(.table)
      try Terminal.say("")
      try ranked.print(.table, limit: all ? nil : SweepRun.shownTrials)
    }
  }

  private func printFile(of sweep: JSONValue, _ client: Client) async throws {
    let files = try await client.send(.get, "/sweeps/\(sweep.id)/versions")["items"]?.array ?? []
    let asked = fileVersion.map(Int64.init)
    guard let found = files.last(where: { asked == nil || $0["version"]?.int == asked }),
      let source = found["source"]?.string
    else {
      let versions = files.compactMap { $0["version"]?.int }.map(String.init).joined(separator: ", ")
      throw Failure(
        .notFound,
        "Sweep '\(Terminal.plain(sweep["name"]?.string ?? ""))' has no file of version \(asked ?? 0).",
        hint: "There are: \(versions).")
    }
    if format.format == .json { return try Terminal.say(found.text) }
    try Terminal.say(source.hasSuffix("\n") ? String(source.dropLast()) : source)
  }

  /// Why the first of its trials in the line waits, and until when.
  private static func standing(_ sweep: JSONValue, _ client: Client) async throws -> JSONValue {
    guard sweep.sweepState?.isEnd == false else { return [:] }
    let lent = try await client.send(.get, "/sweeps/\(sweep.id)/agents")["items"]?.array ?? []
    let agents = lent.map { one in
      let name = Terminal.plain(one["agent"]?["name"]?.string ?? "")
      let silence = (one["silence"]?.double).map { $0 > 10 ? ", silent for \(Words.duration($0))" : "" } ?? ""
      return "\(name) (trial \(one["trial"]?.int ?? 0)\(silence))"
    }
    let standing: JSONValue = agents.isEmpty ? [:] : ["agents": .string(agents.joined(separator: ", "))]
    guard sweep.trials(.waiting) > 0 else { return standing }
    let pool = try await client.send(.get, "/pool", query: [("sweep", sweep.id), ("limit", "1")])
    guard let entry = pool["queue"]?.array?.first else { return standing }
    let trial = entry["trial"]?.int.map { "trial \($0): " } ?? ""
    return standing.merging([
      "waits": .string(trial + (entry["reason"]?.string ?? "")), "starts_at": entry["starts_at"] ?? .null,
    ])
  }

  private static let fields = [
    Field("id", "ID"),
    Field("name", "Name"),
    Field("project", "Project"),
    Field("description", "Description"),
    Field("state", "State", .state),
    Field("state_reason", "Reason"),
    Field("waits", "Waits"),
    Field("starts_at", "Starts", .ahead),
    Field("method", "Method"),
    Field("goal", "Goal") { JSONValue($0.goalInWords) },
    Field("trials", "Trials") { sweep in
      let of = sweep["budget"]?.int.map { " of \($0)" } ?? ""
      let failed = sweep.trials(.failed)
      return .string(
        "\(sweep.endedTrials)\(of) ended, \(sweep.trials(.running)) running"
          + (failed > 0 ? ", \(failed) failed" : ""))
    },
    Field("preparation", "Preparation") { sweep in
      guard let run = sweep["preparation"]?["run"]?.string, let state = sweep["preparation"]?["state"]?.string
      else { return nil }
      return .string("\(state), run \(run)")
    },
    Field("max_parallel", "At a time") { sweep in
      sweep["max_parallel"]?.int.map { $0 == 0 ? "none here, agents run them" : .string(String($0)) }
    },
    Field("agents", "Agents"),
    Field("max_parallel_reason", "Why so many") { sweep in
      if let reason = sweep["max_parallel_reason"]?.string { return .string(reason) }
      return sweep["max_parallel_auto"]?.bool == true ? "As many as the machine has room for." : nil
    },
    Field("timeout", "Time limit", .duration),
    Field("priority", "Priority") { ($0["priority"]?.int ?? 0) == 0 ? nil : $0["priority"] },
    Field("command", "Command") { sweep in
      (sweep["command"]?.array).map { .string($0.compactMap(\.string).joined(separator: " ")) }
    },
    Field("workdir", "Directory"),
    Field("output_dir", "Results"),
    Field("created_at", "Created", .time),
    Field("duration_s", "Took", .duration, read: RunGroup.duration),
    Field("created_by", "By"),
  ]
}
