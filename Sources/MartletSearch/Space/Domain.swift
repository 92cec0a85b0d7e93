// The values one parameter may take, and how likely each is.

public import MartletModel

/// The values of one parameter.
///
/// The names and meanings are those of W&B's sweep configuration.
public enum Domain: Hashable, Sendable {
  /// Always the same value.
  case constant(JSONValue)
  /// One of some values, equally likely or with a probability each (they add up to 1).
  case categorical([JSONValue], probabilities: [Double]? = nil)
  /// One of some values, equally likely, that stand in their order: neighbours in the list are alike.
  case ordinal([JSONValue])
  /// Whole numbers `min, min + step, …` up to `max`, both ends included.
  case integers(min: Int64, max: Int64, step: Int64 = 1, scale: Scale = .linear)
  /// A real number; with a quantum the nearest of its multiples (the `q_` distributions of W&B).
  case real(RealDistribution, quantum: Quantum? = nil)
}

/// On which scale whole numbers are spread evenly.
public enum Scale: String, Hashable, Sendable, CaseIterable {
  /// All are equally likely.
  case linear
  /// The logarithm of the value with half a step on both sides is uniform: 1 is as likely as all from 8 to 15 nearly are.
  case logarithmic = "log"
}

/// How a real number is spread. `log` is the natural logarithm.
public enum RealDistribution: Hashable, Sendable {
  case uniform(min: Double, max: Double)
  /// `exp(u)`, `u` uniform in `min...max`: the bounds are exponents of e.
  case logUniform(min: Double, max: Double)
  /// Uniform on the logarithmic scale from `min` to `max`: the bounds are values.
  case logUniformValues(min: Double, max: Double)
  /// `exp(-u)`, `u` uniform in `min...max`: `log(1/x)` is uniform between the bounds.
  case invLogUniform(min: Double, max: Double)
  /// `log(1/x)` is uniform from `log(1/max)` to `log(1/min)`: the bounds are values.
  case invLogUniformValues(min: Double, max: Double)
  case normal(mu: Double, sigma: Double)
  /// `log(x)` is normal with mean `mu` and standard deviation `sigma`.
  case logNormal(mu: Double, sigma: Double)
  /// Beta(a, b) on 0...1.
  case beta(a: Double, b: Double)

  /// The smallest and largest value, where there are such.
  public var bounds: ClosedRange<Double>? {
    switch self {
    case .uniform(let min, let max), .logUniformValues(let min, let max),
      .invLogUniformValues(let min, let max):
      min <= max ? min...max : nil
    case .logUniform(let min, let max): min <= max ? Elementary.exp(min)...Elementary.exp(max) : nil
    case .invLogUniform(let min, let max): min <= max ? Elementary.exp(-max)...Elementary.exp(-min) : nil
    case .normal, .logNormal: nil
    case .beta: 0...1
    }
  }
}

// MARK: - Counting

extension Domain {
  /// How many values there are; nil when there is no end of them, `Int.max` when there are more than that.
  public var count: Int? {
    switch self {
    case .constant: return 1
    case .categorical(let values, _), .ordinal(let values): return values.count
    case .integers(let min, let max, let step, _):
      guard min <= max, step > 0 else { return 0 }
      let steps = max.subtractingReportingOverflow(min)
      guard !steps.overflow else { return Int.max }
      let count = (steps.partialValue / step).addingReportingOverflow(1)
      return count.overflow ? Int.max : Int(count.partialValue)
    case .real(let distribution, let quantum):
      guard let quantum, let bounds = distribution.bounds, let indices = quantum.indices(within: bounds)
      else {
        return nil
      }
      return Int(indices.upperBound - indices.lowerBound) + 1
    }
  }

  /// The value at `index`, from 0, in the order of the file or ascending; nil beyond the end or without one.
  public func value(at index: Int) -> JSONValue? {
    guard let count, (0..<count).contains(index) else { return nil }
    switch self {
    case .constant(let value): return value
    case .categorical(let values, _), .ordinal(let values): return values[index]
    case .integers(let min, _, let step, _): return .int(min &+ Int64(index) &* step)
    case .real(let distribution, let quantum):
      guard let quantum, let bounds = distribution.bounds, let indices = quantum.indices(within: bounds)
      else {
        return nil
      }
      return quantum.multiple(indices.lowerBound + Double(index))
    }
  }
}

