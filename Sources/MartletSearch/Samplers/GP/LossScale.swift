// Losses and violations as a Gaussian process can learn them.

/// Losses on a scale of standard deviations.
///
/// Three steps, each monotonic. Losses are measured from their median in deviations of the better half; what is more
/// than 3 above grows like a logarithm and ends at 6 (so 1e308 is a bad loss like others, as in the half-rank warping of
/// Song et al.: The Vizier Gaussian Process Bandit Algorithm, 2024). A power transform by Yeo and Johnson may take
/// skewness away (Cowen-Rivers et al.: HEBO, 2022, section 4.1). The result has mean 0 and variance 1.
enum LossScale {
  /// `winsorized` losses after a power transform with this λ (1: none); all 0 when they are the same.
  static func standardized(_ clipped: [Double], power: Double) -> [Double] {
    guard power != 1 else { return standardized(clipped) }
    return standardized(clipped.map(PowerTransform.yeoJohnson(power).apply))
  }

  /// Σ log of the slopes of `standardized(_:power:)`, up to what does not depend on the power: what a likelihood of
  /// transformed values must add to be one of the values themselves (Snelson, Rasmussen, Ghahramani: Warped Gaussian
  /// Processes, 2003, equation 8).
  static func logSlopes(_ clipped: [Double], power: Double) -> Double {
    let transformed = clipped.map(PowerTransform.yeoJohnson(power).apply)
    let deviation = moments(transformed).deviation
    guard deviation > 0 else { return 0 }
    var sum = -Double(clipped.count) * Elementary.log(deviation)
    for value in clipped {
      sum += (power - 1) * (value >= 0 ? Elementary.log1p(value) : -Elementary.log1p(-value))
    }
    return sum
  }

  /// Violations with 0 where it was and deviations near 1; large ones grow like a logarithm.
  ///
  /// One that is not a number counts as the worst there is.
  static func violations(_ violations: [Double]) -> [Double] {
    let known = violations.filter(\.isFinite).map(\.magnitude).sorted()
    let typical = known.isEmpty ? 1 : known[known.count / 2]
    let unit = typical > 0 ? typical : known.last(where: { $0 > 0 }) ?? 1
    let scaled = violations.map { violation -> Double in
      let size = violation.isFinite ? min(violation.magnitude / unit, 1e100) : 1e100
      let compressed = min(size <= 1 ? size : 1 + Elementary.log(size), 6)
      return violation < 0 ? -compressed : compressed
    }
    return scaled
  }

  /// The first of the steps.
  static func winsorized(_ losses: [Double]) -> [Double] {
    guard !losses.isEmpty else { return [] }
    // Halves: no difference of two of them is too large for a number.
    let safe = losses.map { $0 / 2 }
    let sorted = safe.sorted()
    let median = sorted[(sorted.count - 1) / 2]
    let better = sorted.prefix { $0 < median }.map { median - $0 }
    var unit = (sorted.first { $0 > median } ?? median) - median
    if let most = better.first {
      var sum = 0.0
      for deviation in better { sum += (deviation / most) * (deviation / most) }
      unit = most * (sum / Double(better.count)).squareRoot()
    }
    guard unit > 0 else { return safe.map { _ in 0 } }
    return safe.map { loss in
      let place = (loss - median) / unit
      return place <= 3 ? place : min(3 + Elementary.log1p(min(place - 3, 1e200)), 6)
    }
  }

  private static func standardized(_ values: [Double]) -> [Double] {
    let (mean, deviation) = moments(values)
    return values.map { deviation > 0 ? ($0 - mean) / deviation : 0 }
  }

  private static func moments(_ values: [Double]) -> (mean: Double, deviation: Double) {
    let count = Double(values.count)
    var mean = 0.0
    for value in values { mean += value / count }
    var variance = 0.0
    for value in values { variance += (value - mean) * (value - mean) / count }
    return (mean, variance.squareRoot())
  }
}
