// The normal distribution.

enum Normal {
  /// log √(2π).
  static let logRootTurn = 0.9189385332046728

  /// Φ(x), the share below `x`.
  static func cumulative(_ x: Double) -> Double { 0.5 * Elementary.erfc(-x * 0.5.squareRoot()) }

  /// φ(x), the density.
  static func density(_ x: Double) -> Double { Elementary.exp(-0.5 * x * x) * 0.3989422804014327 }

  /// log Φ(x), finite far out on the left too.
  static func logCumulative(_ x: Double) -> Double {
    if x > -1 { return Elementary.log1p(-0.5 * Elementary.erfc(x * 0.5.squareRoot())) }
    return -0.5 * x * x + Elementary.log(0.5 * Elementary.erfcx(-x * 0.5.squareRoot()))
  }

  /// φ(x) / Φ(x), the slope of `logCumulative`.
  static func logCumulativeSlope(_ x: Double) -> Double {
    if x > -1 { return density(x) / cumulative(x) }
    // √(2/π) / erfcx(−x/√2): both exponentials cancel.
    return 0.7978845608028654 / Elementary.erfcx(-x * 0.5.squareRoot())
  }

  /// log h(z), h(z) = φ(z) + z Φ(z): the expected improvement of a standard normal value over −z.
  ///
  /// Ament, Daulton, Eriksson, Balandat, Bakshy: Unexpected Improvements to Expected Improvement for Bayesian
  /// Optimization (2023), equations 8 to 9; here h is written as φ(z) (1 − |z| Φ(z)/φ(z)) on the left, and by its series
  /// where that difference has no digits left.
  static func logImprovement(_ z: Double) -> Double {
    if z > -1 { return Elementary.log(density(z) + z * cumulative(z)) }
    let front = -0.5 * z * z - logRootTurn
    if z > -30 {
      // √(π/2) erfcx(−z/√2) is Φ(z)/φ(z), Mills' ratio.
      return front + Elementary.log1p(z * 1.2533141373155003 * Elementary.erfcx(-z * 0.5.squareRoot()))
    }
    let square = 1 / (z * z)
    let series = 1 - square * (3 - square * (15 - square * (105 - square * 945)))
    return front + Elementary.log(square) + Elementary.log(series)
  }

  /// Φ(z) / h(z), the slope of `logImprovement`.
  static func logImprovementSlope(_ z: Double) -> Double {
    if z > -1 { return cumulative(z) / (density(z) + z * cumulative(z)) }
    return Elementary.exp(logCumulative(z) - logImprovement(z))
  }

  /// Φ⁻¹(p) for p in 0...1; infinite at the ends.
  ///
  /// A rational first guess (Acklam 2003) and one step of Halley's method, which leaves no more than rounding.
  static func quantile(_ p: Double) -> Double {
    guard p > 0 else { return -.infinity }
    guard p < 1 else { return .infinity }
    let guess: Double
    if p < 0.02425 {
      guess = tail((-2 * Elementary.log(p)).squareRoot())
    } else if p > 1 - 0.02425 {
      guess = -tail((-2 * Elementary.log(1 - p)).squareRoot())
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
