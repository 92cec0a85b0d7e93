// What is kept of a stretch of points.

/// A summary of consecutive points of one series: 128 of them, a chunk's, or a bucket's of a chart.
///
/// NaN is counted apart and takes no part in `min`, `max` and `sum`; the infinities do.
public struct PointBlock: Sendable, Hashable {
  public var firstStep: Int64
  /// Microseconds since 1970.
  public var firstTime: Int64
  /// The first and the last value as they are, NaN included.
  public var first: Double
  public var lastStep: Int64
  public var last: Double
  /// NaN when there is nothing but NaN; `minStep` and `maxStep` are `firstStep` then.
  public var min: Double
  public var max: Double
  /// Where the values were first reached.
  public var minStep: Int64
  public var maxStep: Int64
  /// Of all values but NaN.
  public var sum: Double
  /// Points, NaN included; 1 or more.
  public var count: Int64
  public var nanCount: Int64

  public init(
    firstStep: Int64, firstTime: Int64, first: Double, lastStep: Int64, last: Double, min: Double,
    minStep: Int64, max: Double, maxStep: Int64, sum: Double, count: Int64, nanCount: Int64
  ) {
    (self.firstStep, self.firstTime, self.first) = (firstStep, firstTime, first)
    (self.lastStep, self.last) = (lastStep, last)
    (self.min, self.minStep, self.max, self.maxStep) = (min, minStep, max, maxStep)
    (self.sum, self.count, self.nanCount) = (sum, count, nanCount)
  }

  /// One point.
  public init(step: Int64, time: Int64, value: Double) {
    self.init(
      firstStep: step, firstTime: time, first: value, lastStep: step, last: value, min: value, minStep: step,
      max: value, maxStep: step, sum: value.isNaN ? 0 : value, count: 1, nanCount: value.isNaN ? 1 : 0)
  }

  /// Points `range` of a series; nil when the range is empty.
  ///
  /// - Parameter range: within all three arrays.
  public init?(steps: [Int64], times: [Int64], values: [Double], range: Range<Int>) {
    guard let start = range.first else { return nil }
    self.init(step: steps[start], time: times[start], value: values[start])
    for index in range.dropFirst() {
      merge(PointBlock(step: steps[index], time: times[index], value: values[index]))
    }
  }

  /// Mean of all values but NaN; NaN when there is none.
  public var mean: Double { count > nanCount ? sum / Double(count - nanCount) : .nan }

  /// Takes in the points that follow.
  public mutating func merge(_ next: PointBlock) {
    (lastStep, last) = (next.lastStep, next.last)
    if next.count > next.nanCount {
      // A comparison with NaN is false, so that the first number takes NaN's place.
      if !(min <= next.min) { (min, minStep) = (next.min, next.minStep) }
      if !(max >= next.max) { (max, maxStep) = (next.max, next.maxStep) }
    }
    sum += next.sum
    count += next.count
    nanCount += next.nanCount
  }
}
