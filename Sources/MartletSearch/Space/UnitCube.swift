// A space as coordinates: what methods compute with.

import MartletModel
import OrderedCollections

/// The parameters of a space that have more than one value, each an axis.
///
/// The coordinate of a number is its place in 0...1 by the distribution of its domain, so that the prior is uniform on
/// every axis: the logarithm of a log-uniform value, the cumulative share of a normal one. Of an ordered axis with few
/// values each value owns a cell of 0...1 and stands in its middle. The coordinate of a categorical value is its index
/// as a number. NaN stands for a parameter that has no value because its condition does not hold.
public struct UnitCube: Hashable, Sendable {
  /// How an axis can be moved along.
  public enum Kind: Hashable, Sendable {
    /// Any coordinate in 0...1.
    case continuous
    /// 0...1 in cells, one a value; nil: there is no end of values (a quantised normal distribution).
    case ordered(count: Int?)
    /// Coordinates 0, 1, … count − 1, without order.
    case categorical(count: Int)
  }

  public struct Axis: Hashable, Sendable {
    /// The place of its parameter in the space.
    public var parameter: Int
    public var kind: Kind
    /// Prior probabilities of a categorical axis; nil: all are equally likely.
    public var probabilities: [Double]?
  }

  /// A canonical point as a key of dictionaries.
  public typealias Key = [UInt64]

  public let space: Space
  public let axes: [Axis]
  /// For each parameter its axis; nil: it has only one value.
  private let axisOfParameter: [Int?]
  /// Parameters so that whatever a condition asks about comes before.
  private let order: [Int]
  /// Whether any parameter may be without value.
  public let isConditional: Bool
  /// Whether there are points that may not be tried: `isAllowed` says which.
  public let isRestricted: Bool

  public init(_ space: Space) {
    self.space = space
    var axes: [Axis] = []
    var places: [Int?] = []
    for (index, parameter) in space.parameters.enumerated() {
      guard let kind = parameter.domain.axisKind else {
        places.append(nil)
        continue
      }
      places.append(axes.count)
      var probabilities: [Double]?
      if case .categorical(_, let given) = parameter.domain { probabilities = given }
      axes.append(Axis(parameter: index, kind: kind, probabilities: probabilities))
    }
    self.axes = axes
    axisOfParameter = places
    isConditional = space.parameters.contains { $0.condition != nil }
    isRestricted = !space.relations.isEmpty || !space.derived.isEmpty
    order = space.evaluationOrder
  }

  public func parameter(of axis: Int) -> Parameter { space.parameters[axes[axis].parameter] }

  /// The point at `coordinates`, which need not be canonical: they are clamped and rounded. Those of parameters that
  /// turn out to have no value are ignored; NaN where a value is needed counts as the middle.
  public func point(at coordinates: [Double]) -> Point { space.point(values(at: coordinates)) }

  /// Whether the point at `coordinates`, which need not be canonical, meets every relation of the space.
  public func isAllowed(_ coordinates: [Double]) -> Bool {
    !isRestricted || space.allows(values(at: coordinates))
  }

  private func values(at coordinates: [Double]) -> [JSONValue?] {
    var values: [JSONValue?] = Array(repeating: nil, count: space.parameters.count)
    for index in order where isActive(index, values) {
      let domain = space.parameters[index].domain
      values[index] = axisOfParameter[index].map { domain.value(at: coordinates[$0]) } ?? domain.onlyValue
    }
    return values
  }

  /// The coordinates of a point; nil when a value does not lie in its domain, or is missing or too many.
  ///
  /// Constants and derived values may be missing or differ: they are not searched. Relations are not asked.
  public func coordinates(of point: Point) -> [Double]? {
    guard point.values.keys.allSatisfy({ space.isKnown($0) }) else { return nil }
    var coordinates = Array(repeating: Double.nan, count: axes.count)
    let values = space.parameters.map { point[$0.name] }
    for index in order {
      let domain = space.parameters[index].domain
      if case .constant = domain { continue }
      guard isActive(index, values) else {
        if values[index] != nil { return nil }
        continue
      }
      guard let value = values[index], let coordinate = domain.coordinate(of: value) else { return nil }
      guard let axis = axisOfParameter[index] else { continue }
      coordinates[axis] = coordinate
    }
    return coordinates
  }

