// A run as every face shows it.

import OrderedCollections

/// How a process ended, in numbers and in words.
public struct ExitRecord: Sendable, Hashable {
  /// Exit code; nil when a signal ended it, or it never started.
  public var code: Int?
  /// Signal number; nil when it exited.
  public var signal: Int?
  /// A sentence.
  public var reason: String

  public init(code: Int?, signal: Int?, reason: String) {
    self.code = code
    self.signal = signal
    self.reason = reason
  }

  public var json: JSONValue {
    ["code": JSONValue(code), "signal": JSONValue(signal), "reason": .string(reason)]
  }
}

/// Where the code of a run came from.
public struct GitState: Sendable, Hashable {
  public var commit: String?
  public var branch: String?
  public var isDirty: Bool?
  public var remote: String?

  public init(commit: String?, branch: String?, isDirty: Bool?, remote: String?) {
    self.commit = commit
    self.branch = branch
    self.isDirty = isDirty
    self.remote = remote
  }

  public init(json: JSONValue, path: String) throws(JSONMemberError) {
    let reader = try JSONReader(json, path: path)
    try reader.allowOnly(["commit", "branch", "dirty", "remote"])
    self.init(
      commit: try reader.string("commit"), branch: try reader.string("branch"),
      isDirty: try reader.bool("dirty"),
      remote: try reader.string("remote").map(Secrets.withoutCredentials))
  }

  public var json: JSONValue {
    [
      "commit": JSONValue(commit), "branch": JSONValue(branch), "dirty": JSONValue(isDirty),
      "remote": JSONValue(remote),
    ]
  }
}

/// One metric of a run in numbers: kept up to date with every point.
public struct MetricSummary: Sendable, Hashable {
  public var name: String
  public var last: Double
  public var lastStep: Int64
  public var lastTime: Timestamp
  /// Nil while nothing but NaN was logged.
  public var min: Double?
  public var minStep: Int64?
  public var max: Double?
  public var maxStep: Int64?
  /// Sum of all values but NaN.
  public var sum: Double
  /// Points, NaN included.
  public var count: Int64
  public var nanCount: Int64
  /// Which way is better; nil while nobody said.
  public var goal: Objective.Goal?
  /// Whether it is computed from other metrics of the run.
  public var isDerived = false

  public init(name: String, value: Double, step: Int64, time: Timestamp) {
    self.name = name
    (last, lastStep, lastTime) = (value, step, time)
    (min, minStep, max, maxStep) = (nil, nil, nil, nil)
    (sum, count, nanCount) = (0, 0, 0)
    add(value, step: step, time: time)
  }

  public init(
    name: String, last: Double, lastStep: Int64, lastTime: Timestamp, min: Double?, minStep: Int64?,
    max: Double?,
    maxStep: Int64?, sum: Double, count: Int64, nanCount: Int64
  ) {
    self.name = name
    (self.last, self.lastStep, self.lastTime) = (last, lastStep, lastTime)
    (self.min, self.minStep, self.max, self.maxStep) = (min, minStep, max, maxStep)
    (self.sum, self.count, self.nanCount) = (sum, count, nanCount)
  }

  /// Mean of all values but NaN.
  public var mean: Double? { count > nanCount ? sum / Double(count - nanCount) : nil }

  /// The minimum or the maximum, whichever the goal asks for; nil without a goal.
  public var best: Double? { goal.flatMap { $0 == .minimize ? min : max } }
  /// Where `best` was first reached.
  public var bestStep: Int64? { goal.flatMap { $0 == .minimize ? minStep : maxStep } }

  /// Takes in one more point. The last value is that of the highest step; of equal steps, the later arrival.
  public mutating func add(_ value: Double, step: Int64, time: Timestamp) {
    count += 1
    if step >= lastStep { (last, lastStep, lastTime) = (value, step, time) }
    if value.isNaN {
      nanCount += 1
      return
    }
    sum += value
    if value < min ?? .infinity || min == nil { (min, minStep) = (value, step) }
    if value > max ?? -.infinity || max == nil { (max, maxStep) = (value, step) }
  }

  public var json: JSONValue {
    var members = JSONTree()
    put(into: &members)
    return members.value
  }

  public func put(into members: inout some JSONMembers) {
    members.put("last", last)
    members.put("last_step", lastStep)
    members.put("last_at", lastTime)
    members.put("min", min)
    members.put("min_step", minStep)
    members.put("max", max)
    members.put("max_step", maxStep)
    members.put("mean", mean)
    members.put("best", best)
    members.put("best_step", bestStep)
    members.put("count", count)
    members.put("nan_count", nanCount)
    if isDerived { members.put("derived", .bool(true)) }
  }
}

/// A value that is no number, as it was logged last.
public struct LoggedValue: Sendable, Hashable {
  public var name: String
  public var value: JSONValue
  public var lastStep: Int64

  public init(name: String, value: JSONValue, lastStep: Int64) {
    self.name = name
    self.value = value
    self.lastStep = lastStep
  }
}

