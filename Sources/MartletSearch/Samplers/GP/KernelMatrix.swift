// Covariances of points, computed a row at a time.

import CMartletNumerics

/// A kernel with its weights taken out of the logarithms.
struct Kernel: Sendable {
  let features: [KernelFeatures.Feature]
  /// One a feature.
  let weights: [Double]
  let scale: Double
  let noise: Double

  init(_ features: KernelFeatures, _ parameters: KernelParameters) {
    self.features = features.features
    weights = features.features.map { Elementary.exp(parameters.logWeights[$0.axis]) }
    scale = Elementary.exp(parameters.logScale)
    noise = Elementary.exp(parameters.logNoise)
  }

  /// Squared distances of the first `count` points of `columns` to the point with the values `row`.
  func squaredDistances(
    _ columns: [[Double]], to row: (Int) -> Double, count: Int,
    into r2: UnsafeMutablePointer<Double>
  ) {
    r2.update(repeating: 0, count: count)
    for (index, feature) in features.enumerated() {
      switch feature.kind {
      case .number, .activity:
        martlet_add_square_distances(weights[index], columns[index], row(index), r2, count)
      case .category:
        martlet_add_mismatches(weights[index], columns[index], row(index), r2, count)
      }
    }
  }
}

extension Kernel {
  /// The correlation of the function's values at two points given by their features, 0...1.
  func correlation(_ a: [Double], _ b: [Double]) -> Double {
    var square = 0.0
    for (index, feature) in features.enumerated() {
      let difference = a[index] - b[index]
      let distance = feature.kind == .category ? (difference == 0 ? 0 : 1) : difference * difference
      square += weights[index] * distance
    }
    var correlation = 0.0
    martlet_matern(&square, &correlation, nil, 1)
    return correlation
  }
}
