// How well a kernel explains data, with the gradient by its hyperparameters.

import CMartletNumerics

/// The negative logarithm of the posterior density of hyperparameters.
///
/// Rasmussen, Williams: Gaussian Processes for Machine Learning (2006), equations 2.30 and 5.9, and a prior. An
/// evaluation takes O(n³ + n² d) operations.
final class MarginalLikelihood {
  private let features: KernelFeatures
  private let columns: [[Double]]
  private let values: [Double]
  private let prior: KernelPrior
  /// Room for a matrix of slopes and for one row.
  private var slopes: [Double]
  private var row: [Double]

  init(features: KernelFeatures, columns: [[Double]], values: [Double], prior: KernelPrior) {
    self.features = features
    self.columns = columns
    self.values = values
    self.prior = prior
    slopes = Array(repeating: 0, count: values.count * values.count)
    row = Array(repeating: 0, count: values.count)
  }

  /// The value at the hyperparameters `vector`; infinite where the matrix cannot be factored.
  func evaluate(_ vector: [Double], _ gradient: inout [Double]) -> Double {
    let count = values.count
    let axes = features.axisCount
    var parameters = KernelParameters(axes: axes)
    parameters.vector = vector
    let kernel = Kernel(features, parameters)
    for index in gradient.indices { gradient[index] = 0 }
    guard let factor = factor(kernel) else { return .infinity }
    let alpha = factor.solve(values)
    let inverse = factor.inverse()
    let fit = martlet_dot(values, alpha, count)
    let square = martlet_dot(alpha, alpha, count)
    var trace = 0.0
    for i in 0..<count { trace += inverse[i * count + i] }
    gradient[axes] = -0.5 * (fit - kernel.noise * square - Double(count) + kernel.noise * trace)
    gradient[axes + 1] = -0.5 * kernel.noise * (square - trace)
    addWeightSlopes(kernel, alpha: alpha, inverse: inverse, to: &gradient)
    let likelihood =
      0.5 * fit + factor.halfLogDeterminant + Double(count) * Normal.logRootTurn
    return likelihood + prior.penalty(parameters, &gradient)
  }

  private func factor(_ kernel: Kernel) -> CholeskyFactor? {
    let count = values.count
    var matrix = Array(repeating: 0.0, count: count * count)
    matrix.withUnsafeMutableBufferPointer { matrix in
      slopes.withUnsafeMutableBufferPointer { slopes in
        guard let matrix = matrix.baseAddress, let slopes = slopes.baseAddress else { return }
        for i in 0..<count {
          let start = matrix + i * count
          kernel.squaredDistances(columns, to: { columns[$0][i] }, count: i, into: start)
          martlet_matern(start, start, slopes + i * count, i)
          for j in 0..<i { start[j] *= kernel.scale }
          start[i] = kernel.scale + kernel.noise
        }
      }
    }
    return CholeskyFactor(lower: matrix, order: count, stride: count)
  }

  /// ∂/∂log w of an axis: −s² w Σ (α_i α_j − K⁻¹_ij) k'_ij d_ij² over all pairs.
  private func addWeightSlopes(
    _ kernel: Kernel, alpha: [Double], inverse: [Double], to gradient: inout [Double]
  ) {
    let count = values.count
    inverse.withUnsafeBufferPointer { inverse in
      slopes.withUnsafeBufferPointer { slopes in
        row.withUnsafeMutableBufferPointer { row in
          guard let weightsOfRow = row.baseAddress else { return }
          for i in 1..<max(count, 1) {
            let start = i * count
            for j in 0..<i {
              row[j] = (alpha[i] * alpha[j] - inverse[start + j]) * slopes[start + j]
            }
            for (index, feature) in kernel.features.enumerated() {
              let sum =
                feature.kind == .category
                ? martlet_weighted_mismatches(weightsOfRow, columns[index], columns[index][i], i)
                : martlet_weighted_square_distances(
                  weightsOfRow, columns[index], columns[index][i], i)
              gradient[feature.axis] -= kernel.scale * kernel.weights[index] * sum
            }
          }
        }
      }
    }
  }
}

extension KernelParameters {
  /// The most probable hyperparameters of the data, searched for from the usual ones and from `known`, and the negative
  /// logarithm of their density.
  static func fitted(
    features: KernelFeatures, columns: [[Double]], values: [Double], prior: KernelPrior,
    from known: KernelParameters?, iterations: Int
  ) -> (parameters: KernelParameters, value: Double) {
    let axes = features.axisCount
    let likelihood = MarginalLikelihood(
      features: features, columns: columns, values: values, prior: prior)
    let minimizer = BoundedMinimizer(
      iterations: iterations, gradientTolerance: 1e-2, valueTolerance: 1e-5)
    var best = (parameters: known ?? KernelParameters(axes: axes), value: Double.infinity)
    for start in [known, KernelParameters(axes: axes)].compactMap({ $0 }) {
      let found = minimizer.minimize(
        from: start.vector, lower: lowerBounds(axes: axes), upper: upperBounds(axes: axes)
      ) { likelihood.evaluate($0, &$1) }
      guard found.value < best.value else { continue }
      best.value = found.value
      best.parameters.vector = found.point
    }
    return best
  }
}
