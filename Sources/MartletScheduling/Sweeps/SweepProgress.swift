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

  package init() {}

  package init(json: JSONValue) {
    notStartedInARow = json["not_started"]?.int.map(Int.init) ?? 0
    quickFailuresInARow = json["quick_failures"]?.int.map(Int.init) ?? 0
    firstQuickFailure = json["first_failure"]?.string
    isExhausted = json["exhausted"]?.bool ?? false
  }

  package var json: JSONValue {
    [
      "not_started": .int(Int64(notStartedInARow)), "quick_failures": .int(Int64(quickFailuresInARow)),
      "first_failure": JSONValue(firstQuickFailure), "exhausted": .bool(isExhausted),
    ]
  }
}
