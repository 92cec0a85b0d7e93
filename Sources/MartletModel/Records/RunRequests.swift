// What can be asked of runs.

public import OrderedCollections

/// A run that begins outside Martlet, or goes on.
public struct NewRun: Sendable {
  /// What is to happen when the project has a run of this `alias` already.
  public enum Resume: String, Sendable, CaseIterable {
    /// It goes on; where there is none, a new one begins.
    case allow
    /// It goes on; where there is none, the request is refused.
    case must
    /// The request is refused.
    case never
  }

  public var project: String
  /// Nil: adjective-bird-number.
  public var name: String?
  /// The client's own name for the run, 1–256 bytes, unique in its project.
  public var alias: String?
  /// Nil: a new run begins in any case, and takes the alias over.
  public var resume: Resume?
  public var details: RunPatch

  public init(
    project: String, name: String?, details: RunPatch, alias: String? = nil, resume: Resume? = nil
  ) {
    self.project = project
    self.name = name
    self.alias = alias
    self.resume = resume
    self.details = details
  }

  public init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    project = try reader.requiredString("project")
    alias = try reader.string("id")
    resume = try reader.word("resume", Resume.self)
    guard resume == nil || alias != nil else {
      throw JSONMemberError(key: "resume", message: "needs 'id', the name under which the run is known")
    }
    details = try RunPatch(json: json, also: ["project", "id", "resume"])
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
  /// Its members replace the old one's of their names, whole; the others stay.
  public var config: JSONValue?
  public var state: RunState?
  public var host: String?
  public var pid: Int?
  public var command: [String]?
  public var workdir: String?
  public var git: GitState?
  public var python: String?
  /// Definitions of metrics by name, each in place of the name's old one; nil takes it away. A name that ends in `*`
  /// stands for all names that begin so.
  public var metrics: OrderedDictionary<String, MetricDefinition?>?
  /// Values to show in a summary instead of what was measured; null takes one away.
  public var summary: JSONObject?
  /// Tags that it is to have, and to have no more, beside those it has.
  public var addTags: [String]?
  public var removeTags: [String]?
  /// The run that it is to be nested in; `.some(nil)`: none.
  public var parent: PublicID??
  /// Its members replace those of their names; the others stay.
  public var environment: RunEnvironment?
  public var model: ModelSummary?
  /// Whether lists leave it out.
  public var isArchived: Bool?
  /// Whether it is protected against being deleted, taken back and edited.
  public var isLocked: Bool?
  /// The project that it is to be moved to, by name or id.
  public var project: String?

  public init() {}

  public init(json: JSONValue, also: [String] = []) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    // A new run has its project beside these.
    let isNew = also.contains("project")
    let later = isNew ? [] : ["archived", "locked", "project", "add_tags", "remove_tags"]
    try reader.allowOnly(
      [
        "name", "notes", "tags", "group", "job_type", "config", "state", "host", "pid", "command", "workdir",
        "git", "python", "metrics", "summary", "parent", "environment", "model",
      ] + later + also)
    name = try reader.string("name")
    notes = try reader.string("notes")
    tags = try reader.strings("tags")
    group = try reader.string("group")
    jobType = try reader.string("job_type")
    config = try reader.object("config").map(JSONValue.object)
    state = try reader.word("state", RunState.self)
    host = try reader.string("host")
    pid = try reader.int("pid").map(Int.init)
    command = try reader.strings("command")
    workdir = try reader.string("workdir")
    if let value = reader.value("git") { git = try GitState(json: value, path: "git") }
    python = try reader.string("python")
    if let definitions = try reader.object("metrics") {
      metrics = [:]
      for (name, json) in definitions {
        try Self.check(name: name, in: "metrics")
        metrics?[name] = .some(
          json.isNull ? nil : try MetricDefinition(name: name, json: json, path: "metrics.\(name)"))
      }
    }
    summary = try reader.object("summary")
    for name in (summary ?? [:]).keys { try Self.check(name: name, in: "summary") }
    parent = try Self.parent(reader)
    if let value = reader.value("environment") {
      environment = try RunEnvironment(json: value, path: "environment")
    }
    if let value = reader.value("model") { model = try ModelSummary(json: value, path: "model") }
    try Self.check(tags: tags, "tags")
    guard !isNew else { return }
    addTags = try reader.strings("add_tags")
    removeTags = try reader.strings("remove_tags")
    try Self.check(tags: addTags, "add_tags")
    guard tags == nil || addTags == nil && removeTags == nil else {
      throw JSONMemberError(key: "tags", message: "cannot be set and added to at once")
    }
    isArchived = try reader.bool("archived")
    isLocked = try reader.bool("locked")
    project = try reader.string("project")
  }

  /// What can be read of a patch that a process left behind: a member that is wrong takes no other with it.
  ///
  /// - Returns: the patch, and what is wrong with members that are not in it.
  public static func readable(in json: JSONValue) -> (patch: RunPatch, faults: [String]) {
    var members: JSONObject = [:]
    var faults: [String] = []
    for (key, value) in json.object ?? [:] {
      members[key] = value
      do {
        // With those before it: two may be right alone and wrong together.
        _ = try RunPatch(json: .object(members))
      } catch {
        members[key] = nil
        faults.append(error.description)
      }
    }
    do {
      return (try RunPatch(json: .object(members)), faults)
    } catch {
      return (RunPatch(), faults + [error.description])
    }
  }

  /// What a run's own process tells of itself, which comes to a locked run too as long as it lives.
  public var ofItsProcess: RunPatch {
    var patch = RunPatch()
    (patch.host, patch.pid, patch.git, patch.python) = (host, pid, git, python)
    (patch.environment, patch.model, patch.metrics, patch.summary) = (environment, model, metrics, summary)
    (patch.config, patch.command, patch.workdir) = (config, command, workdir)
    return patch
  }

  /// Null is said: nested in none.
  private static func parent(_ reader: JSONReader) throws(JSONMemberError) -> PublicID?? {
    guard reader.members["parent"] != nil else { return nil }
    guard let text = try reader.string("parent") else { return .some(nil) }
    guard let id = PublicID(rawValue: text) else {
      throw JSONMemberError(key: "parent", message: "must be a run's id, not '\(text.prefix(100))'")
    }
    return id
  }

  private static func check(tags: [String]?, _ key: String) throws(JSONMemberError) {
    // An empty tag is no tag.
    for (index, tag) in (tags ?? []).enumerated() where !tag.isEmpty {
      guard let fault = fault(ofLabel: tag) else { continue }
      throw JSONMemberError(key: "\(key)[\(index)]", message: fault)
    }
    if let count = tags?.count, count > 1_000 {
      throw JSONMemberError(key: key, message: "has \(count) items; 1,000 are allowed")
    }
  }

  private static func fault(ofLabel text: String) -> String? {
    if text.isEmpty || text.utf8.count > 256 { return "has \(text.utf8.count) bytes; 1 to 256 are allowed" }
    return text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
      ? "holds a control character" : nil
  }

  /// What forbids this name of a metric; nil: nothing.
  private static func fault(ofName name: String) -> String? {
    if name.isEmpty || name.utf8.count > 512 {
      return "holds a name of \(name.utf8.count) bytes; 1 to 512 are allowed"
    }
    return name.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }
      ? "holds a name with a control character" : nil
  }

  private static func check(name: String, in key: String) throws(JSONMemberError) {
    guard let fault = Self.fault(ofName: name) else { return }
    throw JSONMemberError(key: key, message: fault)
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

/// Back to a step: the rows above it go.
public struct RunRewind: Sendable, Hashable {
  /// The highest step that stays.
  public var step: Int64

  public init(step: Int64) { self.step = step }

  public init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    try reader.allowOnly(["step"])
    step = try reader.requiredInt("step")
  }
}

