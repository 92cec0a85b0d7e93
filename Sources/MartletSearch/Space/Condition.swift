// When a parameter has a value at all.

public import MartletModel

/// A condition on other parameters. It does not hold while one of them has no value itself.
public indirect enum Condition: Hashable, Sendable {
  /// The parameter of that name has one of these values; numbers are equal as numbers (1 and 1.0).
  case isOne(of: [JSONValue], String)
  case atLeast(Double, String)
  case atMost(Double, String)
  case all([Condition])

  /// The names it asks about.
  public var names: [String] {
    switch self {
    case .isOne(_, let name), .atLeast(_, let name), .atMost(_, let name): [name]
    case .all(let conditions): conditions.flatMap(\.names)
    }
  }

  /// The conditions on one parameter each that must all hold.
  public var atoms: [Condition] {
    switch self {
    case .isOne, .atLeast, .atMost: [self]
    case .all(let conditions): conditions.flatMap(\.atoms)
    }
  }

  /// Whether it holds where `value` gives the values, nil for a parameter that has none.
  public func holds(_ value: (String) -> JSONValue?) -> Bool {
    switch self {
    case .isOne(let values, let name):
      guard let own = value(name) else { return false }
      return values.contains { $0 == own || ($0.double != nil && $0.double == own.double) }
    case .atLeast(let bound, let name): return value(name)?.double.map { $0 >= bound } ?? false
    case .atMost(let bound, let name): return value(name)?.double.map { $0 <= bound } ?? false
    case .all(let conditions): return conditions.allSatisfy { $0.holds(value) }
    }
  }
}
