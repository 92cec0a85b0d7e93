// What a run says of its metrics: how to sum them up, over what to draw them, which way is better.

/// How a metric, or every metric whose name begins alike, is meant.
public struct MetricDefinition: Sendable, Hashable {
  /// Which of a metric's aggregates stands for it in a table.
  public enum Summary: String, Sendable, CaseIterable { case last, min, max, mean, best, none }

  /// A metric's name, or the beginning of names and a `*`.
  public var name: String
  public var summary: Summary?
  /// The metric of the same rows that is its axis; nil: the step.
  public var stepMetric: String?
  public var goal: Objective.Goal?
  public var isHidden: Bool

  public init(
    name: String, summary: Summary? = nil, stepMetric: String? = nil, goal: Objective.Goal? = nil,
    isHidden: Bool = false
  ) {
    (self.name, self.summary, self.stepMetric) = (name, summary, stepMetric)
    (self.goal, self.isHidden) = (goal, isHidden)
  }

  /// Reads `{"summary"?, "step_metric"?, "goal"?, "hidden"?}`.
  ///
  /// - Throws: `JSONMemberError` for a member that is unknown or of the wrong kind.
  public init(name: String, json: JSONValue, path: String) throws(JSONMemberError) {
    let reader = try JSONReader(json, path: path)
    try reader.allowOnly(["summary", "step_metric", "goal", "hidden"])
    self.init(name: name)
    if let text = try reader.string("summary") {
      summary = try Self.word(text, of: Summary.self, at: reader.keyPath("summary"))
    }
    stepMetric = try reader.string("step_metric")
    if let text = try reader.string("goal") {
      guard let goal = Objective.Goal(rawValue: text) else {
        throw JSONMemberError(
          key: reader.keyPath("goal"), message: "must be minimize or maximize, not '\(text)'")
      }
      self.goal = goal
    }
    isHidden = try reader.bool("hidden") ?? false
  }

  private static func word<Word: RawRepresentable & CaseIterable>(
    _ text: String, of: Word.Type, at key: String
  ) throws(JSONMemberError) -> Word where Word.RawValue == String {
    if let word = Word(rawValue: text) { return word }
    let words = Word.allCases.map(\.rawValue)
    let hint = nearest(to: text, in: words).map { "; did you mean '\($0)'?" } ?? ""
    throw JSONMemberError(
      key: key, message: "must be one of \(words.joined(separator: ", ")), not '\(text)'\(hint)")
  }

  /// Whether this speaks of a metric of that name.
  public func covers(_ metric: String) -> Bool {
    name.hasSuffix("*") ? metric.hasPrefix(name.dropLast()) : metric == name
  }

  public var json: JSONValue {
    [
      "summary": JSONValue(summary?.rawValue), "step_metric": JSONValue(stepMetric),
      "goal": JSONValue(goal?.rawValue), "hidden": .bool(isHidden),
    ]
  }
}

extension Collection<MetricDefinition> {
  /// The one that counts for a metric: its own name's, else that of the longest beginning.
  public func definition(of metric: String) -> MetricDefinition? {
    filter { $0.covers(metric) }
      .max {
        ($0.name == metric ? 1 : 0, $0.name.utf8.count) < ($1.name == metric ? 1 : 0, $1.name.utf8.count)
      }
  }
}

/// A value that a person or a client set in a run's summary; it stands before what was logged.
public struct SummaryValue: Sendable, Hashable {
  public var name: String
  public var value: JSONValue
  public var setAt: Timestamp

  public init(name: String, value: JSONValue, setAt: Timestamp) {
    (self.name, self.value, self.setAt) = (name, value, setAt)
  }
}
