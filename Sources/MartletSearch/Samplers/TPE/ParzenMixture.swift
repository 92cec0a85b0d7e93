// A density over the whole cube as a mixture: one kernel for each of some trials, and the prior.

import CMartletNumerics
import Foundation

/// Σ wᵢ Πₐ kᵢₐ(xₐ): a product of one kernel an axis for each trial, and the prior as the last kernel.
///
/// It is a density over the union of all branches of a conditional space. Where a trial had no value, its kernel is the
/// prior; where a point has none, no kernel counts: the branch is judged by the axes that decide it, and by how much
/// weight the trials have that lie on it. So all branches share one model, and it integrates to 1 over their union.
struct ParzenMixture: Sendable {
  /// How many kernels there are, the prior among them.
  let count: Int
  private(set) var axes: [ParzenAxis]
  private let logWeights: [Double]
  /// Ascending to 1.
  private let cumulativeWeights: [Double]
  private var terms: [Double]

  /// - Parameters:
  ///   - weights: one a trial, 0 or more.
  ///   - priorWeight: that of the prior, on the scale of `weights`; above 0.
  ///   - axes: one an axis, each with as many kernels as there are weights and one more.
  init(weights: [Double], priorWeight: Double, axes: [ParzenAxis]) {
    count = weights.count + 1
    self.axes = axes
    var sum = priorWeight
    for weight in weights { sum += weight }
    var cumulative = 0.0
    var shares: [Double] = []
    var logs: [Double] = []
    for weight in weights + [priorWeight] {
      cumulative += weight / sum
      shares.append(cumulative)
      logs.append(weight > 0 ? martlet_logarithm(weight / sum) : -1e300)
    }
    cumulativeWeights = shares
    logWeights = logs
    terms = logs
  }

  /// The logarithm of the density at canonical coordinates: on an ordered axis of the share of the cell, on a
  /// categorical one of the value's share.
  mutating func logDensity(at coordinates: [Double]) -> Double {
    let count = count
    terms.withUnsafeMutableBufferPointer { terms in
      logWeights.withUnsafeBufferPointer { _ = terms.update(from: $0) }
    }
    for axis in axes.indices {
      let coordinate = coordinates[axis]
      if coordinate.isNaN { continue }
      terms.withUnsafeMutableBufferPointer { terms in
        axes[axis].add(to: terms, at: coordinate)
      }
    }
    return terms.withUnsafeBufferPointer { martlet_mixture_total($0.baseAddress, count) }
  }

  /// A point drawn from it; not canonical. Has a value on every axis.
  func draw(using generator: inout Xoshiro256) -> [Double] {
    let target = generator.unit()
    var low = 0
    var high = count - 1
    while low < high {
      let middle = (low + high) / 2
      if target < cumulativeWeights[middle] { high = middle } else { low = middle + 1 }
    }
    return axes.map { $0.draw(kernel: low, using: &generator) }
  }
}

/// The kernels of a mixture on one axis.
struct ParzenAxis: Sendable {
  private enum Form: Sendable {
    /// Truncated normal densities.
    case smooth
    /// Shares of the cells of an ordered axis.
    case stepped(UnitCube, axis: Int)
    /// Shares of categories; by category and within that by kernel.
    case categorical(rows: [Double], probabilities: [Double])
  }

  private let form: Form
  private let centre: [Double]
  /// 1/σ; 0: the prior.
  private let inverse: [Double]
  private let norm: [Double]
  private let mass: [Double]
  /// Rows of an ordered axis that were computed already, by coordinate.
  private var rows: [Double: [Double]] = [:]

  /// The kernels of a continuous or ordered axis.
  ///
  /// - Parameters:
  ///   - centre: one a kernel.
  ///   - width: σ; infinite: the uniform distribution.
  init(centre: [Double], width: [Double], of axis: Int, in cube: UnitCube) {
    form = cube.axes[axis].kind == .continuous ? .smooth : .stepped(cube, axis: axis)
    self.centre = centre
    let inverse = width.map { $0.isFinite ? 1 / $0 : 0 }
    var norm = Array(repeating: 0.0, count: centre.count)
    var mass = norm
    martlet_mixture_scale(&norm, &mass, centre, inverse, centre.count)
    (self.inverse, self.norm, self.mass) = (inverse, norm, mass)
  }

  /// The kernels of a categorical axis: the own category with 1 − `smoothing`, and all by their prior with the rest.
  ///
  /// - Parameter category: one a kernel; NaN: the prior.
  init(category: [Double], probabilities: [Double], smoothing: Double) {
    var rows: [Double] = []
    rows.reserveCapacity(category.count * probabilities.count)
    for (index, probability) in probabilities.enumerated() {
      // A category of prior 0 is never drawn, and any density does.
      let prior = Swift.max(probability, 1e-12)
      let (own, other, none) = (
        martlet_logarithm(1 - smoothing + smoothing * prior), martlet_logarithm(smoothing * prior),
        martlet_logarithm(prior)
      )
      for value in category { rows.append(value.isNaN ? none : value == Double(index) ? own : other) }
    }
    form = .categorical(rows: rows, probabilities: probabilities)
    centre = category
    inverse = Array(repeating: smoothing, count: category.count)
    norm = []
    mass = []
  }

  mutating func add(to terms: UnsafeMutableBufferPointer<Double>, at coordinate: Double) {
    switch form {
    case .smooth:
      martlet_mixture_density(terms.baseAddress, norm, centre, inverse, coordinate, terms.count)
    case .categorical(let rows, _):
      rows.withUnsafeBufferPointer { rows in
        guard let start = rows.baseAddress else { return }
        martlet_mixture_add(terms.baseAddress, start + Int(coordinate) * terms.count, terms.count)
      }
    case .stepped(let cube, let axis):
      if let row = rows[coordinate] {
        martlet_mixture_add(terms.baseAddress, row, terms.count)
        return
      }
      let cell = cube.cell(of: coordinate, on: axis)
      var row = Array(repeating: 0.0, count: terms.count)
      martlet_mixture_share(
        &row, mass, centre, inverse, cell.lowerBound, cell.upperBound, terms.count)
      martlet_mixture_add(terms.baseAddress, row, terms.count)
      rows[coordinate] = row
    }
  }

  /// A coordinate from one kernel; on an ordered axis anywhere in a cell.
  func draw(kernel: Int, using generator: inout Xoshiro256) -> Double {
    if case .categorical(_, let probabilities) = form {
      let own = centre[kernel]
      if !own.isNaN, generator.unit() >= inverse[kernel] { return own }
      return Double(Domain.index(probabilities, at: generator.unit()))
    }
    let (scale, middle) = (inverse[kernel], centre[kernel])
    guard scale > 0 else { return generator.unit() }
    let low = martlet_normal_share(-middle * scale)
    let high = martlet_normal_share((1 - middle) * scale)
    let place = middle + Normal.quantile(low + (high - low) * generator.unit()) / scale
    return min(max(place, 0), 1)
  }
}
