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
    guard let start = range.first, let end = range.last else { return nil }
    self.init(step: steps[start], time: times[start], value: values[start])
    (lastStep, last, count) = (steps[end], values[end], Int64(range.count))
    let extremes = values[range].withUnsafeBufferPointer { Extremes($0) }
    (sum, nanCount) = (extremes.sum, Int64(extremes.nans))
    guard nanCount < count else {
      (min, max) = (.nan, .nan)
      return
    }
    if let place = values[range].firstIndex(of: extremes.min) {
      (min, minStep) = (values[place], steps[place])
    }
    if let place = values[range].firstIndex(of: extremes.max) {
      (max, maxStep) = (values[place], steps[place])
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

/// Minimum, maximum, sum and count of NaN of some values, eight at a time.
private struct Extremes {
  /// +∞ and −∞ when there is nothing but NaN.
  var min = Double.infinity
  var max = -Double.infinity
  var sum = 0.0
  var nans = 0

  init(_ values: UnsafeBufferPointer<Double>) {
    let whole = values.count & ~7
    if whole > 0 {
      var least = SIMD8<Double>(repeating: .infinity)
      var most = -least
      var total = SIMD8<Double>()
      var none = SIMD8<Int64>()
      let bytes = UnsafeRawBufferPointer(values)
      for place in stride(from: 0, to: whole, by: 8) {
        let eight = bytes.loadUnaligned(fromByteOffset: 8 &* place, as: SIMD8<Double>.self)
        let isNaN = eight .!= eight
        // A comparison with NaN is false.
        least.replace(with: eight, where: eight .< least)
        most.replace(with: eight, where: eight .> most)
        total += eight.replacing(with: 0, where: isNaN)
        none.replace(with: none &+ 1, where: isNaN)
      }
      (min, max, sum, nans) = (least.min(), most.max(), total.sum(), Int(none.wrappedSum()))
    }
    for value in values[whole...] {
      if value < min { min = value }
      if value > max { max = value }
      if value.isNaN { nans += 1 } else { sum += value }
    }
  }
}
