// Which value is tried next: twice as much until memory ends, then halfway back.

/// The search for the largest value that fits. Values are multiples of `unit`; whatever is larger than one that did not
/// fit is taken not to fit either.
struct ProbeSearch {
  let first: Int
  let largest: Int
  let unit: Int
  /// The search ends when the largest that worked and the smallest that did not are this part of the former apart.
  let precision: Double
  /// The largest that worked; 0: none so far.
  private(set) var worked = 0
  /// The smallest that did not fit.
  private(set) var failed: Int?

  init(first: Int, largest: Int, unit: Int = 1, precision: Double) {
    self.unit = unit
    self.largest = max(unit, largest / unit * unit)
    self.first = min(self.largest, max(unit, first / unit * unit))
    self.precision = precision
  }

  /// Nil: it is known.
  var next: Int? {
    guard let failed else {
      if worked == 0 { return first }
      guard worked < largest else { return nil }
      return worked > largest / 2 ? largest : worked * 2
    }
    let apart = failed - worked
    guard apart > unit, worked == 0 || Double(apart) > precision * Double(worked) else { return nil }
    return worked + max(unit, apart / 2 / unit * unit)
  }

  mutating func tell(_ value: Int, fits: Bool) {
    if fits {
      worked = max(worked, value)
    } else {
      failed = min(failed ?? value, value)
    }
  }

  /// The largest that worked, less a part of it.
  func recommended(margin: Double) -> Int? {
    guard worked > 0 else { return nil }
    return max(unit, Int(Double(worked) * (1 - margin)) / unit * unit)
  }
}
