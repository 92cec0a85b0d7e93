// How likely each choice is, as CMA-ES learns it.

/// Independent probabilities over the choices of each axis, moved by the natural gradient with an adaptive step.
///
/// Akimoto et al.: Adaptive Stochastic Natural Gradient Method for One-Shot Neural Architecture Search (2019),
/// algorithm 1, with the margins of CatCMA with Margin (arXiv 2504.07884): no choice becomes too unlikely to be seen.
struct CategoryDistribution: Sendable {
  private(set) var probabilities: [[Double]]
  /// For each choice whether it may ever be drawn.
  private let isPossible: [[Bool]]
  private let margins: [Double]
  /// Δ, γ and s of the paper.
  private var trust = 1.0
  private var normalization = 0.0
  private var path: [Double]

  init(_ prior: [[Double]], marginAxes: Int) {
    isPossible = prior.map { $0.map { $0 > 0 } }
    let share = 1 - Elementary.pow(0.73, 1 / Double(max(marginAxes, 1)))
    margins = isPossible.map { possible in
      let count = possible.count { $0 }
      return count > 1 ? min(share / Double(count - 1), 0.5 / Double(count)) : 0
    }
    probabilities = prior
    path = Array(repeating: 0, count: prior.reduce(0) { $0 + $1.count })
    keepMargins()
  }

  func draw(using generator: inout Xoshiro256) -> [Int] {
    probabilities.map { row in
      let place = generator.unit()
      var sum = 0.0
      for (choice, probability) in row.enumerated() {
        sum += probability
        if place < sum { return choice }
      }
      // Rounding may leave the sum below 1.
      return row.lastIndex { $0 > 0 } ?? 0
    }
  }

  /// - Parameter points: the best first, with the weight of each; those with weights above 0 count.
  mutating func learn(_ points: [[Int]], _ weights: [Double]) {
    guard !probabilities.isEmpty else { return }
    var gradient = probabilities.map { $0.map { _ in 0.0 } }
    for (point, weight) in zip(points, weights) where weight > 0 {
      for (axis, choice) in point.enumerated() {
        for other in gradient[axis].indices {
          gradient[axis][other] += weight * ((other == choice ? 1 : 0) - probabilities[axis][other])
        }
      }
    }
    // In the coordinates √p the Fisher metric is the plain one: |∇| there is the length of the natural gradient.
    var flat: [Double] = []
    for (axis, row) in gradient.enumerated() {
      for (choice, slope) in row.enumerated() {
        let p = probabilities[axis][choice]
        flat.append(p > 0 ? slope / p.squareRoot() : 0)
      }
    }
    let norm = flat.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard norm > 1e-8 else { return }
    let delta = 1 / trust
    // Never past the point at which all weight sits on what was just seen.
    let step = min(delta / norm, 1)
    for axis in probabilities.indices {
      for choice in probabilities[axis].indices {
        probabilities[axis][choice] += step * gradient[axis][choice]
      }
    }
    let free = probabilities.reduce(0) { $0 + $1.count - 1 }
    let beta = min(delta / Double(max(free, 1)).squareRoot(), 1)
    let gain = (beta * (2 - beta)).squareRoot()
    for place in path.indices { path[place] = (1 - beta) * path[place] + gain * flat[place] / norm }
    normalization = (1 - beta) * (1 - beta) * normalization + beta * (2 - beta)
    let signal = path.reduce(0) { $0 + $1 * $1 }
    trust *= Elementary.exp(beta * (normalization - signal / 1.5))
    trust = min(max(trust, 1e-3), 1e3)
    keepMargins()
  }

  private mutating func keepMargins() {
    for axis in probabilities.indices {
      let margin = margins[axis]
      var sum = 0.0
      var room = 0.0
      for choice in probabilities[axis].indices {
        let least = isPossible[axis][choice] ? margin : 0
        probabilities[axis][choice] = isPossible[axis][choice] ? max(probabilities[axis][choice], least) : 0
        sum += probabilities[axis][choice]
        room += probabilities[axis][choice] - least
      }
      guard room > 0 else { continue }
      for choice in probabilities[axis].indices where isPossible[axis][choice] {
        probabilities[axis][choice] -= (sum - 1) * (probabilities[axis][choice] - margin) / room
      }
    }
  }
}