extension Domain {
  /// Whether every value can be computed with.
  var isNumeric: Bool {
    switch self {
    case .constant(let value): value.asNumber != nil
    case .categorical(let values, _), .ordinal(let values): values.allSatisfy { $0.asNumber != nil }
    case .integers, .real: true
    }
  }
}

// MARK: - What is wrong with it

extension Domain {
  /// Why this domain cannot be searched; nil when it can.
  public var flaw: DomainFlaw? {
    switch self {
    case .constant: nil
    case .categorical(let values, let probabilities): Self.flaw(values: values, probabilities: probabilities)
    case .ordinal(let values): Self.flaw(values: values, probabilities: nil)
    case .integers(let min, let max, let step, let scale):
      if step < 1 {
        DomainFlaw(key: "step", message: "step must be 1 or more, not \(step)")
      } else if min >= max {
        DomainFlaw(key: "min", message: "min (\(min)) must be less than max (\(max))")
      } else if scale == .logarithmic, min < 1 {
        DomainFlaw(key: "min", message: "min must be 1 or more on a logarithmic scale, not \(min)")
      } else {
        nil
      }
    case .real(let distribution, let quantum):
      distribution.flaw ?? quantum.flatMap { $0.flaw(in: distribution) }
    }
  }

  private static func flaw(values: [JSONValue], probabilities: [Double]?) -> DomainFlaw? {
    if values.isEmpty { return DomainFlaw(key: "values", message: "values is empty: give at least one") }
    guard let probabilities else { return nil }
    if probabilities.count != values.count {
      return DomainFlaw(
        key: "probabilities",
        message:
          "there are \(probabilities.count) probabilities for \(values.count) values: give one for each")
    }
    if !probabilities.allSatisfy({ $0 >= 0 && $0.isFinite }) {
      return DomainFlaw(key: "probabilities", message: "probabilities must be numbers from 0 to 1")
    }
    let sum = probabilities.reduce(0, +)
    if (sum - 1).magnitude > 1e-3 {
      return DomainFlaw(key: "probabilities", message: "probabilities must add up to 1, not \(sum)")
    }
    return nil
  }
}

extension RealDistribution {
  var flaw: DomainFlaw? {
    switch self {
    case .uniform(let min, let max): Self.flaw(min: min, max: max)
    case .logUniform(let min, let max), .invLogUniform(let min, let max):
      Self.flaw(min: min, max: max)
        ?? (Swift.max(min.magnitude, max.magnitude) < 700
          ? nil
          : DomainFlaw(
            key: "max",
            message:
              "the bounds of this distribution are exponents of e, and e to the \(max) is out of range; "
              + "for bounds that are values use log_uniform_values"))
    case .logUniformValues(let min, let max), .invLogUniformValues(let min, let max):
      Self.flaw(min: min, max: max)
        ?? (min > 0
          ? nil
          : DomainFlaw(key: "min", message: "min must be greater than 0 on a logarithmic scale, not \(min)"))
    case .normal(_, let sigma), .logNormal(_, let sigma):
      sigma > 0 && sigma.isFinite
        ? nil : DomainFlaw(key: "sigma", message: "sigma must be greater than 0, not \(sigma)")
    case .beta(let a, let b):
      !(a > 0 && a.isFinite)
        ? DomainFlaw(key: "a", message: "a must be greater than 0, not \(a)")
        : !(b > 0 && b.isFinite) ? DomainFlaw(key: "b", message: "b must be greater than 0, not \(b)") : nil
    }
  }

  private static func flaw(min: Double, max: Double) -> DomainFlaw? {
    guard min.isFinite else { return DomainFlaw(key: "min", message: "min must be a finite number") }
    guard max.isFinite else { return DomainFlaw(key: "max", message: "max must be a finite number") }
    guard min < max else {
      return DomainFlaw(key: "min", message: "min (\(min)) must be less than max (\(max))")
    }
    return nil
  }
}
