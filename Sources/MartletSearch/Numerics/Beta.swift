// The beta distribution.

enum Beta {
  /// The share of Beta(a, b) below `x`: the regularised incomplete beta function, by its continued fraction
  /// (DLMF 8.17.22) with Lentz's method.
  static func cumulative(_ x: Double, a: Double, b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast on this side only.
    guard x <= (a + 1) / (a + b + 2) else { return 1 - cumulative(1 - x, a: b, b: a) }
    let logBeta = Elementary.lgamma(a) + Elementary.lgamma(b) - Elementary.lgamma(a + b)
    let front = Elementary.exp(a * Elementary.log(x) + b * Elementary.log1p(-x) - logBeta) / a
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    d = 1 / (d.magnitude < tiny ? tiny : d)
    var product = d
    for m in 1...500 {
      let m = Double(m)
      for coefficient in [
        m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
      ] {
        d = 1 + coefficient * d
        d = 1 / (d.magnitude < tiny ? tiny : d)
        c = 1 + coefficient / c
        if c.magnitude < tiny { c = tiny }
        product *= c * d
      }
      if (c * d - 1).magnitude < 1e-15 { break }
    }
    return min(max(front * product, 0), 1)
  }

  /// The value below which that share lies, by bisection: the density may be infinite at both ends.
  static func quantile(_ share: Double, a: Double, b: Double) -> Double {
    var low = 0.0
    var high = 1.0
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if cumulative(middle, a: a, b: b) < share { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
}