/// A new run that begins with another one's history.
public struct RunFork: Sendable, Hashable {
  /// The highest step that is taken along; nil: all of them.
  public var step: Int64?
  /// Nil: adjective-bird-number.
  public var name: String?

  public init(step: Int64?, name: String?) {
    self.step = step
    self.name = name
  }

  public init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    try reader.allowOnly(["step", "name"])
    step = try reader.int("step")
    name = try reader.string("name")
  }
}

/// Which runs, and in which order.
public struct RunQuery: Sendable, Hashable {
  public enum Order: Sendable, Hashable {
    case created(descending: Bool)
    case name(descending: Bool)
    /// Missing values last either way.
    case metric(name: String, aggregate: Aggregate, descending: Bool)
    /// Any field of the filter language. Missing values last either way.
    case field(FilterField, descending: Bool)
  }

  /// Which number of a metric; `best` follows the metric's goal, runs without one count as missing.
  public enum Aggregate: String, Sendable, CaseIterable { case last, min, max, mean, best }

  /// Whether archived runs are listed: `false` leaves them out, `true` leaves out the others.
  public enum Archive: String, Sendable, CaseIterable {
    case outside = "false"
    case inside = "true"
    case any
  }

  /// Name or id.
  public var project: String?
  public var sweep: PublicID?
  public var states: Set<RunState>?
  /// Part of the name.
  public var search: String?
  /// No other than this one.
  public var only: PublicID?
  /// The runs in the trash instead of all others.
  public var deleted = false
  /// Which side of the archive; the trash has both.
  public var archive = Archive.outside
  /// Only runs that are nested in this one.
  public var parent: PublicID?
  /// Without those whose parent stands in the same list, as far as the trash and the archive decide that.
  public var onlyRoots = false
  /// Nil: all.
  public var filter: FilterExpression?
  /// What times like `-2d` count from.
  public var now = Timestamp(microseconds: 0)
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
  /// Reads `created`, `-name`, `metric:val/loss.min`, `-metric:accuracy.max`, and any field of the filter language; nil
  /// when it is none of these.
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
    default:
      guard let field = FilterField(String(body)) else { return nil }
      self = .field(field, descending: descending)
    }
  }
}

/// Runs in numbers.
public struct RunCount: Sendable, Hashable {
  public var states: OrderedDictionary<RunState, Int> = [:]

  public init() {}

  public var total: Int { states.values.reduce(0, +) }

  public var json: JSONValue {
    let counts = RunState.allCases.compactMap { state in
      states[state].map { (state.rawValue, JSONValue.int(Int64($0))) }
    }
    return [
      "total": .int(Int64(total)), "states": .object(JSONObject(counts, uniquingKeysWith: { $1 })),
    ]
  }
}
