// Trials of a search as JSON, exact to the last bit.

public import MartletModel

extension Observation {
  /// `{trial, coordinates, state, losses, violations, note, step}`.
  public var json: JSONValue {
    [
      "trial": JSONValue(trial), "coordinates": .array(coordinates.map(JSONValue.double)),
      "state": .string(state.rawValue), "losses": .array(losses.map(JSONValue.double)),
      "violations": .array(violations.map(JSONValue.double)), "note": note ?? .null,
      "step": JSONValue(step),
    ]
  }

  /// Nil: `json` is not what `json` gave.
  public init?(json: JSONValue) {
    guard let trial = json["trial"]?.int, let coordinates = json["coordinates"]?.doubles,
      let state = json["state"]?.string.flatMap(TrialState.init(rawValue:)), state.isEnd,
      let losses = json["losses"]?.doubles, let violations = json["violations"]?.doubles
    else { return nil }
    self.init(
      trial: Int(trial), coordinates: coordinates, state: state, losses: losses, violations: violations,
      note: json["note"].flatMap { $0.isNull ? nil : $0 }, step: json["step"]?.int.map(Int.init))
  }
}

extension PendingTrial {
  /// `{trial, coordinates, note}`.
  public var json: JSONValue {
    [
      "trial": JSONValue(trial), "coordinates": .array(coordinates.map(JSONValue.double)),
      "note": note ?? .null,
    ]
  }

  /// Nil: `json` is not what `json` gave.
  public init?(json: JSONValue) {
    guard let trial = json["trial"]?.int, let coordinates = json["coordinates"]?.doubles else { return nil }
    self.init(
      trial: Int(trial), coordinates: coordinates, note: json["note"].flatMap { $0.isNull ? nil : $0 })
  }
}

extension JSONValue {
  /// A list of numbers.
  fileprivate var doubles: [Double]? {
    guard let items = array else { return nil }
    let numbers = items.compactMap(\.double)
    return numbers.count == items.count ? numbers : nil
  }
}
