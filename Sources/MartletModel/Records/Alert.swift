// What a run, or the server about it, wants somebody to see.

/// How urgent an alert is.
public enum AlertLevel: String, Sendable, CaseIterable { case info, warn, error }

/// An alert that was raised.
public struct Alert: Sendable, Hashable {
  /// Counts up over all runs.
  public var id: Int64
  public var run: PublicID
  public var runName: String
  public var project: String
  public var at: Timestamp
  public var level: AlertLevel
  public var title: String
  public var text: String
  /// What its client calls it; a run raises an alert of one key once.
  public var key: String?
  /// Name of whoever raised it.
  public var by: String

  public init(
    id: Int64, run: PublicID, runName: String, project: String, at: Timestamp, level: AlertLevel,
    title: String,
    text: String, key: String?, by: String
  ) {
    (self.id, self.run, self.runName, self.project) = (id, run, runName, project)
    (self.at, self.level, self.title, self.text) = (at, level, title, text)
    (self.key, self.by) = (key, by)
  }

  public var json: JSONValue {
    [
      "id": .int(id), "run": .string(run.rawValue), "run_name": .string(runName), "project": .string(project),
      "at": JSONValue(at), "level": .string(level.rawValue), "title": .string(title), "text": .string(text),
      "key": JSONValue(key), "by": .string(by),
    ]
  }
}

/// An alert that is to be raised.
public struct NewAlert: Sendable, Hashable {
  public var title: String
  public var text: String
  public var level: AlertLevel
  /// Raised once for each run; nil: each time.
  public var key: String?

  public init(title: String, text: String = "", level: AlertLevel = .info, key: String? = nil) {
    (self.title, self.text, self.level, self.key) = (title, text, level, key)
  }

  public init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    try reader.allowOnly(["title", "text", "level", "key"])
    title = try reader.requiredString("title")
    text = try reader.string("text") ?? ""
    level = try reader.word("level", AlertLevel.self) ?? .info
    key = try reader.string("key")
    try Self.check(title, "title", 1...512)
    try Self.check(text, "text", 0...65_536)
    if let key { try Self.check(key, "key", 1...256) }
  }

  private static func check(
    _ text: String, _ key: String, _ range: ClosedRange<Int>
  ) throws(JSONMemberError) {
    guard range.contains(text.utf8.count) else {
      throw JSONMemberError(
        key: key,
        message: "has \(text.utf8.count) bytes; \(range.lowerBound) to \(range.upperBound) are allowed")
    }
  }
}
