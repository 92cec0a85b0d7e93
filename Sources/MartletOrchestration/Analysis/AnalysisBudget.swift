// The time that an analysis may take.

/// How long parts of an analysis may still be begun, and what was left out.
struct AnalysisBudget {
  private let deadline: ContinuousClock.Instant
  private(set) var leftOut: [String] = []

  init(_ patience: Duration) { deadline = ContinuousClock.now + patience }

  /// Whether there is time for a part; else it is left out.
  mutating func allows(_ part: String) -> Bool {
    if ContinuousClock.now < deadline { return true }
    leaveOut(part)
    return false
  }

  mutating func leaveOut(_ part: String) {
    if !leftOut.contains(part) { leftOut.append(part) }
  }
}
