// Power transforms, which make skewed numbers more like normal ones.

/// A monotonic map of numbers with one parameter.
enum PowerTransform: Hashable, Sendable {
  /// (x^λ − 1)/λ, log x for λ = 0, for positive numbers (Box, Cox: An Analysis of Transformations, 1964).
  case boxCox(Double)
  /// The same of x + 1 right of 0, and of 1 − x with 2 − λ, mirrored, left of it (Yeo, Johnson: A New Family of Power
  /// Transformations to Improve Normality or Symmetry, 2000).
  case yeoJohnson(Double)

  func apply(_ x: Double) -> Double {
    switch self {
    case .boxCox(let lambda): Self.power(Elementary.log(x), lambda)
    case .yeoJohnson(let lambda):
      x >= 0 ? Self.power(Elementary.log1p(x), lambda) : -Self.power(Elementary.log1p(-x), 2 - lambda)
    }
  }

  /// (exp(λ log x) − 1)/λ from log x.
  private static func power(_ logarithm: Double, _ lambda: Double) -> Double {
    // The series of expm1, where λ is too small to divide by.
    lambda.magnitude < 1e-12 ? logarithm : Elementary.expm1(lambda * logarithm) / lambda
  }

  /// The transform under which `values` look most like a normal sample: the largest likelihood, λ in −2...4.
  ///
  /// Nil when they are all the same, or a Box-Cox transform is asked for and not all are positive.
  static func fitted(_ values: [Double], isPositive: Bool = false) -> PowerTransform? {
    guard let least = values.min(), let most = values.max(), least < most, !isPositive || least > 0 else {
      return nil
    }
    // Σ of the logarithms of the slopes, divided by λ − 1.
    var slopes = 0.0
    for x in values {
      slopes += isPositive ? Elementary.log(x) : x >= 0 ? Elementary.log1p(x) : -Elementary.log1p(-x)
    }
    let count = Double(values.count)
    func make(_ lambda: Double) -> PowerTransform { isPositive ? .boxCox(lambda) : .yeoJohnson(lambda) }
    let lambda = BrentMinimizer.minimum(in: -2...4, tolerance: 1e-5) { lambda in
      let transform = make(lambda)
      let mapped = values.map(transform.apply)
      var mean = 0.0
      for y in mapped { mean += y / count }
      var variance = 0.0
      for y in mapped { variance += (y - mean) * (y - mean) / count }
      guard variance > 0, variance.isFinite else { return .infinity }
      return 0.5 * count * Elementary.log(variance) - (lambda - 1) * slopes
    }
    return make(lambda)
  }
}
