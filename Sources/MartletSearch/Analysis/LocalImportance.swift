// Which parameters tell the best trials from the others (PED-ANOVA).

/// Importance among good trials.
///
/// Watanabe, Bansal, Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces" (2023),
/// equation 16: of each parameter the Pearson divergence between the density of the best trials and that of all,
/// Σ p_all (p_best / p_all − 1)².
/// Densities are sums of normal distributions on a grid (bandwidth by Scott's rule) and one more that is the prior.
enum LocalImportance {
  /// The share of trials that count as the best.
  static let share = 0.1

  /// The divergence of one axis, 0 or more: over the trials that have a value, times their share.
  ///
  /// - Parameters:
  ///   - best: coordinates of the best trials, `all` those of all; NaN: no value.
  static func divergence(_ axis: UnitCube.Axis, best: [Double], all: [Double]) -> Double {
    let bins = AxisBins(axis)
    let active = all.filter { !$0.isNaN }
    let (top, whole) = (
      density(best.filter { !$0.isNaN }, bins), density(active, bins)
    )
    var sum = 0.0
    for (high, base) in zip(top, whole) where base > 0 { sum += base * (high / base - 1) * (high / base - 1) }
    return sum * Double(active.count) / Double(max(all.count, 1))
  }

  private static func density(_ coordinates: [Double], _ bins: AxisBins) -> [Double] {
    var counts = Array(repeating: 0.0, count: bins.count)
    for coordinate in coordinates { counts[Int(bins.bin(of: coordinate))] += 1 }
    let total = Double(coordinates.count) + 1
    guard !bins.isCategorical else {
      return zip(counts, bins.shares).map { ($0 + $1) / total }
    }
    let deviation = max(bandwidth(coordinates), 0.5 / Double(bins.count))
    var smooth = bins.shares
    for (centre, count) in counts.enumerated() where count > 0 {
      let place = bins.coordinate(of: centre)
      // The share of each cell, over what lies within 0...1.
      let edges = (0...bins.count).map {
        Normal.cumulative((Double($0) / Double(bins.count) - place) / deviation)
      }
      let inside = edges[bins.count] - edges[0]
      for cell in 0..<bins.count { smooth[cell] += count * (edges[cell + 1] - edges[cell]) / inside }
    }
    return smooth.map { $0 / total }
  }

  /// Scott, "Multivariate Density Estimation" (1992): 1.059 min(σ, IQR/1.34) n^(−1/5).
  private static func bandwidth(_ coordinates: [Double]) -> Double {
    guard coordinates.count > 1 else { return 1 }
    let count = Double(coordinates.count)
    let mean = coordinates.reduce(0, +) / count
    let deviation = (coordinates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)).squareRoot()
    let quartiles =
      PercentileRule.quantile(0.75, of: coordinates) - PercentileRule.quantile(0.25, of: coordinates)
    let spread = quartiles > 0 ? min(deviation, quartiles / 1.34) : deviation
    return 1.059 * spread * Elementary.pow(count, -0.2)
  }
}
