// The laws of scheduling, by name: a simulation breaks one to show that its checks would notice.

/// One law that the machines of this module keep.
package enum Law: String, Sendable, CaseIterable {
  /// Nobody gets a slot of a device that somebody holds.
  case noSlotTwice = "no-slot-twice"
  /// All devices of a request are granted at once, or none.
  case allAtOnce = "all-at-once"
  /// Whoever asked first is served first.
  case firstComeFirstServed = "first-come-first-served"
  /// Backfilling passes nobody more often than it may.
  case boundedBackfill = "bounded-backfill"
  /// Whoever ends gives back all that it had.
  case giveBackAll = "give-back-all"
  /// No device is given away that was taken out of service.
  case cordonsHold = "cordons-hold"
  /// What attempts hold is found again after a restart, be they lost.
  case holdingsSurvive = "holdings-survive"
  /// What people ordered of devices and of the pool is found again after a restart.
  case ordersSurvive = "orders-survive"
  /// A sweep makes no more trials than its budget.
  case budgetKept = "budget-kept"
  /// A sweep has no more trials open than it may.
  case parallelKept = "parallel-kept"
  /// News of an attempt that is over changes nothing.
  case oldNewsIgnored = "old-news-ignored"
  /// A trial that is tried again stays that trial, and its earlier attempt is over.
  case oneAttemptAtATime = "one-attempt-at-a-time"
  /// An attempt is tried again as often as its policy allows, not more.
  case retriesBounded = "retries-bounded"
  /// What waits for its next try is woken.
  case backoffsEnd = "backoffs-end"
  /// No trial is made before its sweep's preparation has succeeded.
  case preparedFirst = "prepared-first"
  /// What was prepared is not prepared again.
  case preparedOnce = "prepared-once"
  /// A sweep whose window was narrowed starts nothing before there is room in it.
  case windowKept = "window-kept"
  /// A trial is one agent's at a time.
  case lentOnce = "lent-once"
}

/// The laws in force: all of them, but in a simulation that has to fail.
package struct Laws: Sendable, Hashable {
  private let broken: Law?

  package static let all = Laws(breaking: nil)

  package init(breaking law: Law?) { broken = law }

  func hold(_ law: Law) -> Bool { broken != law }
}
