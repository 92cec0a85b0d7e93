// The distribution CMA-ES draws from, and how a generation of results changes it.

/// A point as the model drew it.
struct CMAESSample: Sendable {
  /// One number a numeric axis, within 0...1 on continuous axes; on ordered axes not rounded, and without bounds.
  var numbers: [Double]
  /// The place of the value in `CMAESLayout.choices`, one a choice axis.
  var choices: [Int]
  /// It was not drawn from this model's distribution, so that it may lie far out.
  var isForeign = false
}

/// A normal distribution over the numeric axes and one of probabilities over each axis of choices.
///
/// Hansen's tutorial (arXiv 1604.00772), with negative weights; for ordered axes the margin of Hamano et al.: CMA-ES
/// with Margin (2022), for choices that of Hamano et al.: CatCMA with Margin (arXiv 2504.07884).
struct CMAESModel: Sendable {
  let layout: CMAESLayout
  let constants: CMAESWeights
  var mean: [Double]
  var sigma: Double
  /// Row by row.
  private(set) var covariance: [Double]
  private(set) var eigen: SymmetricEigen
  private var stepPath: [Double]
  private var path: [Double]
  /// How much wider ordered axes are drawn than the covariance says (the matrix A of CMA-ES with Margin).
  var widening: [Double]
  var categories: CategoryDistribution
  /// Generations since this model began, and since the eigenvectors were computed.
  private(set) var generation = 0
  private var sinceEigen = 0

  private var dimension: Int { layout.numeric.count }

  init(layout: CMAESLayout, size: Int, mean: [Double], deviations: [Double], sigma: Double) {
    self.layout = layout
    constants = CMAESWeights(dimension: layout.numeric.count, size: size)
    self.mean = mean
    self.sigma = sigma
    let n = layout.numeric.count
    covariance = Array(repeating: 0, count: n * n)
    for (axis, deviation) in deviations.enumerated() {
      covariance[axis * n + axis] = (deviation / sigma) * (deviation / sigma)
    }
    eigen = SymmetricEigen(covariance, dimension: n)
    stepPath = Array(repeating: 0, count: n)
    path = stepPath
    widening = Array(repeating: 1, count: n)
    categories = CategoryDistribution(layout.prior, marginAxes: layout.discreteCount)
    keepMargins()
  }

  // MARK: - Drawing

  /// A point of the distribution. What falls out of the bounds of a continuous axis is drawn again a few times and set
  /// on the bound then, so that a bound can be reached but does not gather everything.
  func draw(using generator: inout Xoshiro256) -> CMAESSample {
    var numbers = mean
    for attempt in 0..<Self.redraws {
      let normals = (0..<dimension).map { _ in generator.normal() }
      let step = spread(normals)
      for axis in numbers.indices { numbers[axis] = mean[axis] + sigma * widening[axis] * step[axis] }
      let isInside = numbers.indices.allSatisfy { layout.isOrdered[$0] || (0...1).contains(numbers[$0]) }
      if isInside || attempt + 1 == Self.redraws { break }
    }
    for axis in numbers.indices where !layout.isOrdered[axis] {
      numbers[axis] = min(max(numbers[axis], 0), 1)
    }
    return CMAESSample(numbers: numbers, choices: categories.draw(using: &generator))
  }

  private static let redraws = 10

  /// B D z.
  private func spread(_ normals: [Double]) -> [Double] {
    let n = dimension
    let scaled = zip(normals, eigen.values).map { $0 * $1.squareRoot() }
    return (0..<n).map { row in
      var sum = 0.0
      for column in 0..<n { sum += eigen.vectors[row * n + column] * scaled[column] }
      return sum
    }
  }

  /// C^(−1/2) y = B D⁻¹ Bᵀ y.
  private func whitened(_ y: [Double]) -> [Double] {
    let n = dimension
    var inner = Array(repeating: 0.0, count: n)
    for row in 0..<n {
      for column in 0..<n { inner[column] += eigen.vectors[row * n + column] * y[row] }
    }
    for column in 0..<n { inner[column] /= eigen.values[column].squareRoot() }
    return (0..<n).map { row in
      var sum = 0.0
      for column in 0..<n { sum += eigen.vectors[row * n + column] * inner[column] }
      return sum
    }
  }

