// Cumulative shares of real distributions, and their inverses.

extension RealDistribution {
  /// The share of the distribution below `value`, 0...1.
  func coordinate(of value: Double) -> Double {
    let share: Double =
      switch self {
      case .uniform(let min, let max): Self.share(value, min, max)
      case .logUniform(let min, let max): Self.share(Elementary.log(value), min, max)
      case .logUniformValues(let min, let max):
        Self.share(Elementary.log(value), Elementary.log(min), Elementary.log(max))
      // log(1/x) is uniform: so is log(x), the other way round. Larger values have larger coordinates everywhere.
      case .invLogUniform(let min, let max): Self.share(Elementary.log(value), -max, -min)
      case .invLogUniformValues(let min, let max):
        Self.share(Elementary.log(value), Elementary.log(min), Elementary.log(max))
      case .normal(let mu, let sigma): Normal.cumulative((value - mu) / sigma)
      case .logNormal(let mu, let sigma):
        value > 0 ? Normal.cumulative((Elementary.log(value) - mu) / sigma) : 0
      case .beta(let a, let b): Beta.cumulative(value, a: a, b: b)
      }
    return share.isNaN ? 0 : Swift.min(Swift.max(share, 0), 1)
  }

  /// The value below which that share of the distribution lies; unbounded distributions end at a share of 1e-12.
  func value(at share: Double) -> Double {
    let inner = Swift.min(Swift.max(share, 1e-12), 1 - 1e-12)
    let value: Double =
      switch self {
      case .uniform(let min, let max): Self.between(min, max, share)
      case .logUniform(let min, let max): Elementary.exp(Self.between(min, max, share))
      case .logUniformValues(let min, let max):
        Elementary.exp(Self.between(Elementary.log(min), Elementary.log(max), share))
      case .invLogUniform(let min, let max): Elementary.exp(Self.between(-max, -min, share))
      case .invLogUniformValues(let min, let max):
        Elementary.exp(Self.between(Elementary.log(min), Elementary.log(max), share))
      case .normal(let mu, let sigma): mu + sigma * Normal.quantile(inner)
      case .logNormal(let mu, let sigma): Elementary.exp(mu + sigma * Normal.quantile(inner))
      case .beta(let a, let b): Beta.quantile(share, a: a, b: b)
      }
    // exp(log(x)) may miss x by a last digit, and a bound is a promise.
    guard let bounds else { return value }
    return Swift.min(Swift.max(value, bounds.lowerBound), bounds.upperBound)
  }

  private static func share(_ value: Double, _ min: Double, _ max: Double) -> Double {
    // Halves first: the whole width may be too large for a number.
    (value / 2 - min / 2) / (max / 2 - min / 2)
  }

  private static func between(_ min: Double, _ max: Double, _ share: Double) -> Double {
    min * (1 - share) + max * share
  }
}
