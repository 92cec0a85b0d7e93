// The normal distribution.

import Foundation

enum Normal {
  /// Φ(x), the share below `x`.
  static func cumulative(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }

  /// φ(x), the density.
  static func density(_ x: Double) -> Double { exp(-0.5 * x * x) * 0.3989422804014327 }

  /// Φ⁻¹(p) for p in 0...1; infinite at the ends.
  ///
  /// A rational first guess (Acklam 2003) and one step of Halley's method, which leaves no more than rounding.
  static func quantile(_ p: Double) -> Double {
    guard p > 0 else { return -.infinity }
    guard p < 1 else { return .infinity }
    let guess: Double
    if p < 0.02425 {
      guess = tail((-2 * log(p)).squareRoot())
    } else if p > 1 - 0.02425 {
      guess = -tail((-2 * log(1 - p)).squareRoot())
    } else {
      let q = p - 0.5
      let r = q * q
      let above =
        ((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r
          + 1.383577518672690e+02) * r - 3.066479806614716e+01) * r + 2.506628277459239
      let below =
        ((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r
          + 6.680131188771972e+01) * r - 1.328068155288572e+01) * r + 1
      guess = above * q / below
    }
    // On the side where the share is small, so that no digits are lost.
    let error = guess > 0 ? (1 - p) - cumulative(-guess) : cumulative(guess) - p
    let step = (guess > 0 ? -error : error) / Swift.max(density(guess), .leastNormalMagnitude)
    let signed = guess > 0 ? -step : step
    return guess - signed / (1 + guess * signed / 2)
  }

  private static func tail(_ q: Double) -> Double {
    let above =
      ((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q
        - 2.549732539343734) * q + 4.374664141464968) * q + 2.938163982698783
    let below =
      (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q
        + 3.754408661907416) * q + 1
    return above / below
  }
}
