// What a sweep remembers beside its trials and its sampler, so that a restart changes nothing.

package import MartletModel
package import MartletSearch
import OrderedCollections

/// A point that somebody added by hand.
package struct AddedPoint: Sendable, Hashable {
  /// As `Point.flat`.
  package var flat: JSONValue
  /// As how many trials it is tried though it was tried before; 0: as one, if it was not.
  package var repeats: Int
  /// Those trials there were: another search passes over them.
  package var isDone: Bool

  package init(flat: JSONValue, repeats: Int = 0, isDone: Bool = false) {
    (self.flat, self.repeats, self.isDone) = (flat, repeats, isDone)
  }

  package var point: Point? { flat.object.map { Point(values: $0) } }

  /// How many places among the points that wait it has.
  package var places: Int { max(1, repeats) }

  /// It is tried though it is known.
  package var isRepeat: Bool { repeats > 0 && !isDone }
}

/// Kept with the sweep.
package struct SweepProgress: Sendable, Hashable {
  /// Trials in a row that could not be started.
  package var notStartedInARow = 0
  /// Trials in a row that failed soon after their start.
  package var quickFailuresInARow = 0
  /// How the first of those failed.
  package var firstQuickFailure: String?
  /// Nothing is left to ask for.
  package var isExhausted = false
  /// Why, a sentence; nil: the state says it all.
  package var exhaustion: String?
  /// When it first began, in seconds.
  package var startedAt: Double?
  /// Seconds that its attempts had devices, each device by itself.
  package var deviceSeconds = 0.0
  /// Complete trials since the best one.
  package var finishedSinceBest = 0
  /// Points that somebody added by hand, in their order.
  package var added: [AddedPoint] = []
  /// Its preparation was asked for, and has not ended.
  package var isPreparing = false
  /// Its preparation succeeded.
  package var isPrepared = false
  /// Why its preparation failed, which ends it.
  package var preparationFailure: String?
  /// How many trials it has at a time follows what the machine has left.
  package var isAutomatic = false
  /// It does not grow beyond so many at a time by itself: with more, memory ran out.
  package var ceiling: Int?
  /// When it last changed by itself how many trials it has at a time, in seconds; why, a sentence; and whether to fewer.
  package var windowChangedAt: Double?
  package var windowReason: String?
  package var hasNarrowed = false
  /// Trials that succeeded, and the seconds that their last attempts ran, together.
  package var timedTrials = 0
  package var timedSeconds = 0.0

  package init() {}

  /// Seconds that a trial took so far, on average; nil: none has succeeded.
  package var meanSeconds: Double? { timedTrials > 0 ? timedSeconds / Double(timedTrials) : nil }

  package init(json: JSONValue) {
    notStartedInARow = json["not_started"]?.int.map(Int.init) ?? 0
    quickFailuresInARow = json["quick_failures"]?.int.map(Int.init) ?? 0
    firstQuickFailure = json["first_failure"]?.string
    isExhausted = json["exhausted"]?.bool ?? false
    isPreparing = json["preparing"]?.bool ?? false
    isPrepared = json["prepared"]?.bool ?? false
    preparationFailure = json["preparation_failure"]?.string
    isAutomatic = json["automatic"]?.bool ?? false
    ceiling = json["ceiling"]?.int.map(Int.init)
    windowChangedAt = json["window_changed_at"]?.double
    windowReason = json["window_reason"]?.string
    hasNarrowed = json["has_narrowed"]?.bool ?? false
    timedTrials = json["timed_trials"]?.int.map(Int.init) ?? 0
    timedSeconds = json["timed_seconds"]?.double ?? 0
    exhaustion = json["exhaustion"]?.string
    startedAt = json["started_at"]?.double
    deviceSeconds = json["device_seconds"]?.double ?? 0
    finishedSinceBest = json["since_best"]?.int.map(Int.init) ?? 0
    let repeats = json["repeated"]?.array?.compactMap { $0.int.map(Int.init) } ?? []
    added = (json["added"]?.array ?? []).enumerated().map { place, flat in
      // Below zero: of those that were tried.
      let count = repeats.indices.contains(place) ? repeats[place] : 0
      return AddedPoint(flat: flat, repeats: Int(count.magnitude), isDone: count < 0)
    }
    // Each trial was a point of its own once.
    for place in json["repeats"]?.array?.compactMap({ $0.int.map(Int.init) }) ?? []
    where added.indices.contains(place) {
      added[place].repeats = 1
    }
  }

  package var json: JSONValue {
    var members: JSONObject = [
      "not_started": .int(Int64(notStartedInARow)), "quick_failures": .int(Int64(quickFailuresInARow)),
      "first_failure": JSONValue(firstQuickFailure), "exhausted": .bool(isExhausted),
      "timed_trials": .int(Int64(timedTrials)), "timed_seconds": .double(timedSeconds),
    ]
    // Most sweeps have nothing of these, and this is written with every trial.
    for (name, flag) in [
      ("preparing", isPreparing), ("prepared", isPrepared), ("automatic", isAutomatic),
      ("has_narrowed", hasNarrowed),
    ] where flag {
      members[name] = true
    }
    if let preparationFailure { members["preparation_failure"] = .string(preparationFailure) }
    if let ceiling { members["ceiling"] = .int(Int64(ceiling)) }
    if let windowChangedAt { members["window_changed_at"] = .double(windowChangedAt) }
    if let exhaustion { members["exhaustion"] = .string(exhaustion) }
    if let startedAt { members["started_at"] = .double(startedAt) }
    if deviceSeconds > 0 { members["device_seconds"] = .double(deviceSeconds) }
    if finishedSinceBest > 0 { members["since_best"] = .int(Int64(finishedSinceBest)) }
    if !added.isEmpty { members["added"] = .array(added.map(\.flat)) }
    if added.contains(where: { $0.repeats > 0 }) {
      members["repeated"] = .array(added.map { .int(Int64($0.isDone ? -$0.repeats : $0.repeats)) })
    }
    if let windowReason { members["window_reason"] = .string(windowReason) }
    return .object(members)
  }
}
