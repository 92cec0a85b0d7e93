// The names that runs have, for whoever chooses columns or writes a filter.

/// A path of configurations, or a name of values that were set in summaries.
public struct ConfigFieldSummary: Sendable, Hashable {
  public var name: String
  /// How many runs have it, those in the trash included.
  public var runs: Int
  /// How many different values the newest runs have.
  public var values: Int
  /// Whether the newest runs differ in it, by a value or by lacking it.
  public var varies: Bool

  public init(name: String, runs: Int, values: Int, varies: Bool) {
    (self.name, self.runs, self.values, self.varies) = (name, runs, values, varies)
  }

  public var json: JSONValue {
    [
      "name": .string(name), "runs": .int(Int64(runs)), "values": .int(Int64(values)),
      "varies": .bool(varies),
    ]
  }
}

public struct MetricFieldSummary: Sendable, Hashable {
  public var name: String
  /// How many runs have it, those in the trash included.
  public var runs: Int
  /// What the newest run says that has one.
  public var goal: Objective.Goal?

  public init(name: String, runs: Int, goal: Objective.Goal?) {
    (self.name, self.runs, self.goal) = (name, runs, goal)
  }

  public var json: JSONValue {
    ["name": .string(name), "runs": .int(Int64(runs)), "goal": JSONValue(goal?.rawValue)]
  }
}

/// All names of a project's runs, or of all runs.
public struct FieldList: Sendable, Hashable {
  public var config: [ConfigFieldSummary] = []
  public var summary: [ConfigFieldSummary] = []
  public var metrics: [MetricFieldSummary] = []
  public var derived: [(name: String, expression: String)] = []

  public init() {}

  public static func == (a: FieldList, b: FieldList) -> Bool { a.json == b.json }
  public func hash(into hasher: inout Hasher) { hasher.combine(json) }

  public var json: JSONValue {
    [
      "config": .array(config.map(\.json)), "summary": .array(summary.map(\.json)),
      "metrics": .array(metrics.map(\.json)),
      "derived": .array(
        derived.map { ["name": .string($0.name), "expression": .string($0.expression)] }),
      "attributes": JSONValue(FilterAttribute.allCases.map(\.rawValue)),
    ]
  }
}

/// A filter that is being written, looked at.
public struct FilterAdvice: Sendable, Hashable {
  public var error: FilterError?
  /// The filter in one form; nil where it cannot be read.
  public var canonical: String?
  public var clauses: [ParsedFilter.Clause] = []
  public var range = FilterRange(0, 0)
  public var suggestions: [FilterSuggestion] = []

  public init() {}

  public var json: JSONValue {
    [
      "valid": .bool(error == nil), "error": error?.json ?? .null, "canonical": JSONValue(canonical),
      "clauses": .array(
        clauses.map {
          [
            "from": .int(Int64($0.range.from)), "to": .int(Int64($0.range.to)),
            "text": .string($0.expression.description),
          ]
        }),
      "completion": [
        "from": .int(Int64(range.from)), "to": .int(Int64(range.to)),
        "items": .array(suggestions.map(\.json)),
      ],
    ]
  }
}
