// The time that an analysis may take, and the size of its charts.

/// How long parts of an analysis may still be begun, how large they may be, and what was left out.
struct AnalysisBudget {
  private let deadline: ContinuousClock.Instant
  private(set) var leftOut: [String] = []

  /// Values that a chart of trials and parameters may have.
  let mostCells: Int

  init(_ patience: Duration, mostCells: Int) {
    deadline = ContinuousClock.now + patience
    self.mostCells = mostCells
  }

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
