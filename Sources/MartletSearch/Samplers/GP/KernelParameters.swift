// What a Gaussian process learns beside its data, and what is believed of it beforehand.

import MartletModel

/// The hyperparameters of a Matérn-5/2 kernel with a weight for each axis, as logarithms.
struct KernelParameters: Hashable, Sendable {
  /// The inverse squares of the length scales, one an axis.
  var logWeights: [Double]
  /// The variance of the function.
  var logScale: Double
  /// The variance of the noise.
  var logNoise: Double

  /// Where every fit begins too: length scales of 1, a standardised function, little noise.
  init(axes: Int) {
    logWeights = Array(repeating: 0, count: axes)
    logScale = 0
    logNoise = -6.9
  }

  /// All of them, as a minimiser sees them.
  var vector: [Double] {
    get { logWeights + [logScale, logNoise] }
    set {
      logWeights = Array(newValue.dropLast(2))
      logScale = newValue[newValue.count - 2]
      logNoise = newValue[newValue.count - 1]
    }
  }

  static func lowerBounds(axes: Int) -> [Double] {
    Array(repeating: -11.5, count: axes) + [-4.6, Elementary.log(leastNoise)]
  }

  static func upperBounds(axes: Int) -> [Double] { Array(repeating: 9.2, count: axes) + [4.6, 0] }

  /// The least variance of the noise, of standardised values: what keeps the factor exact.
  static let leastNoise = 1e-6

  /// All that is needed to make it again.
  var json: JSONValue { .array(vector.map { .double($0) }) }

  init?(json: JSONValue, axes: Int) {
    guard let numbers = json.array?.compactMap(\.double), numbers.count == axes + 2,
      numbers.allSatisfy(\.isFinite)
    else { return nil }
    self.init(axes: axes)
    vector = numbers
  }
}

/// A prior of the hyperparameters.
enum KernelPrior: String, CaseIterable, Hashable, Sendable {
  /// Weights near 1, whatever the number of axes: −0.1 (w + 1/w), as in Optuna's sampler.
  case unit
  /// Length scales that grow with the root of the number of axes (Hvarfner, Hellsten, Nardi: Vanilla Bayesian
  /// Optimization Performs Great in High Dimensions, 2024): log ℓ is normal around √2 + log(d)/2, with deviation √3.
  case dimension

  /// The negative logarithm of its density, up to a constant; adds the derivatives to `gradient`.
  func penalty(_ parameters: KernelParameters, _ gradient: inout [Double]) -> Double {
    var sum = 0.0
    let axes = parameters.logWeights.count
    for (axis, logWeight) in parameters.logWeights.enumerated() {
      switch self {
      case .unit:
        let weight = Elementary.exp(logWeight)
        sum += 0.1 / weight + 0.1 * weight
        gradient[axis] += 0.1 * weight - 0.1 / weight
      case .dimension:
        let centre = 2.0.squareRoot() + 0.5 * Elementary.log(Double(axes))
        let offset = -0.5 * logWeight - centre
        sum += offset * offset / 6
        gradient[axis] -= offset / 6
      }
    }
    // The variances of function and noise: Gamma(2, 1) and Gamma(1.1, 30).
    let scale = Elementary.exp(parameters.logScale)
    let noise = Elementary.exp(parameters.logNoise)
    sum += scale - parameters.logScale + 30 * noise - 0.1 * parameters.logNoise
    gradient[axes] += scale - 1
    gradient[axes + 1] += 30 * noise - 0.1
    return sum
  }
}
