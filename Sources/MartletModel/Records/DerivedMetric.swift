// Metrics that are computed from others: named expressions of a project.

/// A derived metric of a project.
public struct DerivedMetric: Sendable, Hashable {
  /// In normal form C.
  public var name: String
  /// As it was written.
  public var expression: String
  public var description: String
  /// Which way is better; nil: nobody said.
  public var goal: Objective.Goal?
  public var createdAt: Timestamp
  public var createdBy: String

  public init(
    name: String, expression: String, description: String = "", goal: Objective.Goal? = nil,
    createdAt: Timestamp, createdBy: String
  ) {
    (self.name, self.expression, self.description) = (name, expression, description)
    (self.goal, self.createdAt, self.createdBy) = (goal, createdAt, createdBy)
  }

  public var json: JSONValue {
    [
      "name": .string(name), "expression": .string(expression), "description": .string(description),
      "goal": JSONValue(goal?.rawValue), "created_at": JSONValue(createdAt), "created_by": .string(createdBy),
    ]
  }
}

/// What a request defines.
public struct NewDerivedMetric: Sendable, Hashable {
  public var name: String
  public var expression: String
  public var description: String
  public var goal: Objective.Goal?

  public init(name: String, expression: String, description: String = "", goal: Objective.Goal? = nil) {
    (self.name, self.expression) = (name, expression)
    (self.description, self.goal) = (description, goal)
  }

  /// Reads `{"name", "expression", "description"?, "goal"?}`.
  ///
  /// - Throws: `JSONMemberError` for a member that is missing, unknown or of the wrong kind.
  public init(json: JSONValue) throws(JSONMemberError) {
    let reader = try JSONReader(json)
    try reader.allowOnly(["name", "expression", "description", "goal"])
    self.init(
      name: try reader.requiredString("name"), expression: try reader.requiredString("expression"),
      description: try reader.string("description") ?? "",
      goal: try reader.word("goal", Objective.Goal.self))
  }
}
