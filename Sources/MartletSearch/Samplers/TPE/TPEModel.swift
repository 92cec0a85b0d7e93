// The two densities of TPE, and the point where their ratio is largest.

import CMartletNumerics

/// The density l of good trials and g of all others; l/g is largest where the expected improvement is (Bergstra et al.:
/// Algorithms for Hyper-Parameter Optimization, 2011, equation 4).
struct TPEModel: Sendable {
  private var below: ParzenMixture
  private var above: ParzenMixture
  private let cube: UnitCube

  /// Trials under way count among the others: where somebody is looking already, nobody else need look.
  init(_ records: TPERecords, _ history: History, _ settings: TPESettings, seed: UInt64) {
    cube = history.cube
    let good = settings.goodCount(of: records.usableCount)
    let split = TPESplit(records, history, good: good, seed: seed)
    below = Self.mixture(split.below, pending: [], history, settings, factor: settings.bandwidth)
    above = Self.mixture(
      split.above, pending: history.pending, history, settings,
      factor: settings.bandwidth * TPESettings.badBandwidth)
  }

  private static func mixture(
    _ members: [TPESplit.Member], pending: [PendingTrial], _ history: History, _ settings: TPESettings,
    factor: Double
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
        let width = ParzenWidth.scott(values, weights, factor: factor, dimension: cube.axes.count)
        return ParzenAxis(values: values, width: width, of: axis, in: cube)
      }
      let smoothing = ParzenWidth.smoothing(
        categories: count, kernels: values.count + 1, prior: settings.priorWeight)
      return ParzenAxis(categories: values, smoothing: smoothing, of: axis, in: cube)
    }
    return ParzenMixture(weights: weights, prior: settings.priorWeight, axes: axes, cube: cube)
  }

  /// The point with the largest ratio that the search may give: first the best of some drawn from the density of good
  /// trials, then a walk uphill from it. If all that are drawn are known or forbidden, the best of those.
  mutating func best(
    _ history: History, _ settings: TPESettings, using generator: inout Xoshiro256
  ) -> [Double] {
    var best = Candidate(point: [], ratio: -.infinity, isUsable: false)
    for _ in 0..<settings.candidates {
      best = max(best, candidate(below.draw(using: &generator), history))
    }
    for step in 0..<settings.polish {
      let shrink = martlet_exponential(-Double(step) / 40)
      guard let point = neighbour(of: best.point, reach: 0.5 * shrink, using: &generator) else { continue }
      best = max(best, candidate(point, history))
    }
    return best.point
  }

  private struct Candidate: Comparable {
    var point: [Double]
    var ratio: Double
    /// Neither known nor forbidden.
    var isUsable: Bool

    static func < (a: Candidate, b: Candidate) -> Bool {
      a.isUsable == b.isUsable ? a.ratio < b.ratio : b.isUsable
    }
  }

  private mutating func candidate(_ point: [Double], _ history: History) -> Candidate {
    Candidate(
      point: point, ratio: below.logDensity(at: point) - above.logDensity(at: point),
      isUsable: cube.isAllowed(point) && !history.contains(point))
  }

  /// A point near `point` on half of the axes that have an order; nil when it is the same one.
  ///
  /// - Parameter reach: how far, in widths of the kernels of good trials.
  private func neighbour(
    of point: [Double], reach: Double, using generator: inout Xoshiro256
  ) -> [Double]? {
    var raw = point
    for axis in cube.axes.indices {
      guard let width = below.width(of: axis), generator.unit() < 0.5 else { continue }
      raw[axis] += reach * width * generator.normal()
    }
    let other = cube.canonical(raw)
    return cube.key(other) == cube.key(point) ? nil : other
  }
}
