// The two densities of TPE, and the point where their ratio is largest.

/// The density l of good trials and g of all others; l/g is largest where the expected improvement is (Bergstra et al.:
/// Algorithms for Hyper-Parameter Optimization, 2011, equation 4).
struct TPEModel: Sendable {
  private var below: ParzenMixture
  private var above: ParzenMixture

  /// Trials under way count among the others: where somebody is looking already, nobody else need look.
  init(_ records: TPERecords, _ history: History, _ settings: TPESettings, seed: UInt64) {
    let good = settings.goodCount(of: records.usableCount)
    let split = TPESplit(records, history, good: good, seed: seed)
    below = Self.mixture(split.below, pending: [], history, settings)
    above = Self.mixture(split.above, pending: history.pending, history, settings)
  }

  private static func mixture(
    _ members: [TPESplit.Member], pending: [PendingTrial], _ history: History, _ settings: TPESettings
  ) -> ParzenMixture {
    let cube = history.cube
    var weights = members.map(\.weight)
    // So that they add up to the number of trials, as the prior's weight is one of a trial.
    let scale = Double(weights.count) / max(weights.reduce(0, +), .leastNormalMagnitude)
    weights = weights.map { $0 * scale } + pending.map { _ in 1 }
    let axes = cube.axes.indices.map { axis in
      let column = history.columns[axis]
      let values = members.map { column[$0.place] } + pending.map { $0.coordinates[axis] }
      guard case .categorical(let count) = cube.axes[axis].kind else {
        let width = ParzenWidth.scott(values, weights, settings, dimension: cube.axes.count)
        return ParzenAxis(values: values, width: width, of: axis, in: cube)
      }
      let smoothing = ParzenWidth.smoothing(
        categories: count, kernels: values.count + 1, prior: settings.priorWeight)
      return ParzenAxis(categories: values, smoothing: smoothing, of: axis, in: cube)
    }
    return ParzenMixture(weights: weights, prior: settings.priorWeight, axes: axes, cube: cube)
  }

  /// The point with the largest ratio, of some drawn from the density of good trials, that `history` does not know yet;
  /// if it knows them all, the best of those.
  mutating func best(
    of count: Int, _ history: History, using generator: inout Xoshiro256
  ) -> [Double] {
    var best: (point: [Double], value: Double, isNew: Bool)?
    for _ in 0..<count {
      let point = below.draw(using: &generator)
      let value = below.logDensity(at: point) - above.logDensity(at: point)
      let isNew = !history.contains(point)
      if let old = best, old.isNew && !isNew || (old.isNew == isNew && old.value >= value) { continue }
      best = (point, value, isNew)
    }
    return best?.point ?? []
  }
}
