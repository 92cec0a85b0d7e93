// What a look at the series of a trial that has ended finds.

import OrderedCollections

/// Kept with the trial.
public struct TrialFindings: Sendable, Hashable {
  /// A metric of the trial as a table shows it.
  public struct Curve: Sendable, Hashable {
    public var name: String
    public var first: Double
    public var final: Double
    /// The least value of a loss, the best of what a sweep looks for; nil: all were NaN.
    public var best: Double?
    /// How many points it has.
    public var count: Int

    public init(name: String, first: Double, final: Double, best: Double?, count: Int) {
      (self.name, self.first, self.final, self.best, self.count) = (name, first, final, best, count)
    }

    init?(json: JSONValue) {
      guard let name = json["name"]?.string, let first = json["first"]?.double,
        let final = json["final"]?.double, let count = json["count"]?.int
      else { return nil }
      self.init(name: name, first: first, final: final, best: json["best"]?.double, count: Int(count))
    }

    var json: JSONValue {
      [
        "name": .string(name), "first": .double(first), "final": .double(final), "best": JSONValue(best),
        "count": .int(Int64(count)),
      ]
    }
  }

  /// What looks wrong, a sentence each.
  public var issues: [String]
  /// The training loss, where one was logged.
  public var training: Curve?
  /// The validation loss, or what the sweep looks for.
  public var validation: Curve?
  public var epochs: Int?
  public var isEarlyStopped: Bool

  public init(
    issues: [String] = [], training: Curve? = nil, validation: Curve? = nil, epochs: Int? = nil,
    isEarlyStopped: Bool = false
  ) {
    self.issues = issues
    self.training = training
    self.validation = validation
    self.epochs = epochs
    self.isEarlyStopped = isEarlyStopped
  }

  public init(json: JSONValue) {
    issues = json["issues"]?.array?.compactMap(\.string) ?? []
    training = json["training"].flatMap(Curve.init(json:))
    validation = json["validation"].flatMap(Curve.init(json:))
    epochs = json["epochs"]?.int.map(Int.init)
    isEarlyStopped = json["early_stopped"]?.bool ?? false
  }

  public var json: JSONValue {
    var members: JSONObject = ["issues": JSONValue(issues)]
    if let training { members["training"] = training.json }
    if let validation { members["validation"] = validation.json }
    if let epochs { members["epochs"] = .int(Int64(epochs)) }
    if isEarlyStopped { members["early_stopped"] = true }
    return .object(members)
  }
}
