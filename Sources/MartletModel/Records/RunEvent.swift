// What happened to a run, when, and by whom.

/// One entry of a run's account.
public struct RunEvent: Sendable, Hashable {
  public var at: Timestamp
  /// `created state attempt stopRequested renamed edited tagged configured archived unarchived locked unlocked nested
  /// moved forked rewound trashed restored fileDeleted`.
  public var type: String
  /// Name of whoever did it.
  public var by: String
  /// What changed: of a state `{from, to, reason}`.
  public var payload: JSONValue

  public init(at: Timestamp, type: String, by: String, payload: JSONValue) {
    (self.at, self.type, self.by, self.payload) = (at, type, by, payload)
  }

  public var json: JSONValue {
    ["at": JSONValue(at), "type": .string(type), "by": .string(by), "payload": payload]
  }
}
