// What one attempt may use at most, beside its time; and what it did use.

/// Limits of one attempt; nil: none.
public struct AttemptLimits: Sendable, Hashable {
  /// Bytes that all its processes together may hold in memory.
  public var memory: Int64?
  /// Processors that it may keep busy.
  public var cpus: Int?
  /// Bytes of both outputs together.
  public var output: Int64?
  /// Open files of each of its processes.
  public var openFiles: Int?

  public init(memory: Int64? = nil, cpus: Int? = nil, output: Int64? = nil, openFiles: Int? = nil) {
    self.memory = memory
    self.cpus = cpus
    self.output = output
    self.openFiles = openFiles
  }

  public init(json: JSONValue) {
    self.init(
      memory: json["memory"]?.int, cpus: json["cpus"]?.int.flatMap(Int.init(exactly:)),
      output: json["output"]?.int, openFiles: json["open_files"]?.int.flatMap(Int.init(exactly:)))
  }

  public var json: JSONValue {
    [
      "memory": JSONValue(memory), "cpus": JSONValue(cpus), "output": JSONValue(output),
      "open_files": JSONValue(openFiles),
    ]
  }
}

/// What an attempt came to, in numbers and in the scheduler's words; nil: not known, or nothing of the kind.
public struct AttemptUse: Sendable, Hashable {
  /// Bytes that all its processes together held at most, as far as that was seen.
  public var peakMemory: Int64?
  /// Processor time of all its processes.
  public var cpuSeconds: Double?
  /// Which limit ended it: `memory`, `output`, `time`.
  public var limit: String?
  /// Whose fault its end was: `infra`, `failure`, `oom`, `timeout`.
  public var fault: String?

  public init(
    peakMemory: Int64? = nil, cpuSeconds: Double? = nil, limit: String? = nil, fault: String? = nil
  ) {
    self.peakMemory = peakMemory
    self.cpuSeconds = cpuSeconds
    self.limit = limit
    self.fault = fault
  }
}
