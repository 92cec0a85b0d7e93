// What a sweep remembers beside its trials and its sampler, so that a restart changes nothing.

package import MartletModel

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
    timedTrials = json["timed_trials"]?.int.map(Int.init) ?? 0
    timedSeconds = json["timed_seconds"]?.double ?? 0
  }

  package var json: JSONValue {
    [
      "not_started": .int(Int64(notStartedInARow)), "quick_failures": .int(Int64(quickFailuresInARow)),
      "first_failure": JSONValue(firstQuickFailure), "exhausted": .bool(isExhausted),
      "timed_trials": .int(Int64(timedTrials)), "timed_seconds": .double(timedSeconds),
    ]
  }
}