/// One execution of a program and all that is known of it.
public struct Run: Sendable, Hashable {
  public var id: PublicID
  public var project: String
  public var name: String
  public var state: RunState
  public var sweep: PublicID?
  public var sweepName: String?
  public var trial: Int?
  public var config: JSONValue
  public var metrics: [MetricSummary]
  public var values: [LoggedValue]
  /// By name.
  public var definitions: [MetricDefinition]
  /// Values that were set in the summary, by name.
  public var summaryValues: [SummaryValue]
  public var tags: [String]
  public var notes: String
  public var group: String?
  public var jobType: String?
  public var command: [String]?
  public var workdir: String?
  /// Where the run's results lie.
  public var directory: String?
  public var host: String?
  public var pid: Int?
  public var git: GitState?
  public var python: String?
  public var createdAt: Timestamp
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  /// The last sign of life, by the server's clock.
  public var lastSeenAt: Timestamp?
  public var createdBy: String
  public var exit: ExitRecord?
  /// Number of the newest attempt, from 1; 0 for a run from outside.
  public var attempt: Int
  public var attempts: Int
  public var devices: [Int]
  public var points: Int64
  public var lastStep: Int64?
  /// When it was put into the trash; nil: it was not.
  public var deletedAt: Timestamp?
  /// The run that this one was forked from, which may be gone.
  public var forkedFrom: PublicID?
  /// The last step that was taken over from `forkedFrom`; nil: all were.
  public var forkStep: Int64?
  /// Since when lists leave it out; nil: they do not.
  public var archivedAt: Timestamp?
  /// Since when it is protected; nil: it is not.
  public var lockedAt: Timestamp?
  /// The run that it is nested in, which may be in the trash.
  public var parent: PublicID?
  /// Runs nested in it directly, without those in the trash.
  public var children: Int
  /// The machine it was started on, in few words.
  public var hardware: String?
  /// What was captured of its surroundings, null when nothing was; nil: it was not read, as in lists.
  public var environment: JSONValue?

  public init(
    id: PublicID, project: String, name: String, state: RunState, createdAt: Timestamp, createdBy: String
  ) {
    self.id = id
    self.project = project
    self.name = name
    self.state = state
    self.createdAt = createdAt
    self.createdBy = createdBy
    (config, metrics, values, tags, notes) = ([:], [], [], [], "")
    (definitions, summaryValues) = ([], [])
    (attempt, attempts, devices, points) = (0, 0, [], 0)
    children = 0
  }

  public func metric(_ name: String) -> MetricSummary? { metrics.first { $0.name == name } }

  public var json: JSONValue {
    var members = JSONTree()
    put(into: &members)
    return members.value
  }

  public func put(into members: inout some JSONMembers) {
    members.put("id", id.rawValue)
    members.put("project", project)
    members.put("name", name)
    members.put("state", state.rawValue)
    members.put("sweep", sweep?.rawValue)
    members.put("sweep_name", sweepName)
    members.put("trial", trial)
    members.put("config", config)
    members.put("summary", object: putSummary)
    members.put("tags", JSONValue(tags))
    members.put("notes", notes)
    members.put("group", group)
    members.put("job_type", jobType)
    members.put("command", JSONValue(command))
    members.put("workdir", workdir)
    members.put("run_dir", directory)
    members.put("host", host)
    members.put("pid", pid)
    members.put("git", git?.json ?? .null)
    members.put("python", python)
    members.put("created_at", createdAt)
    members.put("started_at", startedAt)
    members.put("ended_at", endedAt)
    members.put("last_seen_at", lastSeenAt)
    members.put("created_by", createdBy)
    members.put("exit", exit?.json ?? .null)
    members.put("attempt", attempt)
    members.put("attempts", attempts)
    members.put("devices", .array(devices.map { .int(Int64($0)) }))
    members.put("points", points)
    members.put("last_step", lastStep)
    members.put(
      "metrics", .object(JSONObject(definitions.map { ($0.name, $0.json) }, uniquingKeysWith: { $1 })))
    members.put("deleted_at", deletedAt)
    members.put(
      "forked_from", forkedFrom.map { ["run": .string($0.rawValue), "step": JSONValue(forkStep)] } ?? .null)
    members.put("archived_at", archivedAt)
    members.put("locked_at", lockedAt)
    members.put("parent", parent?.rawValue)
    members.put("children", children)
    members.put("hardware", hardware)
    if let environment { members.put("environment", environment) }
  }

  /// Metrics, then what is none. A name that was logged both as a number and as something else, or was set besides, has
  /// all of it in one place.
  private func putSummary(into members: inout some JSONMembers) {
    guard !values.isEmpty || !summaryValues.isEmpty else {
      for metric in metrics { members.put(metric.name, object: metric.put) }
      return
    }
    var summary = JSONObject()
    for metric in metrics { summary[metric.name] = metric.json }
    for value in values {
      let logged: JSONValue = ["value": value.value, "last_step": .int(value.lastStep)]
      summary[value.name] = logged.merging(summary[value.name] ?? [:])
    }
    for set in summaryValues {
      var entry = summary[set.name]?.object ?? [:]
      entry["value"] = set.value
      entry["set_at"] = JSONValue(set.setAt)
      summary[set.name] = .object(entry)
    }
    for (name, value) in summary { members.put(name, value) }
  }
}
