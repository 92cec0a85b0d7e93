// Values as coordinates in 0...1, by the distribution of their domain.

import Foundation
import MartletModel

extension Domain {
  /// How it can be moved along; nil: there is nothing to choose.
  var axisKind: UnitCube.Kind? {
    switch self {
    case .constant: nil
    case .categorical(let values, _): .categorical(count: values.count)
    case .integers: .ordered(count: count)
    case .real(_, let quantum): quantum == nil ? .continuous : .ordered(count: count)
    }
  }

  var constant: JSONValue? {
    guard case .constant(let value) = self else { return nil }
    return value
  }

  /// The value at a coordinate, clamped and rounded; NaN counts as the middle.
  func value(at coordinate: Double) -> JSONValue {
    let place = coordinate.isNaN ? 0.5 : coordinate
    switch self {
    case .constant(let value): return value
    case .categorical(let values, _):
      return values[Int(min(max(coordinate.isNaN ? 0 : coordinate.rounded(), 0), Double(values.count - 1)))]
    case .integers, .real(_, .some):
      return ladder.map { $0.value($0.rung(at: place)) } ?? .null
    case .real(let distribution, nil):
      return .double(distribution.value(at: min(max(place, 0), 1)))
    }
  }

  /// The coordinate of a value; nil when it is none of the domain's. Numbers between two steps count as the nearer one.
  func coordinate(of value: JSONValue) -> Double? {
    switch self {
    case .constant: return nil
    case .categorical(let values, _):
      let index =
        values.firstIndex(of: value)
        ?? values.firstIndex { own in own.double != nil && own.double == value.double }
      return index.map(Double.init)
    case .integers, .real(_, .some):
      guard let number = value.double, let ladder, let rung = ladder.rung(of: number) else { return nil }
      return ladder.coordinate(rung)
    case .real(let distribution, nil):
      guard let number = value.double, number.isFinite else { return nil }
      if let bounds = distribution.bounds {
        // The last digit of a bound may have been lost on the way through a file.
        let tolerance = 1e-12 * max(bounds.lowerBound.magnitude, bounds.upperBound.magnitude)
        guard number >= bounds.lowerBound - tolerance, number <= bounds.upperBound + tolerance else {
          return nil
        }
      }
      return distribution.coordinate(of: number)
    }
  }

  /// The coordinate of `value(at: coordinate)`.
  func canonical(_ coordinate: Double) -> Double {
    switch self {
    case .constant: return .nan
    case .categorical(let values, _):
      return min(max(coordinate.isNaN ? 0 : coordinate.rounded(), 0), Double(values.count - 1))
    case .integers, .real(_, .some):
      let place = coordinate.isNaN ? 0.5 : coordinate
      return ladder.map { $0.coordinate($0.rung(at: place)) } ?? place
    case .real(_, nil): return coordinate.isNaN ? 0.5 : min(max(coordinate, 0), 1)
    }
  }

  func cell(of coordinate: Double) -> ClosedRange<Double> {
    guard let ladder else { return coordinate...coordinate }
    return ladder.cell(ladder.rung(at: coordinate))
  }

  func neighbour(of coordinate: Double, up: Bool) -> Double? {
    guard let ladder else { return nil }
    let next = ladder.rung(at: coordinate) + (up ? 1 : -1)
    return ladder.holds(next) ? ladder.coordinate(next) : nil
  }

  func allCoordinates(atMost limit: Int) -> [Double]? {
    if case .categorical(let values, _) = self {
      return values.count <= limit ? values.indices.map(Double.init) : nil
    }
    guard let ladder, let count, count <= limit else { return nil }
    return (0..<count).map { ladder.coordinate(ladder.first + Double($0)) }
  }

  /// The steps of an ordered domain.
  private var ladder: Ladder? {
    switch self {
    case .constant, .categorical, .real(_, nil): nil
    case .integers(let min, let max, let step):
      Ladder(
        distribution: nil, first: 0, last: Double((max &- min) / step), origin: Double(min),
        step: Double(step)
      ) { .int(min &+ Int64($0) &* step) }
    case .real(let distribution, let quantum?):
      Ladder(
        distribution: distribution, indices: distribution.bounds.flatMap { quantum.indices(within: $0) },
        step: quantum.value, value: quantum.multiple)
    }
  }
}

/// Values with steps between them, numbered; each owns a cell of 0...1.
private struct Ladder {
  /// How likely values are; nil: all equally.
  let distribution: RealDistribution?
  let first: Double
  let last: Double
  let origin: Double
  let step: Double
  let value: (Double) -> JSONValue

  init(
    distribution: RealDistribution?, first: Double, last: Double, origin: Double, step: Double,
    value: @escaping (Double) -> JSONValue
  ) {
    (self.distribution, self.first, self.last, self.origin, self.step) = (
      distribution, first, last, origin, step
    )
    self.value = value
  }

  init(
    distribution: RealDistribution, indices: ClosedRange<Double>?, step: Double,
    value: @escaping (Double) -> JSONValue
  ) {
    // Values that are equally likely have cells of equal size, whatever was cut off at the ends.
    if case .uniform = distribution, let indices {
      self.init(
        distribution: nil, first: indices.lowerBound, last: indices.upperBound, origin: 0, step: step,
        value: value)
    } else {
      self.init(
        distribution: distribution, first: indices?.lowerBound ?? -0x1p52,
        last: indices?.upperBound ?? 0x1p52,
        origin: 0, step: step, value: value)
    }
  }

  func holds(_ rung: Double) -> Bool { first <= rung && rung <= last }

  func rung(at coordinate: Double) -> Double {
    let place = min(max(coordinate, 0), 1)
    guard let distribution else {
      return first + min((place * (last - first + 1)).rounded(.down), last - first)
    }
    return min(max((distribution.value(at: place) / step).rounded(.toNearestOrEven), first), last)
  }

  func rung(of number: Double) -> Double? {
    let rung = ((number - origin) / step).rounded(.toNearestOrEven)
    return number.isFinite && holds(rung) ? rung : nil
  }

  func cell(_ rung: Double) -> ClosedRange<Double> {
    guard let distribution else {
      let count = last - first + 1
      return (rung - first) / count...(rung - first + 1) / count
    }
    let low = rung == first ? 0 : distribution.coordinate(of: (rung - 0.5) * step)
    let high = rung == last ? 1 : distribution.coordinate(of: (rung + 0.5) * step)
    return min(low, high)...max(low, high)
  }

  func coordinate(_ rung: Double) -> Double {
    let cell = cell(rung)
    return (cell.lowerBound + cell.upperBound) / 2
  }
}
