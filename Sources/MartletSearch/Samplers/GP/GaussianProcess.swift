// A Gaussian process with its data: what it expects where, and how sure it is.

import CMartletNumerics

/// What is expected at a point.
struct Prediction: Hashable, Sendable {
  var mean: Double
  /// Of the function without noise; above 0.
  var variance: Double

  var deviation: Double { variance.squareRoot() }
}

/// How something changes with the mean and the variance of a prediction.
struct PredictionSlope: Hashable, Sendable {
  var mean = 0.0
  var variance = 0.0
}

/// What is expected at a point for each way in which the points under way may come out: the variance is the same for all.
struct Forecast: Hashable, Sendable {
  var means: [Double]
  /// Of the function without noise; above 0.
  var variance: Double

  subscript(way: Int) -> Prediction { Prediction(mean: means[way], variance: variance) }
}

/// How something changes with the means and the variance of a forecast.
struct ForecastSlope: Hashable, Sendable {
  var means: [Double]
  var variance = 0.0
}

/// A function seen with noise at some points.
///
/// Points under way lower the variance. How they come out is either believed to be as expected (Ginsbourger, Le Riche,
/// Carraro: Kriging Is Well-Suited to Parallelize Optimization, 2010), which leaves the mean as it is, or drawn from what
/// the model holds possible: fantasies (Snoek, Larochelle, Adams: Practical Bayesian Optimization of Machine Learning
/// Algorithms, 2012, section 3.1), each with a mean of its own.
struct GaussianProcess: Sendable {
  let features: KernelFeatures
  let kernel: Kernel
  /// `columns[feature][point]`; the points that have values first, then those under way.
  let columns: [[Double]]
  /// How many points have values.
  let count: Int
  let factor: CholeskyFactor
  /// K⁻¹ y, for each way in which the points under way come out.
  let alphas: [[Double]]
  /// The mean, without noise, at all points, those under way last; for each of these ways.
  let means: [[Double]]

  /// Nil when the covariances cannot be factored, which the least noise rules out for finite data.
  ///
  /// - Parameter ways: standard normal numbers, one a point under way, for each way in which these come out; zeros: as
  ///   expected. Empty: that way alone.
  init?(
    features: KernelFeatures, parameters: KernelParameters, points: [[Double]], values: [Double],
    pending: [[Double]] = [], ways: [[Double]] = []
  ) {
    self.features = features
    let kernel = Kernel(features, parameters)
    self.kernel = kernel
    let columns = features.columns(points + pending)
    self.columns = columns
    count = values.count
    let total = points.count + pending.count
    var matrix = Array(repeating: 0.0, count: total * total)
    matrix.withUnsafeMutableBufferPointer {
      guard let matrix = $0.baseAddress else { return }
      for i in 0..<total {
        let start = matrix + i * total
        kernel.squaredDistances(columns, to: { columns[$0][i] }, count: i, into: start)
        martlet_matern(start, start, nil, i)
        for j in 0..<i { start[j] *= kernel.scale }
        start[i] = kernel.scale + kernel.noise
      }
    }
    guard let factor = CholeskyFactor(lower: matrix, order: total, stride: total) else {
      return nil
    }
    self.factor = factor
    // With y = L w the rows under way are what is known of them and so many of their own deviations.
    var known = values
    factor.solveLower(&known, count: values.count)
    let underWay = values.count..<total
    let outcomes = (ways.isEmpty ? [pending.map { _ in 0 }] : ways).map { way in
      var alpha = known + way
      let all = values + factor.product(alpha, rows: underWay)
      factor.solveUpper(&alpha, count: total)
      return (alpha, means: zip(all, alpha).map { $0 - kernel.noise * $1 })
    }
    alphas = outcomes.map(\.0)
    means = outcomes.map(\.means)
  }

  /// Room for the numbers of one prediction.
  struct Scratch: Sendable {
    fileprivate var covariances: [Double]
    fileprivate var slopes: [Double]
    fileprivate var solved: [Double]

    init(_ process: GaussianProcess) {
      let total = process.factor.order
      covariances = Array(repeating: 0, count: total)
      slopes = covariances
      solved = covariances
    }
  }

  /// The least variance there can be, where a point is known.
  private var leastVariance: Double { 1e-12 * kernel.scale }

  /// The prediction at a point given by its features.
  func predict(_ row: [Double], _ scratch: inout Scratch) -> Forecast {
    let total = factor.order
    scratch.covariances.withUnsafeMutableBufferPointer { covariances in
      guard let start = covariances.baseAddress else { return }
      kernel.squaredDistances(columns, to: { row[$0] }, count: total, into: start)
      martlet_matern(start, start, &scratch.slopes, total)
      for i in 0..<total { start[i] *= kernel.scale }
    }
    scratch.solved.withUnsafeMutableBufferPointer { solved in
      scratch.covariances.withUnsafeBufferPointer { _ = solved.update(fromContentsOf: $0) }
    }
    factor.solveLower(&scratch.solved, count: total)
    let known = martlet_dot(scratch.solved, scratch.solved, total)
    return Forecast(
      means: alphas.map { martlet_dot($0, scratch.covariances, total) },
      variance: max(kernel.scale - known, leastVariance))
  }

  /// Adds to `gradient`, one number a feature, how `slope` of the last prediction changes with the point.
  func addGradient(
    _ row: [Double], _ slope: ForecastSlope, _ scratch: inout Scratch, to gradient: inout [Double]
  ) {
    let total = factor.order
    factor.solveUpper(&scratch.solved, count: total)
    // ∂μ = Σ α_i ∂k_i and ∂σ² = −2 Σ (K⁻¹ k)_i ∂k_i.
    for i in 0..<total {
      var ofMean = 0.0
      for (way, alpha) in alphas.enumerated() { ofMean += slope.means[way] * alpha[i] }
      scratch.solved[i] =
        (ofMean - 2 * slope.variance * scratch.solved[i]) * kernel.scale * scratch.slopes[i]
    }
    for (index, feature) in kernel.features.enumerated() where feature.kind == .number {
      gradient[index] +=
        2 * kernel.weights[index]
        * martlet_weighted_differences(scratch.solved, columns[index], row[index], total)
    }
  }

  /// The predictions at many points: `rows[feature][point]`.
  func predict(columns rows: [[Double]]) -> [Forecast] {
    let many = rows.first?.count ?? 0
    let total = factor.order
    var result: [Forecast] = []
    result.reserveCapacity(many)
    // As many at a time as leave the covariances in the cache.
    let chunk = 256
    for start in Swift.stride(from: 0, to: many, by: chunk) {
      let width = min(chunk, many - start)
      let part = rows.map { Array($0[start..<start + width]) }
      var means = alphas.map { _ in Array(repeating: 0.0, count: width) }
      var variances = Array(repeating: kernel.scale, count: width)
      withUnsafeTemporaryAllocation(of: Double.self, capacity: total * width) { covariances in
        guard let first = covariances.baseAddress else { return }
        for i in 0..<total {
          let row = first + i * width
          kernel.squaredDistances(part, to: { columns[$0][i] }, count: width, into: row)
          martlet_matern(row, row, nil, width)
          for j in 0..<width { row[j] *= kernel.scale }
          for (way, alpha) in alphas.enumerated() { martlet_add_scaled(alpha[i], row, &means[way], width) }
        }
        factor.solveLower(covariances, columns: width)
        for i in 0..<total { martlet_subtract_squares(first + i * width, &variances, width) }
      }
      for j in 0..<width {
        result.append(Forecast(means: means.map { $0[j] }, variance: max(variances[j], leastVariance)))
      }
    }
    return result
  }
}
