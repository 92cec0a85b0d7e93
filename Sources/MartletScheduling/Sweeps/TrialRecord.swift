// A trial as its sweep's machine remembers it.

package import MartletModel
package import MartletSearch
import OrderedCollections

/// What a trial came to beside its objective.
package struct Measured: Sendable, Hashable {
  /// The objectives after the first, in the order of the file; NaN: there was none.
  package var others: [Double]
  /// By how much each constraint is missed; 0 or less: it is met.
  package var violations: [Double]
  /// The last step that a trial reported which did not come to its end; nil: not known.
  package var step: Int?
  /// What a trial that failed counts as for the search, a value of the first objective; nil: nothing was said of that.
  package var penalty: Double?

  package init(
    others: [Double] = [], violations: [Double] = [], step: Int? = nil, penalty: Double? = nil
  ) {
    self.others = others
    self.violations = violations
    self.step = step
    self.penalty = penalty
  }

  package init(json: JSONValue) {
    func numbers(_ key: String) -> [Double] { json[key]?.array?.map { $0.double ?? .nan } ?? [] }
    self.init(
      others: numbers("others"), violations: numbers("violations"), step: json["step"]?.int.map { Int($0) },
      penalty: json["penalty"]?.double)
  }

  /// Null: nothing was measured.
  package var json: JSONValue {
    var members = JSONObject()
    if !others.isEmpty { members["others"] = .array(others.map(JSONValue.double)) }
    if !violations.isEmpty { members["violations"] = .array(violations.map(JSONValue.double)) }
    if let step { members["step"] = .int(Int64(step)) }
    if let penalty { members["penalty"] = .double(penalty) }
    return members.isEmpty ? .null : .object(members)
  }
}

/// How a trial was chosen: what the search wants back with its result.
package struct TrialOrigin: Sendable, Hashable {
  /// In the cube of its sweep's space; NaN: inactive. Empty: unknown, the point says it.
  package var coordinates: [Double]
  package var note: JSONValue?
  /// The trial whose checkpoint it begins with.
  package var from: Int?
  /// Somebody wanted a point once more that was known.
  package var isRepeat: Bool

  package init(
    coordinates: [Double] = [], note: JSONValue? = nil, from: Int? = nil, isRepeat: Bool = false
  ) {
    self.coordinates = coordinates
    self.note = note
    self.from = from
    self.isRepeat = isRepeat
  }

  package init(json: JSONValue) {
    coordinates = json["at"]?.array?.map { $0.double ?? .nan } ?? []
    note = json["note"]
    from = json["from"]?.int.map(Int.init)
    isRepeat = json["repeat"]?.bool ?? false
  }

  package var json: JSONValue {
    var members: JSONObject = ["at": .array(coordinates.map { $0.isNaN ? .null : .double($0) })]
    if let note { members["note"] = note }
    if let from { members["from"] = .int(Int64(from)) }
    if isRepeat { members["repeat"] = true }
    return .object(members)
  }
}

/// What the values of a running trial mean for it.
package enum Verdict: Sendable, Hashable {
  /// It is not gone on with; why, a sentence.
  case prune(reason: String)
  /// It stops at its checkpoint, and may be gone on with; why, a sentence.
  case pause(reason: String)

  package var reason: String {
    switch self {
    case .prune(let reason), .pause(let reason): reason
    }
  }

  package init?(json: JSONValue) {
    if let reason = json["prune"]?.string {
      self = .prune(reason: reason)
    } else if let reason = json["pause"]?.string {
      self = .pause(reason: reason)
    } else {
      return nil
    }
  }

  package var json: JSONValue {
    switch self {
    case .prune(let reason): ["prune": .string(reason)]
    case .pause(let reason): ["pause": .string(reason)]
    }
  }
}

extension SweepMachine {
  /// A trial that was asked for.
  package struct TrialRecord: Sendable, Hashable {
    package var point: Point
    package var origin: TrialOrigin
    package var state: TrialState
    package var objective: Double?
    package var measured: Measured
    /// Why it failed, or was pruned.
    package var reason: String?
    /// Why it has been asked to leave.
    package var verdict: Verdict?
    /// How many it had.
    package var attempts: Int

    package init(
      point: Point, origin: TrialOrigin = TrialOrigin(), state: TrialState, objective: Double?,
      measured: Measured = Measured(), reason: String? = nil, verdict: Verdict? = nil, attempts: Int = 0
    ) {
      self.point = point
      self.origin = origin
      self.state = state
      self.objective = objective
      self.measured = measured
      self.reason = reason
      self.verdict = verdict
      self.attempts = attempts
    }

    /// It was trained to its end and meets every constraint.
    package var isFeasible: Bool { state == .complete && measured.violations.allSatisfy { $0 <= 0 } }

    /// It can no longer be the best: it ended without meeting every constraint, or misses one by what is known so far.
    package var missesConstraint: Bool {
      measured.violations.contains { state == .complete ? !($0 <= 0) : $0 > 0 }
    }

    /// What the search learns of it, to be minimised: its objectives, or what it counts as since it failed. Empty: nothing.
    package func losses(_ objectives: [Objective]) -> [Double] {
      let values =
        state == .failed
        ? measured.penalty.map { [$0] } ?? [] : objective.map { [$0] + measured.others } ?? []
      return SweepMachine.losses(values, objectives)
    }

    mutating func end(
      _ state: TrialState, _ objective: Double?, _ measured: Measured, _ reason: String? = nil
    ) {
      (self.state, self.objective, self.measured) = (state, objective, measured)
      (self.reason, verdict) = (reason, nil)
    }
  }
}

extension TrialState {
  /// It waits or runs.
  package var isOpen: Bool { !isEnd && self != .paused }
}
