// A named drawer of runs and sweeps.

/// A project with the counts that a list of projects shows.
public struct Project: Sendable, Hashable {
  public var id: PublicID
  public var name: String
  public var description: String
  public var createdAt: Timestamp
  public var createdBy: String
  public var runs: Int
  public var running: Int
  public var sweeps: Int
  public var lastActivityAt: Timestamp

  public init(
    id: PublicID, name: String, description: String, createdAt: Timestamp, createdBy: String, runs: Int,
    running: Int, sweeps: Int, lastActivityAt: Timestamp
  ) {
    self.id = id
    self.name = name
    self.description = description
    self.createdAt = createdAt
    self.createdBy = createdBy
    self.runs = runs
    self.running = running
    self.sweeps = sweeps
    self.lastActivityAt = lastActivityAt
  }

  public var json: JSONValue {
    [
      "id": .string(id.rawValue), "name": .string(name), "description": .string(description),
      "created_at": JSONValue(createdAt), "created_by": .string(createdBy), "runs": .int(Int64(runs)),
      "running": .int(Int64(running)), "sweeps": .int(Int64(sweeps)),
      "last_activity_at": JSONValue(lastActivityAt),
    ]
  }
}
