// What a client of the live feed says.

import MartletModel

/// A message from a client that can be read.
enum LiveMessage: Sendable {
  case auth(token: String)
  case subscribe(id: UInt32, LiveTopic, LiveStart)
  case unsubscribe(id: UInt32)
}

/// What a subscription hears about.
enum LiveTopic: Sendable, Hashable {
  /// Run rows, of one project (by name or id) or of all.
  case runs(project: String?)
  case run(PublicID)
  /// A sweep and its trials.
  case sweep(PublicID)
  /// All sweeps' rows.
  case sweeps
  /// Points of runs; keys nil: all.
  case points(runs: Set<PublicID>, keys: [String]?)
  /// System metrics of runs; keys nil: all.
  case systemPoints(runs: Set<PublicID>, keys: [String]?)
  case log(LogPlace)
  /// Devices, who holds them and who waits.
  case pool
}

/// What a subscription begins with.
struct LiveStart: Sendable, Hashable {
  /// The last change that the client heard of, and of which server's feed.
  struct Place: Sendable, Hashable {
    var epoch: String
    var sequence: UInt64
  }

  /// Where an earlier subscription ended: what was missed is told.
  var since: Place?
  /// Whether all current rows are told first, where `since` does not serve.
  var wantsSnapshot = false
}

/// Where in which log.
struct LogPlace: Sendable, Hashable {
  var run: PublicID
  var stream: LogStream
  /// Nil: the newest.
  var attempt: Int?
  /// Bytes; negative: from the end.
  var offset: Int
}

/// Why a message cannot be read: the connection is closed with 4400 and this as its reason.
struct UnreadableMessage: Error, Sendable {
  var reason: String
}

extension LiveMessage {
  init(text: [UInt8]) throws(UnreadableMessage) {
    do {
      let reader = try JSONReader(try JSONValue.parse(text), path: "")
      switch try reader.requiredString("type") {
      case "auth": self = .auth(token: try reader.string("token") ?? "")
      case "subscribe":
        self = .subscribe(id: try Self.id(reader), try LiveTopic(reader), try LiveStart(reader))
      case "unsubscribe": self = .unsubscribe(id: try Self.id(reader))
      case let type: throw JSONMemberError(key: "type", message: "has no value '\(type.prefix(40))'")
      }
    } catch let error as JSONMemberError {
      throw UnreadableMessage(reason: error.description)
    } catch let error as JSONSyntaxError {
      throw UnreadableMessage(reason: error.description)
    } catch {
      throw UnreadableMessage(reason: "\(error)")
    }
  }

  private static func id(_ reader: JSONReader) throws(JSONMemberError) -> UInt32 {
    guard let id = UInt32(exactly: try reader.requiredInt("id")) else {
      throw JSONMemberError(key: "id", message: "must be 0 to \(UInt32.max)")
    }
    return id
  }
}

/// Bytes of a project's name.
private let maximumName = 256

extension LiveStart {
  fileprivate init(_ reader: JSONReader) throws(JSONMemberError) {
    if let number = try reader.int("since") {
      guard let sequence = UInt64(exactly: number) else {
        throw JSONMemberError(key: "since", message: "must be 0 or more")
      }
      since = Place(epoch: try reader.requiredString("epoch"), sequence: sequence)
    }
    wantsSnapshot = try reader.bool("snapshot") ?? false
  }
}

extension LiveTopic {
  fileprivate init(_ reader: JSONReader) throws(JSONMemberError) {
    switch try reader.requiredString("topic") {
    case "runs":
      let project = try reader.string("project")
      // Answers repeat it, and must stay small.
      guard (project?.utf8.count ?? 0) <= maximumName else {
        throw JSONMemberError(key: "project", message: "must be at most \(maximumName) bytes")
      }
      self = .runs(project: project)
    case "run": self = .run(try Self.id(reader, "run"))
    case "sweep": self = .sweep(try Self.id(reader, "sweep"))
    case "sweeps": self = .sweeps
    case "points":
      var runs: Set<PublicID> = []
      for text in try reader.required("runs", reader.strings("runs")) {
        guard let id = PublicID(rawValue: text) else {
          throw JSONMemberError(key: "runs", message: "holds '\(text.prefix(20))', which is no run id")
        }
        runs.insert(id)
      }
      let keys = try reader.strings("keys")
      self =
        try reader.bool("system") ?? false
        ? .systemPoints(runs: runs, keys: keys) : .points(runs: runs, keys: keys)
    case "log":
      let stream = try reader.string("stream") ?? LogStream.stdout.rawValue
      guard let stream = LogStream(rawValue: stream) else {
        throw JSONMemberError(key: "stream", message: "must be stdout or stderr")
      }
      let attempt = try reader.int("attempt")
      guard attempt.map({ (1...Int64(Int32.max)).contains($0) }) ?? true else {
        throw JSONMemberError(key: "attempt", message: "must be 1 or more")
      }
      self = .log(
        LogPlace(
          run: try Self.id(reader, "run"), stream: stream, attempt: attempt.map(Int.init),
          offset: Int(try reader.int("offset") ?? 0)))
    case "pool": self = .pool
    case let topic: throw JSONMemberError(key: "topic", message: "has no value '\(topic.prefix(40))'")
    }
  }

  private static func id(_ reader: JSONReader, _ key: String) throws(JSONMemberError) -> PublicID {
    let text = try reader.requiredString(key)
    guard let id = PublicID(rawValue: text) else {
      throw JSONMemberError(key: key, message: "must be an id, not '\(text.prefix(20))'")
    }
    return id
  }
}
