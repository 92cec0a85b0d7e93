// What is not yet dominated, as boxes.

/// The part of the space of losses that is better than a reference point and dominated by no point of a front, cut into
/// boxes that do not overlap. For 2 or 3 losses, all minimised.
///
/// In two dimensions a strip between two neighbours; in three a slab between two neighbours of the third loss, cut like
/// two dimensions (Yang, Emmerich, Deutz, Bäck: Efficient Computation of Expected Hypervolume Improvement Using Box
/// Decomposition Algorithms, 2019).
struct BoxDecomposition: Hashable, Sendable {
  struct Box: Hashable, Sendable {
    /// −infinite where nothing bounds it.
    var lower: [Double]
    var upper: [Double]
  }

  let boxes: [Box]

  /// - Parameters:
  ///   - front: points of 2 or 3 losses; those that are dominated or beyond the reference change nothing.
  ///   - reference: worse than all that counts.
  init(front: [[Double]], reference: [Double]) {
    let inside = front.filter { point in zip(point, reference).allSatisfy { $0 < $1 } }
    if reference.count == 2 {
      boxes = Self.strips(inside, reference)
      return
    }
    var boxes: [Box] = []
    let levels = Set(inside.map { $0[2] }).sorted()
    var floor = -Double.infinity
    for ceiling in levels + [reference[2]] {
      // Only points at or below the slab's floor dominate anything in it.
      let below = inside.filter { $0[2] <= floor }
      for strip in Self.strips(below, reference) {
        boxes.append(Box(lower: strip.lower + [floor], upper: strip.upper + [ceiling]))
      }
      floor = ceiling
    }
    self.boxes = boxes
  }

  private static func strips(_ points: [[Double]], _ reference: [Double]) -> [Box] {
    let sorted = points.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }
    var boxes: [Box] = []
    var left = -Double.infinity
    var height = reference[1]
    for point in sorted where point[1] < height {
      if point[0] > left {
        boxes.append(Box(lower: [left, -.infinity], upper: [point[0], height]))
      }
      left = point[0]
      height = point[1]
    }
    boxes.append(Box(lower: [left, -.infinity], upper: [reference[0], height]))
    return boxes
  }
}

extension BoxDecomposition {
  /// The logarithm of the expected growth of the dominated volume by a point with these independent predictions.
  ///
  /// The sum over boxes of the products of E[(u − max(y, l))⁺] = ψ(u) − ψ(l), ψ(b) = σ h((b − μ)/σ), in logarithms
  /// (Ament et al.: Unexpected Improvements to Expected Improvement for Bayesian Optimization, 2023, section 4).
  func logImprovement(_ predictions: [Prediction]) -> Double {
    Elementary.logSum(
      boxes.map { box in
        predictions.indices.reduce(0.0) { sum, index in
          sum + Edge(predictions[index], box.lower[index], box.upper[index]).logLength
        }
      })
  }

  /// The same with its derivatives by each mean and variance.
  func logImprovementSlopes(_ predictions: [Prediction]) -> [PredictionSlope] {
    let edges = boxes.map { box in
      predictions.indices.map { Edge(predictions[$0], box.lower[$0], box.upper[$0]) }
    }
    let logs = edges.map { $0.reduce(0.0) { $0 + $1.logLength } }
    let total = Elementary.logSum(logs)
    var slopes = Array(repeating: PredictionSlope(), count: predictions.count)
    guard total > -.infinity else { return slopes }
    for (box, value) in zip(edges, logs) where value > -.infinity {
      let share = Elementary.exp(value - total)
      for (index, edge) in box.enumerated() {
        let slope = edge.slope
        slopes[index].mean += share * slope.mean
        slopes[index].variance += share * slope.variance
      }
    }
    return slopes
  }
}

/// One side of a box as a prediction sees it.
private struct Edge {
  let deviation: Double
  /// The ends in deviations from the mean.
  let low: Double
  let high: Double
  /// log E[(u − max(y, l))⁺].
  let logLength: Double

  init(_ prediction: Prediction, _ lower: Double, _ upper: Double) {
    deviation = prediction.deviation
    low = (lower - prediction.mean) / deviation
    high = (upper - prediction.mean) / deviation
    let whole = Normal.logImprovement(high)
    var length = whole
    if low > -.infinity {
      let part = Normal.logImprovement(low) - whole
      length = part < 0 ? whole + Elementary.log1mexp(part) : -.infinity
    }
    logLength = Elementary.log(deviation) + length
  }

  /// ∂/∂μ = −(Φ(u) − Φ(l)) and ∂/∂σ = φ(u) − φ(l), each divided by the length.
  var slope: PredictionSlope {
    let logHigh = Normal.logCumulative(high)
    var logShare = logHigh
    var lowDensity = 0.0
    if low > -.infinity {
      let part = Normal.logCumulative(low) - logHigh
      logShare = part < 0 ? logHigh + Elementary.log1mexp(part) : -.infinity
      lowDensity = Elementary.exp(-0.5 * low * low - Normal.logRootTurn - logLength)
    }
    let highDensity = Elementary.exp(-0.5 * high * high - Normal.logRootTurn - logLength)
    return PredictionSlope(
      mean: -Elementary.exp(logShare - logLength),
      variance: (highDensity - lowDensity) / (2 * deviation))
  }
}
