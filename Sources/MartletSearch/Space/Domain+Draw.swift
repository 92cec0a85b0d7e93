// One value at random from a domain.

import Foundation
import MartletModel

extension Domain {
  /// A value drawn from `generator`; the domain must be without flaw.
  func draw(using generator: inout Xoshiro256) -> JSONValue {
    switch self {
    case .constant(let value): return value
    case .categorical(let values, let probabilities):
      guard let probabilities else { return values[Int(generator.below(UInt64(values.count)))] }
      return values[Self.index(probabilities, at: generator.unit())]
    case .integers(let min, let max, let step):
      let steps = UInt64(bitPattern: max &- min) / UInt64(step)
      // All of Int64 has 2^64 values, which `below` calls 0.
      let index = generator.below(steps &+ 1)
      return .int(min &+ Int64(bitPattern: index) &* step)
    case .real(let distribution, let quantum):
      let value = distribution.draw(using: &generator)
      guard let quantum else { return .double(value) }
      var index = (value / quantum.value).rounded(.toNearestOrEven)
      if let bounds = distribution.bounds, let indices = quantum.indices(within: bounds) {
        index = Swift.min(Swift.max(index, indices.lowerBound), indices.upperBound)
      }
      return quantum.multiple(index)
    }
  }

  /// The index whose share of 0..<1 holds `unit`; never one with probability 0.
  static func index(_ probabilities: [Double], at unit: Double) -> Int {
    let target = unit * probabilities.reduce(0, +)
    var sum = 0.0
    for (index, probability) in probabilities.enumerated() {
      sum += probability
      if target < sum { return index }
    }
    return probabilities.lastIndex { $0 > 0 } ?? 0
  }
}

extension RealDistribution {
  func draw(using generator: inout Xoshiro256) -> Double {
    func uniform(_ min: Double, _ max: Double) -> Double {
      // The two-product form cannot overflow, unlike min + (max - min) * u.
      let unit = generator.unit()
      return Swift.min(Swift.max(min * (1 - unit) + max * unit, min), max)
    }
    let value: Double =
      switch self {
      case .uniform(let min, let max): uniform(min, max)
      case .logUniform(let min, let max): exp(uniform(min, max))
      case .logUniformValues(let min, let max): exp(uniform(log(min), log(max)))
      case .invLogUniform(let min, let max): exp(-uniform(min, max))
      case .invLogUniformValues(let min, let max): exp(-uniform(-log(max), -log(min)))
      case .normal(let mu, let sigma): mu + sigma * generator.normal()
      case .logNormal(let mu, let sigma): exp(mu + sigma * generator.normal())
      case .beta(let a, let b): Self.beta(a, b, &generator)
      }
    // exp(log(x)) may miss x by a last digit, and a bound is a promise.
    guard let bounds else { return value }
    return Swift.min(Swift.max(value, bounds.lowerBound), bounds.upperBound)
  }

  private static func beta(_ a: Double, _ b: Double, _ generator: inout Xoshiro256) -> Double {
    let x = generator.gamma(shape: a)
    let y = generator.gamma(shape: b)
    // Both are 0 only for shapes so small that the mass sits at the ends.
    return x + y > 0 ? x / (x + y) : (generator.unit() * (a + b) < a ? 1 : 0)
  }
}