  /// A point that somebody gives, with what it leaves out: constants, and what is derived. Its real numbers stay as they are
  /// given, to the last digit, which they would lose on the way through their coordinates.
  ///
  /// - Returns: nil where `coordinates(of:)` is.
  public func point(like given: Point) -> Point? {
    guard coordinates(of: given) != nil else { return nil }
    var values = space.parameters.map { given[$0.name] }
    for index in order {
      values[index] = isActive(index, values) ? space.parameters[index].domain.own(values[index]) : nil
    }
    return space.point(values)
  }

  /// The same point with every coordinate at its value's own place and NaN where there is no value.
  public func canonical(_ coordinates: [Double]) -> [Double] {
    var result = coordinates
    guard isConditional else {
      for (axis, entry) in axes.enumerated() {
        result[axis] = space.parameters[entry.parameter].domain.canonical(coordinates[axis])
      }
      return result
    }
    var values: [JSONValue?] = Array(repeating: nil, count: space.parameters.count)
    for index in order {
      let domain = space.parameters[index].domain
      guard let axis = axisOfParameter[index] else {
        if isActive(index, values) { values[index] = domain.onlyValue }
        continue
      }
      guard isActive(index, values) else {
        result[axis] = .nan
        continue
      }
      result[axis] = domain.canonical(coordinates[axis])
      values[index] = domain.value(at: result[axis])
    }
    return result
  }

  /// The part of 0...1 that stands for the same value as `coordinate`: a single place on a continuous axis.
  public func cell(of coordinate: Double, on axis: Int) -> ClosedRange<Double> {
    parameter(of: axis).domain.cell(of: coordinate)
  }

  /// The coordinate of the value next to that of `coordinate` on an ordered axis, up or down; nil beyond the end.
  public func neighbour(of coordinate: Double, on axis: Int, up: Bool) -> Double? {
    parameter(of: axis).domain.neighbour(of: coordinate, up: up)
  }

  /// All coordinates of an axis with few values, ascending; nil on a continuous axis or one without end.
  public func values(on axis: Int, atMost limit: Int) -> [Double]? {
    parameter(of: axis).domain.allCoordinates(atMost: limit)
  }

  /// A coordinate of `axis` drawn from its prior.
  public func draw(axis: Int, using generator: inout Xoshiro256) -> Double {
    guard case .categorical(let count) = axes[axis].kind, axes[axis].probabilities == nil else {
      return coordinate(on: axis, at: generator.unit())
    }
    return Double(generator.below(UInt64(count)))
  }

  /// The coordinate of `axis` at a share of its prior, 0..<1: uniform shares give coordinates drawn from the prior.
  public func coordinate(on axis: Int, at share: Double) -> Double {
    guard case .categorical(let count) = axes[axis].kind else { return share }
    guard let probabilities = axes[axis].probabilities else {
      return min((share * Double(count)).rounded(.down), Double(count - 1))
    }
    return Double(Self.index(probabilities, at: share))
  }

  /// The index whose share of 0..<1 holds `unit`; never one with probability 0.
  private static func index(_ probabilities: [Double], at unit: Double) -> Int {
    let target = unit * probabilities.reduce(0, +)
    var sum = 0.0
    for (index, probability) in probabilities.enumerated() {
      sum += probability
      if target < sum { return index }
    }
    return probabilities.lastIndex { $0 > 0 } ?? 0
  }

  /// A canonical point drawn from the prior. Draws for every axis, also for those that turn out to be inactive.
  ///
  /// Where relations forbid points it draws again until one is allowed, a thousand times; then it may be one that is not.
  public func draw(using generator: inout Xoshiro256) -> [Double] {
    var drawn: [Double] = []
    for _ in 0..<1000 {
      drawn = canonical(axes.indices.map { draw(axis: $0, using: &generator) })
      if isAllowed(drawn) { break }
    }
    return drawn
  }

  /// `coordinates` must be canonical. Continuous ones that differ by rounding only, as after a way through a file, have one
  /// key.
  public func key(_ coordinates: [Double]) -> Key {
    zip(coordinates, axes).map { coordinate, axis in
      // One pattern for all NaN, and one zero.
      if coordinate.isNaN { return .max }
      return ((axis.kind == .continuous ? (coordinate * 0x1p40).rounded() : coordinate) + 0).bitPattern
    }
  }

  private func isActive(_ parameter: Int, _ values: [JSONValue?]) -> Bool {
    guard let condition = space.parameters[parameter].condition else { return true }
    return condition.holds { name in space.place(of: name).flatMap { values[$0] } }
  }
}
