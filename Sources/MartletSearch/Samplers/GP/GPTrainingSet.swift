// The trials a Gaussian process learns from, chosen and scaled.

import MartletModel

/// Points with what was measured of them, on the scale of the models.
struct GPTrainingSet: Sendable {
  /// One point and its value.
  struct Target: Sendable {
    var points: [[Double]]
    var values: [Double]
  }

  /// For each loss that is modelled its values after `LossScale.winsorized`, one a measured trial.
  let losses: [[Double]]
  /// The points of the losses; failed ones after all that were measured.
  private let lossPoints: [[Double]]
  /// One for each constraint.
  private let constraints: [Target]
  /// How much worse than the worst that was measured each failed point counts, in deviations.
  private let severities: [Double]
  /// For each point of the losses: it was trained to its end and meets the constraints.
  let isFeasible: [Bool]
  /// The best feasible points, best first; those that miss the constraints least while there are none.
  let incumbents: [[Double]]

  /// How many trials a model takes; of more it sees the best half of this and those nearest to the best.
  static let limit = 1000

  /// Failed trials count as the worst that was measured, so that the model stays away from where they were; those with
  /// penalties as up to a deviation worse.
  ///
  /// Nil when there are fewer than two trials to learn from.
  init?(_ history: History, _ problem: SearchProblem, generator: inout Xoshiro256) {
    let observations = Self.chosen(Array(history.observations))
    let measured = observations.filter { $0.state != .failed && !$0.losses.isEmpty }
    guard measured.count >= 2 else { return nil }
    let failed = observations.filter { ($0.state == .failed || $0.losses.isEmpty) && $0.violations.isEmpty }
    severities = Self.severities(
      failed.map { $0.losses.first ?? -.infinity }, beyond: measured.map { $0.losses[0] }.max() ?? 0)
    lossPoints = measured.map(\.coordinates) + failed.map(\.coordinates)
    if problem.objectiveCount <= 3 {
      losses = (0..<problem.objectiveCount).map { index in
        LossScale.winsorized(measured.map { $0.losses[index] })
      }
    } else {
      losses = [LossScale.winsorized(Self.chebyshev(measured.map(\.losses), &generator))]
    }
    isFeasible = measured.map(\.isFeasible) + failed.map { _ in false }
    incumbents = Self.incumbents(measured)
    let judged = observations.filter { $0.violations.count == problem.constraintCount }
    constraints = (0..<(judged.count < 2 ? 0 : problem.constraintCount)).map { index in
      Target(
        points: judged.map(\.coordinates),
        values: LossScale.violations(judged.map { $0.violations[index] }))
    }
  }

  /// What the models learn: one target for each loss, then one for each constraint.
  ///
  /// - Parameter power: of the transform of losses, when there is only one.
  func targets(power: Double) -> [Target] {
    losses.map { clipped in
      let scaled = LossScale.standardized(clipped, power: losses.count == 1 ? power : 1)
      let worst = scaled.max() ?? 0
      return Target(points: lossPoints, values: scaled + severities.map { worst + $0 })
    } + constraints
  }

  /// The feasible point of which a model of the losses expects most: with noise not the one that had most luck.
  ///
  /// - Parameter means: what the model expects at each point of the losses.
  func best(by means: [Double]) -> [Double]? {
    let feasible = isFeasible.indices.filter { isFeasible[$0] }
    return feasible.min { (means[$0], $0) < (means[$1], $1) }.map { lossPoints[$0] }
  }

  /// Where the one loss was the same at several points.
  func plateaus(_ features: KernelFeatures, _ kernel: Kernel) -> Plateaus {
    guard losses.count == 1, let measured = losses.first else { return Plateaus() }
    return Plateaus(
      Array(lossPoints.prefix(measured.count)), losses: measured, features: features, kernel: kernel)
  }

  /// The best of measured trials by their standing, at most ten.
  private static func incumbents(_ measured: [Observation]) -> [[Double]] {
    let ranks = Standing.ranks(measured.map { Standing($0) }, upTo: 10)
    let order = measured.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }
    return order.prefix(10).map { measured[$0].coordinates }
  }

  /// The places of penalties among each other, evenly from 0 to 1: what they are as numbers would leave the model nothing to
  /// see of the differences between trials that were measured. One that is no worse than what was measured has the place 0.
  private static func severities(_ penalties: [Double], beyond worst: Double) -> [Double] {
    let levels = Set(penalties.filter { $0 > worst }).sorted()
    return penalties.map { penalty in
      Double(levels.prefix { $0 <= penalty }.count) / Double(max(levels.count, 1))
    }
  }

  /// One loss of many: the largest weighted one and a little of their sum (Knowles: ParEGO, 2006), the weights drawn
  /// anew for each ask.
  private static func chebyshev(_ losses: [[Double]], _ generator: inout Xoshiro256) -> [Double] {
    var weights = losses[0].map { _ in -Elementary.log(1 - generator.unit()) }
    let total = weights.reduce(0, +)
    for index in weights.indices { weights[index] /= max(total, 1e-300) }
    return Pareto.normalized(losses).map { row in
      let terms = zip(row, weights).map { $0 * $1 }
      return (terms.max() ?? 0) + 0.05 * terms.reduce(0, +)
    }
  }

  private static func chosen(_ observations: [Observation]) -> [Observation] {
    guard observations.count > limit else { return observations }
    let ranks = Standing.ranks(observations.map { Standing($0) })
    let order = observations.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }
    let centres = order.prefix(5).map { observations[$0].coordinates }
    func distance(_ place: Int) -> Double {
      centres.map { centre in
        zip(centre, observations[place].coordinates).reduce(0.0) { sum, pair in
          if pair.0.isNaN && pair.1.isNaN { return sum }
          let difference = pair.0 - pair.1
          // An index of a category is no length: different is 1.
          return sum + (difference.isNaN ? 1 : min(difference * difference, 1))
        }
      }.min() ?? 0
    }
    let rest = order.dropFirst(limit / 2).map { (place: $0, distance: distance($0)) }
    let near = rest.sorted { ($0.distance, $0.place) < ($1.distance, $1.place) }.prefix(
      limit - limit / 2)
    return (order.prefix(limit / 2) + near.map(\.place)).sorted().map { observations[$0] }
  }
}

extension GPTrainingSet.Target {
  static let sampleLimit = 300

  /// The points hyperparameters are fitted to: all of a few hundred; of more the best half of that and others evenly.
  ///
  /// A fit takes O(n³) some dozens of times, and its result hardly changes with more points.
  func sample() -> GPTrainingSet.Target {
    let limit = Self.sampleLimit
    guard values.count > limit else { return self }
    let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
    let others = order.dropFirst(limit / 2).sorted()
    let spread = (0..<limit - limit / 2).map { others[$0 * others.count / (limit - limit / 2)] }
    let places = (order.prefix(limit / 2) + spread).sorted()
    return Self(points: places.map { points[$0] }, values: places.map { values[$0] })
  }
}
