// Steps of real numbers: a quantum and where its multiples begin.

import MartletModel

/// The step whose multiples a quantised parameter takes, counted from an origin.
public struct Quantum: Hashable, Sendable {
  public var value: Double
  /// The values are `origin + index × value`; 0 for the `q` of W&B, the lower bound for a `step`.
  public var origin: Double
  /// The step was written as a whole number, and the values are whole numbers then.
  public var isWhole: Bool

  public init(_ value: Double, isWhole: Bool = false, from origin: Double = 0) {
    self.value = value
    self.isWhole = isWhole
    self.origin = origin
  }

  /// The `index`-th multiple, as near to its decimal text as a Double can be: 3 × 0.1 is 0.3.
  func multiple(_ index: Double) -> JSONValue {
    let number = origin + index * value
    if isWhole, let whole = Int64(exactly: number) { return .int(whole) }
    guard let digits = Self.decimals(of: value), let more = Self.decimals(of: origin) else {
      return .double(number)
    }
    let scale = (0..<max(digits, more)).reduce(1.0) { power, _ in power * 10 }
    let scaled = (number * scale).rounded()
    return .double(scaled.magnitude < 0x1p53 ? scaled / scale : number)
  }

  /// How many digits stand after the point in the shortest text of `number`; nil when it has an exponent.
  private static func decimals(of number: Double) -> Int? {
    let text = number.description
    guard let point = text.firstIndex(of: "."), !text.contains("e") else { return nil }
    let digits = text[text.index(after: point)...]
    return digits == "0" ? 0 : digits.count
  }

  /// The indices of the multiples within `bounds`; nil when there is none or they cannot be counted exactly.
  func indices(within bounds: ClosedRange<Double>) -> ClosedRange<Double>? {
    // 0.3 / 0.1 is a hair below 3: a bound that is a multiple in decimal text must count as one.
    let tolerance = 1e-9
    let first = ((bounds.lowerBound - origin) / value - tolerance).rounded(.up)
    let last = ((bounds.upperBound - origin) / value + tolerance).rounded(.down)
    guard first <= last, first.magnitude < 0x1p53, last.magnitude < 0x1p53 else { return nil }
    return first...last
  }

  /// Why this cannot be the step of such a distribution; nil when it can.
  func flaw(in distribution: RealDistribution) -> DomainFlaw? {
    guard value > 0, value.isFinite else {
      return DomainFlaw(key: "q", message: "q must be greater than 0, not \(value)")
    }
    guard origin.isFinite else {
      return DomainFlaw(key: "q", message: "steps must begin at a finite number, not at \(origin)")
    }
    guard let bounds = distribution.bounds, indices(within: bounds) == nil else { return nil }
    return DomainFlaw(
      key: "q",
      message: "no usable multiple of q (\(value)) lies between \(bounds.lowerBound) and \(bounds.upperBound)"
    )
  }
}
