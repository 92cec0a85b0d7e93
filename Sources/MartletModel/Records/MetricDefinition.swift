// What a person or a client said of a metric: nothing of it is measured.

/// How a metric is to be shown and judged.
public struct MetricDefinition: Sendable, Hashable {
  /// Which of its aggregates stands for the metric in short.
  public enum Summary: String, Sendable, CaseIterable { case last, min, max, mean, best, none }

  /// Nil: the last value.
  public var summary: Summary?
  /// The metric of the same rows that is its x axis; nil: the step.
  public var stepMetric: String?
  /// What `best` means; nil: nobody said.
  public var goal: Objective.Goal?
  /// Left out of charts unless asked for.
  public var isHidden: Bool

  public init(
    summary: Summary? = nil, stepMetric: String? = nil, goal: Objective.Goal? = nil, isHidden: Bool = false
  ) {
    self.summary = summary
    self.stepMetric = stepMetric
    self.goal = goal
    self.isHidden = isHidden
  }

  /// - Parameter path: the definition's own place, for messages.
  public init(json: JSONValue, path: String) throws(JSONMemberError) {
    let reader = try JSONReader(json, path: path)
    try reader.allowOnly(["summary", "step_metric", "goal", "hidden"])
    summary = try reader.word("summary", Summary.self)
    stepMetric = try reader.string("step_metric")
    if let fault = stepMetric.flatMap(Self.fault(ofName:)) {
      throw JSONMemberError(key: reader.keyPath("step_metric"), message: fault)
    }
    goal = try reader.word("goal", Objective.Goal.self)
    isHidden = try reader.bool("hidden") ?? false
  }

  public var json: JSONValue {
    [
      "summary": JSONValue(summary?.rawValue), "step_metric": JSONValue(stepMetric),
      "goal": JSONValue(goal?.rawValue), "hidden": .bool(isHidden),
    ]
  }

  /// What forbids this name of a metric; nil: nothing. Names are 1–512 bytes without control characters.
  static func fault(ofName name: String) -> String? {
    if name.isEmpty || name.utf8.count > 512 {
      return "holds a name of \(name.utf8.count) bytes; 1 to 512 are allowed"
    }
    if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      return "holds a name with a control character"
    }
    return nil
  }
}