  private func squares(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 } }

  // MARK: - Learning

  /// One generation: `samples` best first, with the weight of each.
  mutating func learn(_ samples: [CMAESSample], weights: [Double]) {
    generation += 1
    if dimension > 0 { learnNumbers(samples.map(\.numbers), samples.map(\.isForeign), weights) }
    categories.learn(samples.map(\.choices), weights)
    keepMargins()
  }

  private mutating func learnNumbers(_ points: [[Double]], _ isForeign: [Bool], _ weights: [Double]) {
    let n = dimension
    let w = constants
    var norms: [Double] = []
    // How far a point of the distribution goes at most, nearly always (Hansen: Injecting External Solutions Into
    // CMA-ES, 2011, section 2): points of elsewhere are pulled in to that.
    let far = Double(n).squareRoot() + 2 * Double(n) / (Double(n) + 2)
    let steps = points.enumerated().map { place, point in
      var y = (0..<n).map { (point[$0] - mean[$0]) / (sigma * widening[$0]) }
      var norm = squares(whitened(y)).squareRoot()
      if isForeign[place], norm > far {
        for axis in 0..<n { y[axis] *= far / norm }
        norm = far
      }
      norms.append(norm)
      return y
    }
    var shift = Array(repeating: 0.0, count: n)
    for (place, step) in steps.enumerated() where weights[place] > 0 {
      for axis in 0..<n { shift[axis] += weights[place] * step[axis] }
    }
    for axis in 0..<n { mean[axis] += sigma * widening[axis] * shift[axis] }
    for axis in 0..<n where !layout.isOrdered[axis] { mean[axis] = min(max(mean[axis], 0), 1) }

    let white = whitened(shift)
    let stepGain = (w.stepCumulation * (2 - w.stepCumulation) * w.effective).squareRoot()
    for axis in 0..<n { stepPath[axis] = (1 - w.stepCumulation) * stepPath[axis] + stepGain * white[axis] }
    let length = squares(stepPath).squareRoot()
    sigma *= Elementary.exp(min(1, w.stepCumulation / w.stepDamping * (length / w.expectedNorm - 1)))
    sigma = min(max(sigma, 1e-12), 1)

    let start = (1 - Elementary.pow(1 - w.stepCumulation, 2 * Double(generation))).squareRoot()
    let isSteady = length / start < (1.4 + 2 / (Double(n) + 1)) * w.expectedNorm
    let pathGain = isSteady ? (w.pathCumulation * (2 - w.pathCumulation) * w.effective).squareRoot() : 0
    for axis in 0..<n { path[axis] = (1 - w.pathCumulation) * path[axis] + pathGain * shift[axis] }

    let stall = isSteady ? 0 : w.pathCumulation * (2 - w.pathCumulation)
    let keep = 1 + w.rankOne * stall - w.rankOne - w.rankMu * weights.reduce(0, +)
    for row in 0..<n {
      for column in 0...row {
        var sum = keep * covariance[row * n + column] + w.rankOne * path[row] * path[column]
        for (place, step) in steps.enumerated() {
          let norm = norms[place] * norms[place] + 1e-8
          let weight = weights[place] >= 0 ? weights[place] : weights[place] * Double(n) / norm
          sum += w.rankMu * weight * step[row] * step[column]
        }
        covariance[row * n + column] = sum
        covariance[column * n + row] = sum
      }
    }
    sinceEigen += 1
    // Often enough that what is lost by old eigenvectors does not matter (tutorial, appendix B.2).
    if Double(sinceEigen) >= 1 / (10 * Double(n) * (w.rankOne + w.rankMu)) { decompose() }
  }

  private mutating func decompose() {
    let n = dimension
    sinceEigen = 0
    eigen = SymmetricEigen(covariance, dimension: n)
    let largest = eigen.values.last ?? 1
    guard largest.isFinite, largest > 0 else { return reset() }
    // Negative weights and rounding may leave values at or below 0; what is far below the largest is as good as 0.
    let least = largest * 1e-12
    guard let smallest = eigen.values.first, smallest < least else { return }
    for axis in 0..<n { covariance[axis * n + axis] += least - min(smallest, 0) }
    eigen = SymmetricEigen(covariance, dimension: n)
  }

  /// Begins the shape anew where the mean is: the numbers have run out of range.
  private mutating func reset() {
    let n = dimension
    covariance = Array(repeating: 0, count: n * n)
    for axis in 0..<n { covariance[axis * n + axis] = 1 }
    eigen = SymmetricEigen(covariance, dimension: n)
    path = Array(repeating: 0, count: n)
    stepPath = path
  }

  // MARK: - Where it stands

  /// The standard deviation along one axis.
  func deviation(_ axis: Int) -> Double {
    sigma * widening[axis] * covariance[axis * dimension + axis].squareRoot()
  }

  /// How much longer than wide the distribution is, squared.
  var condition: Double {
    guard let low = eigen.values.first, let high = eigen.values.last else { return 1 }
    return high / max(low, .leastNormalMagnitude)
  }
}
