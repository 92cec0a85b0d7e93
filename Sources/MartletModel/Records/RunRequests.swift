// What can be asked of runs.

import OrderedCollections

/// A run that begins outside Martlet.
public struct NewRun: Sendable {
  public var project: String
  /// Nil: adjective-bird-number.
  public var name: String?
  public var details: RunPatch

  public init(project: String, name: String?, details: RunPatch) {
    self.project = project
    self.name = name
    self.details = details
  }

  public init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    project = try reader.requiredString("project")
    details = try RunPatch(json: json, also: ["project"])
    name = details.name
  }
}

/// What is to change in a run; what is nil stays.
public struct RunPatch: Sendable, Hashable {
  public var name: String?
  public var notes: String?
  public var tags: [String]?
  public var group: String?
  public var jobType: String?
  /// Merged over the old one, key by key.
  public var config: JSONValue?
  public var state: RunState?
  public var host: String?
  public var pid: Int?
  public var command: [String]?
  public var workdir: String?
  public var git: GitState?
  public var python: String?

  public init() {}

  public init(json: JSONValue, also: [String] = []) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    try reader.allowOnly(
      [
        "name", "notes", "tags", "group", "job_type", "config", "state", "host", "pid", "command", "workdir",
        "git",
        "python",
      ] + also)
    name = try reader.string("name")
    notes = try reader.string("notes")
    tags = try reader.strings("tags")
    group = try reader.string("group")
    jobType = try reader.string("job_type")
    config = try reader.object("config").map(JSONValue.object)
    if let text = try reader.string("state") {
      guard let state = RunState(rawValue: text) else {
        let hint =
          nearest(to: text, in: RunState.allCases.map(\.rawValue)).map { "; did you mean '\($0)'?" } ?? ""
        throw JSONMemberError(key: "state", message: "has no value '\(text)'\(hint)")
      }
      self.state = state
    }
    host = try reader.string("host")
    pid = try reader.int("pid").map(Int.init)
    command = try reader.strings("command")
    workdir = try reader.string("workdir")
    if let value = reader.value("git") { git = try GitState(json: value, path: "git") }
    python = try reader.string("python")
  }
}

/// The end of a run from outside.
public struct RunFinish: Sendable, Hashable {
  public var state: RunState
  public var exitCode: Int?
  public var reason: String?

  public init(state: RunState, exitCode: Int?, reason: String?) {
    self.state = state
    self.exitCode = exitCode
    self.reason = reason
  }

  public init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    try reader.allowOnly(["state", "exit_code", "reason"])
    exitCode = try reader.int("exit_code").map(Int.init)
    reason = try reader.string("reason")
    let text = try reader.string("state") ?? ((exitCode ?? 0) == 0 ? "finished" : "failed")
    guard let state = RunState(rawValue: text), [.finished, .failed, .crashed, .stopped].contains(state)
    else {
      throw JSONMemberError(
        key: "state", message: "must be finished, failed, crashed or stopped, not '\(text)'")
    }
    self.state = state
  }
}

/// Which runs, and in which order.
public struct RunQuery: Sendable, Hashable {
  public enum Order: Sendable, Hashable {
    case created(descending: Bool)
    case name(descending: Bool)
    /// Missing values last either way.
    case metric(name: String, aggregate: Aggregate, descending: Bool)
  }

  public enum Aggregate: String, Sendable, CaseIterable { case last, min, max }

  /// Name or id.
  public var project: String?
  public var sweep: PublicID?
  public var states: Set<RunState>?
  /// Part of the name.
  public var search: String?
  /// No other than this one.
  public var only: PublicID?
  /// Those in the trash instead of all others.
  public var isDeleted = false
  public var order: Order

  public init(
    project: String? = nil, sweep: PublicID? = nil, states: Set<RunState>? = nil, search: String? = nil,
    order: Order = .created(descending: true)
  ) {
    self.project = project
    self.sweep = sweep
    self.states = states
    self.search = search
    self.order = order
  }
}

extension RunQuery.Order {
  /// Reads `created`, `-name`, `metric:val/loss.min`, `-metric:accuracy.max`; nil when it is none of these.
  public init?(_ text: String) {
    let descending = text.hasPrefix("-")
    let body = descending ? text.dropFirst() : text[...]
    switch body {
    case "created": self = .created(descending: descending)
    case "name": self = .name(descending: descending)
    case _ where body.hasPrefix("metric:"):
      let metric = body.dropFirst("metric:".count)
      guard let dot = metric.lastIndex(of: "."), dot > metric.startIndex,
        let aggregate = RunQuery.Aggregate(rawValue: String(metric[metric.index(after: dot)...]))
      else { return nil }
      self = .metric(name: String(metric[..<dot]), aggregate: aggregate, descending: descending)
    default: return nil
    }
  }
}
