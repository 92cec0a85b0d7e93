// What is handed in: sweeps and commands, with the environment they are to run in.

package import MartletFormats
package import MartletModel
package import MartletScheduling
package import OrderedCollections

/// The body of POST /sweeps, read and checked.
package struct NewSweep: Sendable {
  package var specification: SweepSpecification
  package var name: String
  package var project: String
  package var workdir: String
  package var output: String?
  package var environment: OrderedDictionary<String, String>
  /// Whose environment goes behind it; nil: nobody's.
  package var environmentOwner: EnvironmentOwner?
  package var commandOverride: [String]?

  /// - Throws: `Problem.unprocessable`, with the place in the file when the file is wrong.
  package init(json: JSONValue) throws {
    let reader = try JSONReader(json)
    try reader.allowOnly([
      "source", "filename", "name", "project", "command", "workdir", "output", "environment",
      "client_version", "max_parallel", "environment_of",
    ])
    let source = try reader.requiredString("source")
    commandOverride = try reader.strings("command")
    do {
      specification = try SweepSpecification.read(
        source: source, filename: try reader.string("filename"), command: commandOverride)
    } catch let error as SweepFileError {
      throw error.problem
    }
    if let count = try reader.int("max_parallel") {
      guard let parallel = Int(exactly: count), (0...100_000).contains(parallel) else {
        throw JSONMemberError(key: "max_parallel", message: "must be 0 to 100000, not \(count)")
      }
      (specification.maxParallel, specification.isAutomatic) = (parallel, false)
    }
    let submitted = try reader.requiredString("workdir")
    try Self.checkAbsolute(submitted, "workdir")
    workdir = specification.workdir.map { Self.resolve($0, in: submitted) } ?? submitted
    output = (try reader.string("output") ?? specification.output).map { Self.resolve($0, in: submitted) }
    name = try reader.string("name") ?? specification.title
    project = try reader.string("project") ?? specification.project ?? name
    environment = try Self.environment(try reader.object("environment") ?? [:])
    environment.merge(specification.environment, uniquingKeysWith: { $1 })
    environmentOwner = try EnvironmentOwner(reader, "environment_of")
  }

  static func environment(_ members: JSONObject) throws(JSONMemberError) -> OrderedDictionary<String, String>
  {
    var environment: OrderedDictionary<String, String> = [:]
    for (name, value) in members {
      guard let text = value.string, !name.isEmpty, !name.contains("="), !name.utf8.contains(0),
        !text.utf8.contains(0)
      else {
        throw JSONMemberError(
          key: "environment", message: "must map names of variables to strings ('\(name)' does not)")
      }
      environment[name] = text
    }
    return environment
  }

  static func checkAbsolute(_ path: String, _ key: String) throws(JSONMemberError) {
    guard path.hasPrefix("/"), !path.utf8.contains(0) else {
      throw JSONMemberError(key: key, message: "must be an absolute path, not '\(path)'")
    }
  }

  static func resolve(_ path: String, in directory: String) -> String {
    path.hasPrefix("/") ? path : "\(directory)/\(path)"
  }
}

/// The body of POST /executions, read and checked.
package struct NewExecution: Sendable {
  package var project: String
  package var name: String?
  package var command: [String]
  package var workdir: String
  package var environment: OrderedDictionary<String, String>
  package var output: String?
  package var timeout: Double?
  package var grace: Double
  package var needs: Needs
  package var limits: AttemptLimits
  package var retries: RetryPolicy
  package var priority: Int
  package var stopSignal: String

  package init(json: JSONValue) throws {
    let reader = try JSONReader(json)
    try reader.allowOnly([
      "project", "name", "command", "workdir", "environment", "timeout_s", "grace_s", "output", "gpus",
      "stop_signal", "resources", "retries", "retry_pause", "priority",
    ])
    project = try reader.string("project") ?? "default"
    name = try reader.string("name")
    command = try reader.required("command", reader.strings("command"))
    guard let program = command.first, !program.isEmpty else {
      throw JSONMemberError(key: "command", message: "must name a program")
    }
    workdir = try reader.requiredString("workdir")
    try NewSweep.checkAbsolute(workdir, "workdir")
    environment = try NewSweep.environment(try reader.object("environment") ?? [:])
    let workdir = workdir
    output = try reader.string("output").map { NewSweep.resolve($0, in: workdir) }
    timeout = try reader.double("timeout_s")
    grace = try reader.double("grace_s") ?? 10
    for (key, value) in [("timeout_s", timeout ?? 1), ("grace_s", grace)] where !(value >= 0 && value < 1e9) {
      throw JSONMemberError(key: key, message: "must be a number of seconds, not negative")
    }
    needs = try Self.needs(reader)
    limits = try Self.limits(reader)
    retries = try Self.retries(reader)
    priority = try Self.priority(reader) ?? 0
    stopSignal = try reader.string("stop_signal") ?? "TERM"
    guard ["TERM", "USR1"].contains(stopSignal) else {
      throw JSONMemberError(key: "stop_signal", message: "must be TERM or USR1, not '\(stopSignal)'")
    }
  }
}

/// How running trials of a sweep that is stopped are treated.
package enum StopMode: String, Sendable, CaseIterable {
  /// They are asked to leave.
  case now
  /// They go on to their end.
  case drain
}
