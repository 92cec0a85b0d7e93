// How wide the kernels of a mixture are.

import CMartletNumerics

enum ParzenWidth {
  /// The narrowest a kernel gets, as a share of the axis: with few trials more, in the end a hundredth.
  private static func floor(_ kernels: Int) -> Double { 1 / min(100, 2 + Double(kernels)) }

  /// One width for all kernels of an axis: the standard deviation of the values times n^(-1/(4+d)) (Scott: Multivariate
  /// Density Estimation, 1992, equation 6.42).
  ///
  /// An axis on which good trials lie together gets narrow kernels, and one that does not matter wide ones. The standard
  /// deviation is that of the values and of one more, which has that of the prior: a few values that happen to lie
  /// together prove little.
  ///
  /// - Parameters:
  ///   - values: NaN: not active.
  ///   - factor: the result is multiplied by it.
  static func scott(
    _ values: [Double], _ weights: [Double], factor: Double, dimension: Int
  ) -> Double {
    var count = 0
    var mass = 0.0
    var sum = 0.0
    for (value, weight) in zip(values, weights) where !value.isNaN {
      count += 1
      mass += weight
      sum += weight * value
    }
    guard mass > 0 else { return 1 }
    let mean = sum / mass
    var squares = 0.0
    for (value, weight) in zip(values, weights) where !value.isNaN {
      squares += weight * (value - mean) * (value - mean)
    }
    let freedom = Double(count - 1)
    let variance = (squares / mass * Double(count) + 1.0 / 12) / (freedom + 1)
    let width =
      factor * variance.squareRoot()
      * martlet_exponential(-martlet_logarithm(Double(count)) / (4 + Double(dimension)))
    return min(max(width, floor(values.count)), 1)
  }

  /// The share of a categorical kernel that does not stay on its own category.
  static func smoothing(categories: Int, kernels: Int, prior: Double) -> Double {
    let strength = Double(categories) * prior / Double(kernels)
    return strength / (1 + strength)
  }
}
