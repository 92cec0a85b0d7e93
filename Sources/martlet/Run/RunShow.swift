// `martlet run show`: one run in full.

import ArgumentParser
import MartletModel
import OrderedCollections

struct RunShow: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one run: state, command, configuration, metrics.",
    discussion: """
      Examples:
        martlet run show swift-finch-3
        martlet run show k2f9a0xy --format json
      """)

  @Argument(help: "The run's id, or its name when it is unique.")
  var run: String

  @OptionGroup var connection: ConnectionOptions
  @OptionGroup var format: FormatOption

  func run() async throws {
    let client = try connection.client()
    let found = try await client.find(.run, run)
    let item = try await format.format == .json ? found : found.merging(Self.standing(found, client))
    try Card(item: item, fields: Self.fields).print(format.format)
    guard format.format == .table else { return }
    try await printUse(found, client)
    try printConfiguration(found)
    try printMetrics(found)
    try await printAlerts(found, client)
  }

  /// Why it waits and until when, when it is expected to end, how far its stopping is: of runs that Martlet executes.
  private static func standing(_ run: JSONValue, _ client: Client) async throws -> JSONValue {
    guard run.runState?.isEnd == false, run["attempt"]?.int ?? 0 > 0 else { return [:] }
    let pool = try await client.send(.get, "/pool", query: [("run", run.id)])
    var members: JSONObject = [:]
    if let entry = pool["queue"]?.array?.first {
      members["waits"] = entry["reason"]
      members["position"] = entry["position"]
      members["starts_at"] = entry["starts_at"]
    }
    members["expected_end"] = pool["running"]?.array?.first?["expected_end"]
    let attempts = try await client.send(.get, "/runs/\(run.id)/attempts")["items"]?.array
    if let attempt = attempts?.last { members["stopping"] = JSONValue(stopping(attempt)) }
    return .object(members)
  }

  /// "asked to leave 3 s ago; killed in 7 s if it has not".
  private static func stopping(_ attempt: JSONValue) -> String? {
    guard attempt["ended_at"]?.isNull ?? true else { return nil }
    let (stop, room) = (attempt["stop_requested_at"]?.int, attempt["room_requested_at"]?.int)
    guard let asked = stop ?? room else { return nil }
    let what = stop == nil ? "asked to make room" : "asked to leave"
    let kill = attempt["kill_at"]?.int.map { "; killed \(Words.ahead($0)) if it has not" } ?? ""
    return "\(what) \(Words.ago(asked))\(kill)"
  }

  private func printAlerts(_ run: JSONValue, _ client: Client) async throws {
    let alerts = try await client.items("/runs/\(run.id)/alerts", limit: 5)
    guard !alerts.isEmpty else { return }
    try Terminal.say("\nAlerts")
    for alert in alerts {
      let level = alert["level"]?.string ?? ""
      let when = Words.ago(alert["at"]?.int ?? 0)
      try Terminal.say("  \(level): \(Terminal.plain(alert["title"]?.string ?? "")) (\(when))")
    }
  }

  /// What its newest attempt used, and its limits.
  private func printUse(_ run: JSONValue, _ client: Client) async throws {
    guard (run["attempts"]?.int ?? 0) > 0 else { return }
    let attempts = try await client.send(.get, "/runs/\(run.id)/attempts")["items"]?.array ?? []
    guard let newest = attempts.last else { return }
    let fields = [
      Field("peak_memory", "Peak memory", .bytes),
      Field("cpu_seconds", "CPU time", .duration),
      Field("limit", "Ended by limit"),
      Field("fault", "Fault"),
      Field("limits", "Limits") { Self.limits($0["limits"]) },
    ]
    guard fields.contains(where: { !($0.read(newest) ?? .null).isNull }) else { return }
    try Terminal.say("\nUse")
    try Card(item: newest, fields: fields).print(.table)
  }

  /// `memory 2.0 GB (cgroup v2), 4 processors (affinity), output 1.0 GB, 1024 open files`.
  static func limits(_ limits: JSONValue?) -> JSONValue? {
    guard let limits, limits.object != nil else { return nil }
    func way(_ key: String) -> String { limits[key]?.string.map { " (\($0))" } ?? "" }
    var words: [String] = []
    if let memory = limits["memory"]?.int { words.append("memory \(Words.bytes(memory))\(way("memory_by"))") }
    if let cpus = limits["cpus"]?.int { words.append("\(Words.count(cpus, "processor"))\(way("cpus_by"))") }
    if let output = limits["output"]?.int { words.append("output \(Words.bytes(output))") }
    if let files = limits["open_files"]?.int { words.append(Words.count(files, "open file")) }
    return .string(words.joined(separator: ", "))
  }

  private func printConfiguration(_ run: JSONValue) throws(OutputClosed) {
    guard let config = run["config"]?.object, !config.isEmpty else { return }
    try Terminal.say("\nConfiguration")
    let fields = config.keys.map { key in Field(key, "  \(key)") { $0[key] } }
    try Card(item: .object(config), fields: fields).print(.table)
  }

  private func printMetrics(_ run: JSONValue) throws(OutputClosed) {
    guard let summary = run["summary"]?.object, !summary.isEmpty else { return }
    var items: [JSONValue] = []
    for (name, metric) in summary {
      var members = metric.object ?? [:]
      members["name"] = .string(name)
      members["last"] = members["last"] ?? members["value"]
      items.append(.object(members))
    }
    try Terminal.say("")
    let fields = [
      Field("name", "Metric"),
      Field("last", "Last", .number),
      Field("last_step", "at step", .number, dispensability: 1),
      Field("min", "Min", .number),
      Field("min_step", "at step", .number, dispensability: 2),
      Field("max", "Max", .number),
      Field("max_step", "at step", .number, dispensability: 3),
      Field("count", "Points", .number, dispensability: 4),
    ]
    try Listing(items: items, fields: fields, whenEmpty: "").print(.table)
  }

  private static let fields =
    [
      Field("id", "ID"),
      Field("name", "Name"),
      Field("project", "Project"),
      Field("state", "State", .state),
      Field("reason", "Reason") { $0["exit"]?["reason"] },
      Field("waits", "Waits"),
      Field("position", "In the line", .number),
      Field("starts_at", "Starts", .ahead),
      Field("stopping", "Stopping"),
      Field("expected_end", "Ends", .ahead),
      Field("exit_code", nil, .number) { $0["exit"]?["code"] },
      Field("exit_signal", nil, .number) { $0["exit"]?["signal"] },
      Field("sweep", nil),
      Field("sweep_name", "Sweep"),
      Field("trial", "Trial", .number),
      Field("command", "Command") { run in
        (run["command"]?.array).map { .string(Words.command($0.compactMap(\.string))) }
      },
      Field("workdir", "Directory"),
      Field("run_dir", "Results"),
      Field("host", "Host"),
      Field("hardware", "Machine"),
      Field("pid", "Process") { $0["pid"] },
      Field("devices", "Devices") { run in
        (run["devices"]?.array).flatMap { devices in
          devices.isEmpty ? nil : .string(devices.map(Words.value).joined(separator: " "))
        }
      },
      Field("git_commit", "Commit", read: commit),
      Field("python", "Python"),
      Field("created_at", "Created", .time),
      Field("started_at", "Started", .time),
      Field("ended_at", "Ended", .time),
      Field("duration_s", "Took", .duration, read: RunGroup.duration),
      Field("attempts", "Attempts") { run in (run["attempts"]?.int ?? 0) > 1 ? run["attempts"] : nil },
      Field("last_step", "Last step", .number),
      Field("points", "Points", .number),
      Field("group", "Group"),
      Field("job_type", "Job type"),
      Field("tags", "Tags") { run in
        (run["tags"]?.array).map { .string($0.compactMap(\.string).joined(separator: " ")) }
      },
      Field("parent", "Nested in"),
      Field("children", "Holds") { run in (run["children"]?.int ?? 0) > 0 ? run["children"] : nil },
      Field("locked_at", "Locked", .time),
      Field("archived_at", "Archived", .time),
      Field("notes", "Notes"),
      Field("created_by", "By"),
    ]

  @Sendable private static func commit(_ run: JSONValue) -> JSONValue? {
    guard let commit = run["git"]?["commit"]?.string else { return nil }
    let branch = (run["git"]?["branch"]?.string).map { " on \($0)" } ?? ""
    let changed = run["git"]?["dirty"]?.bool == true ? ", with changes" : ""
    return .string("\(commit.prefix(12))\(branch)\(changed)")
  }
}
