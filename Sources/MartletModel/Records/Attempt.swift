// One start of a run's process.

/// One start of a run's process, as every face shows it.
public struct Attempt: Sendable, Hashable {
  /// From 1 in its run.
  public var number: Int
  public var state: AttemptState
  public var createdAt: Timestamp
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var exit: ExitRecord?
  public var pid: Int?
  public var devices: [Int]
  /// The directory of its records and logs.
  public var directory: String
  /// When somebody asked for its end.
  public var stopRequestedAt: Timestamp?
  /// When it was asked to make room for somebody else: another attempt follows it.
  public var roomRequestedAt: Timestamp?
  /// When it is killed if it has not left by then.
  public var killAt: Timestamp?
  public var use = AttemptUse()
  /// The agent that runs it in the server's place, `{id, name, devices}`, and once it runs `{host, workdir, dir}`, which
  /// are of the agent's machine; null: the server runs it.
  public var agent = JSONValue.null
  /// Its limits and what keeps them, once it runs; null: it has none.
  public var limits = JSONValue.null

  public init(
    number: Int, state: AttemptState, createdAt: Timestamp, startedAt: Timestamp?, endedAt: Timestamp?,
    exit: ExitRecord?, pid: Int?, devices: [Int], directory: String
  ) {
    self.number = number
    self.state = state
    self.createdAt = createdAt
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.exit = exit
    self.pid = pid
    self.devices = devices
    self.directory = directory
  }

  public var json: JSONValue {
    [
      "number": .int(Int64(number)), "state": .string(state.rawValue), "created_at": JSONValue(createdAt),
      "started_at": JSONValue(startedAt), "ended_at": JSONValue(endedAt), "exit": exit?.json ?? .null,
      "agent": agent, "pid": JSONValue(pid), "devices": .array(devices.map { .int(Int64($0)) }),
      "dir": .string(directory),
      "stop_requested_at": JSONValue(stopRequestedAt), "room_requested_at": JSONValue(roomRequestedAt),
      "kill_at": JSONValue(killAt),
      "peak_memory": JSONValue(use.peakMemory), "cpu_seconds": JSONValue(use.cpuSeconds),
      "limit": JSONValue(use.limit), "fault": JSONValue(use.fault), "limits": limits,
    ]
  }
}

/// Which of a process's two outputs.
public enum LogStream: String, Sendable, CaseIterable { case stdout, stderr }

/// A piece of a log.
public struct LogSlice: Sendable, Hashable {
  public var stream: LogStream
  public var attempt: Int
  /// Bytes from the log's beginning.
  public var offset: Int
  public var nextOffset: Int
  public var size: Int
  /// Nothing will be added any more.
  public var ended: Bool
  public var text: String

  public init(
    stream: LogStream, attempt: Int, offset: Int, nextOffset: Int, size: Int, ended: Bool, text: String
  ) {
    self.stream = stream
    self.attempt = attempt
    self.offset = offset
    self.nextOffset = nextOffset
    self.size = size
    self.ended = ended
    self.text = text
  }

  public var json: JSONValue {
    [
      "stream": .string(stream.rawValue), "attempt": .int(Int64(attempt)), "offset": .int(Int64(offset)),
      "next_offset": .int(Int64(nextOffset)), "size": .int(Int64(size)), "ended": .bool(ended),
      "text": .string(text),
    ]
  }
}
