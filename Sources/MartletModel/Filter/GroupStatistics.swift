// What a metric's values in a group of runs come to.

import Foundation

/// Mean, spread and quartiles of some numbers.
public struct GroupStatistics: Sendable, Hashable {
  public var count: Int
  public var mean: Double
  /// Standard deviation of the sample (n − 1); nil: of one number there is none.
  public var deviation: Double?
  /// Standard error of the mean.
  public var error: Double?
  /// The ends of the 95 % confidence interval of the mean, by Student's t.
  public var confidence: ClosedRange<Double>?
  public var min: Double
  /// Quartiles as NumPy's `percentile` interpolates them: linearly between the two nearest.
  public var lowerQuartile: Double
  public var median: Double
  public var upperQuartile: Double
  public var max: Double

  /// Nil when there is no number. Numbers are finite.
  public init?(_ values: [Double]) {
    guard let first = values.first else { return nil }
    let sorted = values.sorted()
    count = values.count
    // About the first value, so that large values with a small spread lose nothing.
    let shifted = values.reduce(0) { $0 + ($1 - first) } / Double(count)
    mean = first + shifted
    (min, max) = (sorted[0], sorted[count - 1])
    lowerQuartile = Self.quantile(0.25, sorted)
    median = Self.quantile(0.5, sorted)
    upperQuartile = Self.quantile(0.75, sorted)
    guard count > 1 else { return }
    let mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(count - 1)).squareRoot()
    let error = deviation / Double(count).squareRoot()
    (self.deviation, self.error) = (deviation, error)
    let half = StudentT.quantile975(degrees: count - 1) * error
    if half.isFinite { confidence = (mean - half)...(mean + half) }
  }

  private static func quantile(_ part: Double, _ sorted: [Double]) -> Double {
    let place = part * Double(sorted.count - 1)
    let low = Int(place)
    guard low + 1 < sorted.count else { return sorted[low] }
    return sorted[low] + (sorted[low + 1] - sorted[low]) * (place - Double(low))
  }

  public var json: JSONValue {
    [
      "count": .int(Int64(count)), "mean": .double(mean), "sd": JSONValue(deviation), "se": JSONValue(error),
      "ci95": confidence.map { .array([.double($0.lowerBound), .double($0.upperBound)]) } ?? .null,
      "min": .double(min), "q1": .double(lowerQuartile), "median": .double(median),
      "q3": .double(upperQuartile), "max": .double(max),
    ]
  }
}

/// Student's t distribution.
enum StudentT {
  /// Its 0.975 quantile.
  ///
  /// By bisection of the distribution function, which is a finite sum for whole degrees of freedom (Abramowitz and Stegun,
  /// Handbook of Mathematical Functions, 26.7.3 and 26.7.4); above 2,000 degrees by the expansion of 26.7.5.
  static func quantile975(degrees: Int) -> Double {
    guard degrees <= 2_000 else {
      let x = 1.959963984540054
      let n = Double(degrees)
      let cube = x * x * x
      let fifth = cube * x * x
      return x + (cube + x) / (4 * n) + (5 * fifth + 16 * cube + 3 * x) / (96 * n * n)
    }
    var (low, high) = (0.0, 13.0)
    for _ in 0..<200 where low < high {
      let middle = (low + high) / 2
      guard middle > low, middle < high else { break }
      if between(middle, degrees) < 0.95 { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The probability of a value between −t and t.
  private static func between(_ t: Double, _ degrees: Int) -> Double {
    let n = Double(degrees)
    let angle = atan(t / n.squareRoot())
    let square = n / (n + t * t)
    let cosine = square.squareRoot()
    let sine = t / (n + t * t).squareRoot()
    guard degrees % 2 == 1 else {
      var (term, sum) = (1.0, 1.0)
      for k in stride(from: 2, to: degrees, by: 2) {
        term *= square * Double(k - 1) / Double(k)
        sum += term
      }
      return sine * sum
    }
    guard degrees > 1 else { return 2 * angle / Double.pi }
    var (term, sum) = (cosine, cosine)
    for k in stride(from: 3, to: degrees, by: 2) {
      term *= square * Double(k - 1) / Double(k)
      sum += term
    }
    return 2 / Double.pi * (angle + sine * sum)
  }
}
