// The smoothing of charts.

/// Exponential moving average without the bias of its start, as TensorBoard has it.
///
/// s ← w·s + (1−w)·v from s = 0, shown as s / (1 − wⁿ) after n values. Values that are not finite are passed over: one infinity would
/// stay for ever.
public struct MovingAverage: Sendable, Hashable {
  /// w: from 0 (the values themselves) to below 1.
  public let weight: Double
  private var sum = 0.0
  /// wⁿ
  private var rest = 1.0

  /// - Parameter weight: 0..<1.
  public init(weight: Double) { self.weight = weight }

  /// Over the values so far; NaN before the first.
  public var value: Double { rest < 1 ? sum / (1 - rest) : .nan }

  /// Takes in one value.
  @inline(__always)
  public mutating func add(_ value: Double) {
    guard value.isFinite else { return }
    sum = weight * sum + (1 - weight) * value
    rest *= weight
  }
}
