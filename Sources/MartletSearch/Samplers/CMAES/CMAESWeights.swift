// The constants of CMA-ES that follow from the dimension and the size of a generation.

/// Recombination weights and learning rates, by Hansen: The CMA Evolution Strategy: A Tutorial (arXiv 1604.00772),
/// table 1 and equations 49–58.
struct CMAESWeights: Hashable, Sendable {
  /// λ: how many points a generation has.
  let size: Int
  /// μ: how many of them have weights above 0.
  let parents: Int
  /// wᵢ, best first; those above 0 add up to 1.
  let weights: [Double]
  /// μ_eff.
  let effective: Double
  let rankOne: Double
  let rankMu: Double
  let stepCumulation: Double
  let stepDamping: Double
  let pathCumulation: Double
  /// E‖N(0, I)‖.
  let expectedNorm: Double

  init(dimension: Int, size: Int) {
    let n = Double(max(dimension, 1))
    self.size = size
    parents = size / 2
    let raw = (1...size).map { Elementary.log((Double(size) + 1) / 2) - Elementary.log(Double($0)) }
    let above = raw[..<parents]
    let below = raw[parents...]
    func effective(_ weights: ArraySlice<Double>) -> Double {
      let sum = weights.reduce(0, +)
      let squares = weights.reduce(0) { $0 + $1 * $1 }
      return squares > 0 ? sum * sum / squares : 0
    }
    let muEffective = effective(above)
    self.effective = muEffective
    rankOne = 2 / ((n + 1.3) * (n + 1.3) + muEffective)
    rankMu = min(
      1 - rankOne - 1e-8,
      2 * (muEffective - 2 + 1 / muEffective) / ((n + 2) * (n + 2) + muEffective))
    let limit = min(
      1 + rankOne / rankMu, 1 + 2 * effective(below) / (muEffective + 2),
      (1 - rankOne - rankMu) / (n * rankMu))
    let positive = raw.reduce(0) { $0 + max($1, 0) }
    let negative = raw.reduce(0) { $0 - min($1, 0) }
    weights = raw.map { $0 >= 0 ? $0 / positive : negative > 0 ? limit * $0 / negative : 0 }
    stepCumulation = (muEffective + 2) / (n + muEffective + 5)
    stepDamping = 1 + 2 * max(0, ((muEffective - 1) / (n + 1)).squareRoot() - 1) + stepCumulation
    pathCumulation = (4 + muEffective / n) / (n + 4 + 2 * muEffective / n)
    expectedNorm = n.squareRoot() * (1 - 1 / (4 * n) + 1 / (21 * n * n))
  }

  /// λ of the tutorial: 4 + ⌊3 ln n⌋.
  static func usualSize(dimension: Int) -> Int { 4 + Int(3 * Elementary.log(Double(max(dimension, 1)))) }

  /// The weights of trials in this order, of which equal ones share theirs: what cannot be told apart must not pull
  /// in the order in which it happened to be asked for.
  func shared(_ standings: [Standing]) -> [Double] {
    var result = weights
    var first = 0
    while first < standings.count {
      var end = first + 1
      while end < standings.count, !standings[first].isBetter(than: standings[end]) { end += 1 }
      let share = weights[first..<end].reduce(0, +) / Double(end - first)
      for place in first..<end { result[place] = share }
      first = end
    }
    return result
  }
}
