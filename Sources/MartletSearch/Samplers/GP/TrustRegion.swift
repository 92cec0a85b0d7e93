// A box around the best point, as large as the search has luck in it.

/// Where some asks look when the option `region` says so: what was found is improved while the others look everywhere.
///
/// The rules and constants are those of TuRBO (Eriksson, Pearce, Gardner, Turner, Poloczek: Scalable Global Optimization
/// via Local Bayesian Optimization, 2019): the side begins at 0.8, doubles after 3 trials in a row that improve and
/// halves after max(4, d) that do not; below 2⁻⁷ it begins anew. Axes with longer length scales are longer.
struct TrustRegion: Sendable {
  /// The best point, canonical.
  let centre: [Double]
  let lower: [Double]
  let upper: [Double]

  init(_ history: History, centre: [Double], kernel: KernelParameters, startup: Int) {
    self.centre = centre
    let side = Self.side(history, startup: startup)
    let axes = Double(centre.count)
    let mean = kernel.logWeights.reduce(0) { $0 - 0.5 * $1 / axes }
    var lower = centre
    var upper = centre
    for (axis, entry) in history.cube.axes.enumerated() {
      if case .categorical = entry.kind {
        (lower[axis], upper[axis]) = (-.infinity, .infinity)
        continue
      }
      let half = 0.5 * side * Elementary.exp(-0.5 * kernel.logWeights[axis] - mean)
      // What is inactive at the best point may be anywhere.
      lower[axis] = centre[axis].isNaN ? 0 : max(centre[axis] - half, 0)
      upper[axis] = centre[axis].isNaN ? 1 : min(centre[axis] + half, 1)
    }
    self.lower = lower
    self.upper = upper
  }

  /// The side of the box: a function of what the trials brought, in their order.
  private static func side(_ history: History, startup: Int) -> Double {
    let patience = max(4, history.cube.axes.count)
    var side = 0.8
    var best = Double.infinity
    var successes = 0
    var failures = 0
    for (index, observation) in history.observations.enumerated() {
      let loss = observation.isFeasible ? observation.losses[0] : .infinity
      let isBetter = loss < best - 1e-3 * best.magnitude || best == .infinity && loss < best
      best = min(best, loss)
      guard index >= startup else { continue }
      successes = isBetter ? successes + 1 : 0
      failures = isBetter ? 0 : failures + 1
      if successes == 3 {
        side = min(2 * side, 1.6)
        successes = 0
      } else if failures == patience {
        side /= 2
        failures = 0
      }
      if side < 0x1p-7 { side = 0.8 }
    }
    return side
  }

  func holds(_ coordinate: Double, on axis: Int) -> Bool {
    lower[axis] <= coordinate && coordinate <= upper[axis]
  }

  /// A point of the cube as one of the box; only a share of the axes leaves the centre.
  func place(
    _ point: [Double], share: Double, _ centre: [Double], _ generator: inout Xoshiro256
  ) -> [Double] {
    let certain = Int(generator.below(UInt64(point.count)))
    return point.indices.map { axis in
      guard axis == certain || generator.unit() < share else { return centre[axis] }
      guard lower[axis] > -.infinity else { return point[axis] }
      return lower[axis] + point[axis] * (upper[axis] - lower[axis])
    }
  }
}
