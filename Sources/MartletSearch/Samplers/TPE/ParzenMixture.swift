// A density over the whole cube as a mixture: one kernel for each of some trials, and the prior.

import CMartletNumerics

/// Σ wᵢ Πₐ kᵢₐ(xₐ): a product of one kernel an axis for each trial, and the prior as the last kernel.
///
/// It is a density over the union of all branches of a conditional space. Where a trial has no value its kernel is the
/// prior, and where a point has none the axis counts for nothing: a branch is judged by the axes that decide it. So all
/// branches share one model, trials of one branch inform what is common to all, and the whole integrates to 1.
struct ParzenMixture: Sendable {
  private let cube: UnitCube
  private var axes: [ParzenAxis]
  private let logWeights: [Double]
  /// Ascending to 1.
  private let cumulativeWeights: [Double]
  private var terms: [Double]

  /// - Parameters:
  ///   - weights: one a trial, 0 or more.
  ///   - prior: the weight of the prior, on the same scale; above 0.
  ///   - axes: one an axis, each with as many kernels as there are weights and one more.
  init(weights: [Double], prior: Double, axes: [ParzenAxis], cube: UnitCube) {
    self.cube = cube
    self.axes = axes
    let all = weights + [prior]
    let sum = all.reduce(0, +)
    var cumulative = 0.0
    cumulativeWeights = all.map {
      cumulative += $0 / sum
      return cumulative
    }
    logWeights = all.map { martlet_logarithm(max($0 / sum, 1e-300)) }
    terms = logWeights
  }

  /// The logarithm of the density at canonical coordinates; on an axis that is not continuous, of the share of the value.
  mutating func logDensity(at coordinates: [Double]) -> Double {
    for index in terms.indices { terms[index] = logWeights[index] }
    for axis in axes.indices where !coordinates[axis].isNaN {
      axes[axis].add(to: &terms, at: coordinates[axis], in: cube)
    }
    return martlet_mixture_total(terms, terms.count)
  }

  /// σ of the kernels of an axis; nil: it has no order.
  func width(of axis: Int) -> Double? { axes[axis].width }

  /// A canonical point drawn from it.
  func draw(using generator: inout Xoshiro256) -> [Double] {
    let target = generator.unit()
    var (low, high) = (0, cumulativeWeights.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if target < cumulativeWeights[middle] { high = middle } else { low = middle + 1 }
    }
    return cube.canonical(axes.map { $0.draw(kernel: low, in: cube, using: &generator) })
  }
}
