// How much a point promises.

/// What is expected of a point, as a logarithm: the larger, the better.
struct Acquisition: Sendable {
  enum Goal: Hashable, Sendable {
    /// To find a feasible point at all: the models of losses do not count.
    case feasibility
    /// To be lower than this, in the units of the first model.
    case improvement(over: Double)
    /// To dominate more than what is known.
    case hypervolume(BoxDecomposition)
  }

  /// For each way in which the points under way may come out.
  let goals: [Goal]
  /// How many of the forecasts are of losses; those after them are of violations, to be 0 or less.
  let lossCount: Int

  /// log EI, or the logarithm of the expected hypervolume improvement, of their mean over all ways in which the points
  /// under way may come out, plus Σ log Φ(−μ_c / σ_c) over the constraints (Gardner, Kusner, Xu, Weinberger, Cunningham:
  /// Bayesian Optimization with Inequality Constraints, 2014).
  func value(_ forecasts: [Forecast]) -> Double {
    let losses = forecasts.prefix(lossCount)
    var sum =
      goals.count == 1
      ? goals[0].value(losses.map { $0[0] })
      : Elementary.logSum(goals.indices.map { way in goals[way].value(losses.map { $0[way] }) })
        - Elementary.log(Double(goals.count))
    for forecast in forecasts.dropFirst(lossCount) {
      let prediction = forecast[0]
      sum += Normal.logCumulative(-prediction.mean / prediction.deviation)
    }
    return sum
  }

  /// The derivatives of `value` by the means and the variance of each forecast.
  func slopes(_ forecasts: [Forecast]) -> [ForecastSlope] {
    var slopes = forecasts.map { ForecastSlope(means: $0.means.map { _ in 0 }) }
    let losses = forecasts.prefix(lossCount)
    let values =
      goals.count == 1 ? [0] : goals.indices.map { way in goals[way].value(losses.map { $0[way] }) }
    let total = Elementary.logSum(values)
    for (way, value) in values.enumerated() where value > -.infinity {
      let share = Elementary.exp(value - total)
      for (index, slope) in goals[way].slopes(losses.map { $0[way] }).enumerated() {
        slopes[index].means[way] += share * slope.mean
        slopes[index].variance += share * slope.variance
      }
    }
    for index in lossCount..<max(forecasts.count, lossCount) {
      let prediction = forecasts[index][0]
      let z = -prediction.mean / prediction.deviation
      let slope = Normal.logCumulativeSlope(z)
      slopes[index].means[0] = -slope / prediction.deviation
      slopes[index].variance = -0.5 * z * slope / prediction.variance
    }
    return slopes
  }
}

extension Acquisition.Goal {
  /// The logarithm of what is expected.
  func value(_ losses: [Prediction]) -> Double {
    switch self {
    case .feasibility: return 0
    case .improvement(let best):
      let deviation = losses[0].deviation
      return Elementary.log(deviation) + Normal.logImprovement((best - losses[0].mean) / deviation)
    case .hypervolume(let boxes): return boxes.logImprovement(losses)
    }
  }

  /// The derivatives of `value` by the mean and variance of each prediction.
  func slopes(_ losses: [Prediction]) -> [PredictionSlope] {
    switch self {
    case .feasibility: return []
    case .improvement(let best):
      let deviation = losses[0].deviation
      let z = (best - losses[0].mean) / deviation
      let slope = Normal.logImprovementSlope(z)
      return [
        PredictionSlope(mean: -slope / deviation, variance: (1 - z * slope) / (2 * losses[0].variance))
      ]
    case .hypervolume(let boxes): return boxes.logImprovementSlopes(losses)
    }
  }
}
