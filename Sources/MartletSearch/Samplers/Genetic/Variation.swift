// Crossover and mutation of points.

/// How two points become a third.
enum Crossover: String, CaseIterable, Sendable {
  /// Near either parent, about as far apart as they are (Deb, Agrawal: Simulated Binary Crossover for Continuous Search
  /// Space, 1995), within the bounds.
  case sbx
  /// Anywhere between the parents and half as far beyond (Eshelman, Schaffer: BLX-α, 1993; α = 0.5).
  case blx
  /// Each number from one of the parents.
  case uniform
}

/// How a number changes by itself.
enum Mutation: String, CaseIterable, Sendable {
  /// By a little, seldom by much (Deb, Agrawal 1999, within the bounds as in Deb's NSGA-II code).
  case polynomial
  /// Drawn anew from its prior.
  case resample
}

/// The operators of genetic methods on the coordinates of a cube: numbers are crossed over and mutated by place,
/// categories swapped and drawn anew. A number that is inactive in one parent comes from the other; one that is
/// inactive in both is drawn from its prior, in case the child needs it.
struct Variation: Sendable {
  let cube: UnitCube
  var crossover: Crossover
  /// The probability that a child has two parents; else it is a mutated copy of the first.
  var crossoverRate: Double
  /// η of the crossover: larger means nearer to the parents.
  var crossoverIndex: Double
  var mutation: Mutation
  /// The probability with which each active number is mutated; nil: 1 in as many as there are.
  var mutationRate: Double?
  /// η of the polynomial mutation.
  var mutationIndex: Double

  /// Reads `crossover`, `crossover_rate`, `crossover_index`, `mutation`, `mutation_rate` and `mutation_index`.
  init(
    _ cube: UnitCube, _ options: inout OptionReader, crossover: Crossover, mutation: Mutation
  ) throws(SearchError) {
    self.cube = cube
    self.crossover = try options.choice("crossover", default: crossover)
    crossoverRate = try options.double("crossover_rate", default: 0.9, in: 0...1)
    crossoverIndex = try options.double("crossover_index", default: 20, in: 0...1000)
    self.mutation = try options.choice("mutation", default: mutation)
    let rate = try options.double("mutation_rate", default: -1, in: -1...1)
    mutationRate = rate < 0 ? nil : rate
    mutationIndex = try options.double("mutation_index", default: 20, in: 0...1000)
  }

  /// A canonical point.
  func child(_ first: [Double], _ second: [Double], using generator: inout Xoshiro256) -> [Double] {
    let areCrossed = generator.unit() < crossoverRate
    let active = max(first.count { !$0.isNaN }, 1)
    let rate = mutationRate ?? 1 / Double(active)
    var child = first
    for axis in cube.axes.indices {
      child[axis] = crossed(axis, first[axis], areCrossed ? second[axis] : first[axis], &generator)
      if generator.unit() < rate { child[axis] = mutated(axis, child[axis], &generator) }
    }
    return cube.canonical(child)
  }

  private func crossed(
    _ axis: Int, _ first: Double, _ second: Double, _ generator: inout Xoshiro256
  ) -> Double {
    let swap = generator.unit() < 0.5
    guard !first.isNaN, !second.isNaN else {
      return first.isNaN ? (second.isNaN ? cube.draw(axis: axis, using: &generator) : second) : first
    }
    guard first != second else { return first }
    if case .categorical = cube.axes[axis].kind { return swap ? second : first }
    switch crossover {
    case .uniform: return swap ? second : first
    case .blx:
      let low = min(first, second)
      let width = (first - second).magnitude
      return min(max(low - 0.5 * width + 2 * width * generator.unit(), 0), 1)
    case .sbx: return simulatedBinary(first, second, swap, &generator)
    }
  }

  private func simulatedBinary(
    _ first: Double, _ second: Double, _ swap: Bool, _ generator: inout Xoshiro256
  ) -> Double {
    // As in Deb's code, one number in two stays as it is.
    guard generator.unit() < 0.5 else { return swap ? second : first }
    let low = min(first, second)
    let high = max(first, second)
    let u = generator.unit()
    let power = 1 / (crossoverIndex + 1)
    func spread(_ room: Double) -> Double {
      let beta = 1 + 2 * room / (high - low)
      let alpha = 2 - Elementary.pow(beta, -(crossoverIndex + 1))
      return u <= 1 / alpha ? Elementary.pow(u * alpha, power) : Elementary.pow(1 / (2 - u * alpha), power)
    }
    let middle = (low + high) / 2
    let value =
      swap
      ? middle + spread(1 - high) * (high - low) / 2
      : middle - spread(low) * (high - low) / 2
    return min(max(value, 0), 1)
  }

  /// Another number of the axis.
  func mutated(_ axis: Int, _ value: Double, _ generator: inout Xoshiro256) -> Double {
    switch cube.axes[axis].kind {
    case .categorical: return cube.draw(axis: axis, using: &generator)
    case .continuous, .ordered:
      guard mutation == .polynomial, !value.isNaN else { return cube.draw(axis: axis, using: &generator) }
      let moved = polynomial(value, generator.unit())
      guard case .ordered = cube.axes[axis].kind else { return moved }
      // Less than a step would be nothing.
      let cell = cube.cell(of: value, on: axis)
      guard cell.contains(moved) else { return moved }
      return cube.neighbour(of: value, on: axis, up: moved >= value)
        ?? cube.neighbour(of: value, on: axis, up: moved < value) ?? moved
    }
  }

  private func polynomial(_ value: Double, _ u: Double) -> Double {
    let power = 1 / (mutationIndex + 1)
    if u < 0.5 {
      let rest = 2 * u + (1 - 2 * u) * Elementary.pow(1 - value, mutationIndex + 1)
      return min(max(value + Elementary.pow(rest, power) - 1, 0), 1)
    }
    let rest = 2 * (1 - u) + (2 * u - 1) * Elementary.pow(value, mutationIndex + 1)
    return min(max(value + 1 - Elementary.pow(rest, power), 0), 1)
  }
}
