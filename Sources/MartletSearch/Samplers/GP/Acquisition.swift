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

  let goal: Goal
  /// How many of the predictions are losses; those after them are violations, to be 0 or less.
  let lossCount: Int

  /// log EI, or the logarithm of the expected hypervolume improvement, plus Σ log Φ(−μ_c / σ_c) over the constraints
  /// (Gardner, Kusner, Xu, Weinberger, Cunningham: Bayesian Optimization with Inequality Constraints, 2014).
  func value(_ predictions: [Prediction]) -> Double {
    var sum = 0.0
    switch goal {
    case .feasibility: break
    case .improvement(let best):
      let deviation = predictions[0].deviation
      sum =
        Elementary.log(deviation) + Normal.logImprovement((best - predictions[0].mean) / deviation)
    case .hypervolume(let boxes):
      sum = boxes.logImprovement(Array(predictions.prefix(lossCount)))
    }
    for prediction in predictions.dropFirst(lossCount) {
      sum += Normal.logCumulative(-prediction.mean / prediction.deviation)
    }
    return sum
  }

  /// The derivatives of `value` by the mean and variance of each prediction.
  func slopes(_ predictions: [Prediction]) -> [PredictionSlope] {
    var slopes = Array(repeating: PredictionSlope(), count: predictions.count)
    switch goal {
    case .feasibility: break
    case .improvement(let best):
      let deviation = predictions[0].deviation
      let z = (best - predictions[0].mean) / deviation
      let slope = Normal.logImprovementSlope(z)
      slopes[0].mean = -slope / deviation
      slopes[0].variance = (1 - z * slope) / (2 * predictions[0].variance)
    case .hypervolume(let boxes):
      slopes.replaceSubrange(
        0..<lossCount, with: boxes.logImprovementSlopes(Array(predictions.prefix(lossCount))))
    }
    for index in lossCount..<max(predictions.count, lossCount) {
      let prediction = predictions[index]
      let z = -prediction.mean / prediction.deviation
      let slope = Normal.logCumulativeSlope(z)
      slopes[index].mean = -slope / prediction.deviation
      slopes[index].variance = -0.5 * z * slope / prediction.variance
    }
    return slopes
  }
}
