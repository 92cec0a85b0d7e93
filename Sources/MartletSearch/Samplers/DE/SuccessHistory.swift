// The population of differential evolution, and which parameters did well.

/// What L-SHADE knows after some trials.
struct SuccessHistory: Sendable {
  struct Member: Sendable {
    var trial: Int
    /// In the history.
    var place: Int
    var standing: Standing
  }

  var members: [Member] = []
  /// Beaten members, as places in the history; the oldest first.
  var archive: [Int] = []
  /// Challengers so far.
  var trials = 0
  /// M_F and M_CR; nil: the terminal value, with which CR is 0 for ever.
  private var scales: [Double]
  private var rates: [Double?]
  private var next = 0
  private var successes: [(scale: Double, rate: Double, gain: Double)] = []

  init(memory: Int) {
    scales = Array(repeating: 0.5, count: memory)
    rates = Array(repeating: 0.5, count: memory)
  }

  /// The place of the worst member.
  var worst: Int? {
    members.indices.max { members[$0].standing.isBetter(than: members[$1].standing) }
  }

  /// F and CR of a challenger: F from a Cauchy, CR from a normal distribution around a remembered pair (section II-B).
  func parameters(_ generator: inout Xoshiro256) -> (scale: Double, rate: Double) {
    let entry = Int(generator.below(UInt64(scales.count)))
    let rate = rates[entry].map { min(max($0 + 0.1 * generator.normal(), 0), 1) } ?? 0
    var scale = 0.0
    for _ in 0..<100 where scale <= 0 {
      // The tangent of an angle, as a quotient of normals, which is the same on every machine.
      let ratio = generator.normal() / max(generator.normal().magnitude, 1e-300)
      scale = min(scales[entry] + 0.1 * ratio, 1)
    }
    return (scale > 0 ? scale : 0.5, rate)
  }

  /// A challenger was better than whom it challenged.
  mutating func succeed(_ scale: Double, _ rate: Double, gain old: Standing, _ new: Standing) {
    let gain: Double
    switch (old, new) {
    case (.feasible(let before), .feasible(let after)), (.pruned(let before), .pruned(let after)):
      gain = before[0] / 2 - after[0] / 2
    case (.infeasible(let before, _), .infeasible(let after, _)):
      gain = before.isFinite ? before - after : 1
    case (_, _): gain = 1
    }
    successes.append((scale, rate, gain))
  }

  /// Takes what succeeded in this generation into the memory: weighted Lehmer means (algorithm 1 of the paper).
  mutating func remember() {
    guard let largest = successes.map(\.gain).max(), largest > 0 else {
      successes = []
      return
    }
    var sum = (scale: 0.0, scales: 0.0, rate: 0.0, rates: 0.0)
    for success in successes {
      // Only ratios of gains count.
      let weight = success.gain / largest
      sum.scale += weight * success.scale
      sum.scales += weight * success.scale * success.scale
      sum.rate += weight * success.rate
      sum.rates += weight * success.rate * success.rate
    }
    scales[next] = sum.scales / sum.scale
    if rates[next] != nil { rates[next] = sum.rate > 0 ? sum.rates / sum.rate : nil }
    next = (next + 1) % scales.count
    successes = []
  }
}
