// Values as coordinates in 0...1, by the distribution of their domain.

import MartletModel

extension Domain {
  /// How it can be moved along; nil: there is nothing to choose.
  var axisKind: UnitCube.Kind? {
    if count == 1 { return nil }
    return switch self {
    case .constant: nil
    case .categorical(let values, _): .categorical(count: values.count)
    case .ordinal, .integers: .ordered(count: count)
    case .real(_, let quantum): quantum == nil ? .continuous : .ordered(count: count)
    }
  }

  /// The value when there is no other.
  var onlyValue: JSONValue? { count == 1 ? value(at: 0) : nil }

  /// The value at a coordinate, clamped and rounded; NaN counts as the middle.
  func value(at coordinate: Double) -> JSONValue {
    let place = coordinate.isNaN ? 0.5 : coordinate
    switch self {
    case .constant(let value): return value
    case .categorical(let values, _):
      return values[Int(min(max(coordinate.isNaN ? 0 : coordinate.rounded(), 0), Double(values.count - 1)))]
    case .real(let distribution, nil):
      return .double(distribution.value(at: min(max(place, 0), 1)))
    case .ordinal, .integers, .real(_, .some):
      return ladder.map { value(on: $0.rung(at: place)) } ?? .null
    }
  }

  /// The coordinate of a value; nil when it is none of the domain's. Numbers between two steps count as the nearer one.
  func coordinate(of value: JSONValue) -> Double? {
    switch self {
    case .constant: return nil
    case .categorical(let values, _): return Self.index(of: value, in: values).map(Double.init)
    case .ordinal(let values):
      return Self.index(of: value, in: values).flatMap { index in ladder?.coordinate(Double(index)) }
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

  /// A value as the domain has it: real numbers as they are given, all others as the domain writes them. Nil: it is none of
  /// the domain's.
  func own(_ value: JSONValue?) -> JSONValue? {
    if case .constant(let only) = self { return only }
    guard let value, let coordinate = coordinate(of: value) else { return nil }
    guard case .real(let distribution, nil) = self, let number = value.double else {
      return self.value(at: coordinate)
    }
    return .double(distribution.bounds.map { min(max(number, $0.lowerBound), $0.upperBound) } ?? number)
  }

  /// Equal as they are written, else equal as numbers; true is not 1.
  private static func index(of value: JSONValue, in values: [JSONValue]) -> Int? {
    values.firstIndex(of: value)
      ?? values.firstIndex { own in own.double != nil && own.double == value.double }
  }

  /// The coordinate of `value(at: coordinate)`.
  func canonical(_ coordinate: Double) -> Double {
    switch self {
    case .constant: return .nan
    case .categorical(let values, _):
      return min(max(coordinate.isNaN ? 0 : coordinate.rounded(), 0), Double(values.count - 1))
    case .real(_, nil): return coordinate.isNaN ? 0.5 : min(max(coordinate, 0), 1)
    case .ordinal, .integers, .real(_, .some):
      let place = coordinate.isNaN ? 0.5 : coordinate
      return ladder.map { $0.coordinate($0.rung(at: place)) } ?? place
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

  /// The coordinate of `value(at: index)`, from 0; nil for a domain without end.
  func coordinate(at index: Int) -> Double? {
    if case .categorical = self { return Double(index) }
    return ladder.map { $0.coordinate($0.first + Double(index)) }
  }
}

// MARK: - Steps

extension Domain {
  /// The steps of an ordered domain.
  private var ladder: Ladder? {
    switch self {
    case .constant, .categorical, .real(_, nil): return nil
    case .ordinal(let values): return Ladder(0...Double(values.count - 1), origin: 0, step: 1)
    case .integers(let min, let max, let step, let scale):
      let last = Double(UInt64(bitPattern: max &- min) / UInt64(step))
      guard scale == .logarithmic else { return Ladder(0...last, origin: Double(min), step: Double(step)) }
      // Half a step below the lowest value there may be no number greater than 0.
      let low = Swift.max(Double(min) - Double(step) / 2, Double(min) / 2)
      let high = Double(min) + (last + 0.5) * Double(step)
      return Ladder(
        0...last, origin: Double(min), step: Double(step), spread: .logUniformValues(min: low, max: high))
    case .real(let distribution, let quantum?):
      let indices = distribution.bounds.flatMap { quantum.indices(within: $0) } ?? -0x1p52...0x1p52
      // Values that are equally likely have cells of equal size, whatever was cut off at the ends.
      if case .uniform = distribution { return Ladder(indices, origin: quantum.origin, step: quantum.value) }
      return Ladder(indices, origin: quantum.origin, step: quantum.value, spread: distribution)
    }
  }

  /// The value on a rung of `ladder`.
  private func value(on rung: Double) -> JSONValue {
    switch self {
    case .constant, .categorical, .real(_, nil): return .null
    case .ordinal(let values): return values[Int(rung)]
    case .integers(let min, let max, let step, _):
      // Of more than 2^53 steps only some have a Double of their own.
      let steps = Swift.min(UInt64(Swift.min(rung, 0x1p63)), UInt64(bitPattern: max &- min) / UInt64(step))
      return .int(min &+ Int64(bitPattern: steps &* UInt64(step)))
    case .real(_, let quantum?): return quantum.multiple(rung)
    }
  }
}

/// Values with steps between them, numbered; each owns a cell of 0...1.
private struct Ladder {
  let first: Double
  let last: Double
  /// Rung `r` stands at `origin + r × step`.
  let origin: Double
  let step: Double
  /// How likely values are; nil: all equally.
  let spread: RealDistribution?

  init(_ rungs: ClosedRange<Double>, origin: Double, step: Double, spread: RealDistribution? = nil) {
    (first, last) = (rungs.lowerBound, rungs.upperBound)
    (self.origin, self.step, self.spread) = (origin, step, spread)
  }

  func holds(_ rung: Double) -> Bool { first <= rung && rung <= last }

  func rung(at coordinate: Double) -> Double {
    let place = min(max(coordinate, 0), 1)
    guard let spread else {
      return first + min((place * (last - first + 1)).rounded(.down), last - first)
    }
    return nearest(to: spread.value(at: place))
  }

  func rung(of number: Double) -> Double? {
    let rung = ((number - origin) / step).rounded(.toNearestOrEven)
    return number.isFinite && holds(rung) ? rung : nil
  }

  private func nearest(to number: Double) -> Double {
    min(max(((number - origin) / step).rounded(.toNearestOrEven), first), last)
  }

  func cell(_ rung: Double) -> ClosedRange<Double> {
    guard let spread else {
      let count = last - first + 1
      return (rung - first) / count...(rung - first + 1) / count
    }
    let low = rung == first ? 0 : spread.coordinate(of: origin + (rung - 0.5) * step)
    let high = rung == last ? 1 : spread.coordinate(of: origin + (rung + 0.5) * step)
    return min(low, high)...max(low, high)
  }

  func coordinate(_ rung: Double) -> Double {
    let cell = cell(rung)
    return (cell.lowerBound + cell.upperBound) / 2
  }
}
