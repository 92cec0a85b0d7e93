// The values that filters compare, and their order.

import OrderedCollections

/// A number as it was written: whole numbers of 64 bits stay exact beside fractions.
public enum FilterNumber: Sendable, Hashable {
  case int(Int64)
  /// Never NaN.
  case double(Double)

  public init(_ value: Double) {
    self = Int64(exactly: value).map(FilterNumber.int) ?? .double(value)
  }

  public var double: Double {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    }
  }

  /// Whether `self` is below `other`, exactly, as SQLite compares them too.
  public static func < (a: FilterNumber, b: FilterNumber) -> Bool { order(a, b) < 0 }

  /// Negative, 0 or positive.
  public static func order(_ a: FilterNumber, _ b: FilterNumber) -> Int {
    switch (a, b) {
    case (.int(let a), .int(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.double(let a), .double(let b)): a < b ? -1 : a > b ? 1 : 0
    case (.int(let a), .double(let b)): order(a, b)
    case (.double(let a), .int(let b)): -order(b, a)
    }
  }

  private static func order(_ a: Int64, _ b: Double) -> Int {
    // 2^63: every double from here on is above every whole number.
    if b >= 0x1p63 { return -1 }
    if b < -0x1p63 { return 1 }
    let whole = Int64(b.rounded(.towardZero))
    if a != whole { return a < whole ? -1 : 1 }
    let rest = b - b.rounded(.towardZero)
    return rest > 0 ? -1 : rest < 0 ? 1 : 0
  }
}

/// A value without members: what a configuration has at one path, or a filter compares with.
public enum FilterScalar: Sendable, Hashable {
  case null
  case bool(Bool)
  case number(FilterNumber)
  case notANumber
  case text(String)

  /// Equal as the language has it: 1 is 1.0, and NaN is NaN.
  public func equals(_ other: FilterScalar) -> Bool {
    switch (self, other) {
    case (.number(let a), .number(let b)): FilterNumber.order(a, b) == 0
    case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
    case (.bool(let a), .bool(let b)): a == b
    case (.null, .null), (.notANumber, .notANumber): true
    default: false
    }
  }

  /// The order of two numbers, or of the bytes of two texts; nil: there is none.
  public func order(_ other: FilterScalar) -> Int? {
    switch (self, other) {
    case (.number(let a), .number(let b)): FilterNumber.order(a, b)
    case (.text(let a), .text(let b)):
      a.utf8.lexicographicallyPrecedes(b.utf8) ? -1 : b.utf8.lexicographicallyPrecedes(a.utf8) ? 1 : 0
    default: nil
    }
  }
}

/// What a run's configuration has, by dotted path.
public enum ConfigLeaves {
  /// Leaves of one run that filters see: the first ones.
  public static let limit = 10_000
  /// Bytes of a text that filters see: the first ones.
  public static let textLimit = 4_096
  /// Bytes of a path; longer ones are not seen.
  public static let pathLimit = 1_024

  /// The values of a configuration that have no members, in the order in which they stand.
  ///
  /// A member of a member is at `outer.inner`. Of two values at one path the first counts. A list is its JSON text, and so
  /// is an object without members. Texts and paths are in Unicode's normalization form C.
  public static func leaves(of config: JSONValue) -> [(path: String, value: FilterScalar)] {
    guard case .object(let members) = config else { return [] }
    var found: [(path: String, value: FilterScalar)] = []
    var seen = Set<String>()
    collect(members, under: "", into: &found, &seen)
    return found
  }

  private static func collect(
    _ members: JSONObject, under prefix: String, into found: inout [(path: String, value: FilterScalar)],
    _ seen: inout Set<String>
  ) {
    for (name, value) in members {
      guard found.count < limit else { return }
      let path = prefix + name
      guard path.utf8.count <= pathLimit else { continue }
      if case .object(let inner) = value, !inner.isEmpty {
        collect(inner, under: path + ".", into: &found, &seen)
        continue
      }
      let normal = path.inNormalForm
      if seen.insert(normal).inserted { found.append((normal, scalar(value))) }
    }
  }

  /// A value as filters see it.
  public static func scalar(_ value: JSONValue) -> FilterScalar {
    switch value {
    case .null: return .null
    case .bool(let flag): return .bool(flag)
    case .int(let number): return .number(.int(number))
    case .double, .string("NaN"), .string("Infinity"), .string("-Infinity"):
      let number = value.double ?? .nan
      return number.isNaN ? .notANumber : .number(.double(number))
    case .string(let text): return .text(shortened(text))
    case .array, .object: return .text(shortened(value.text))
    }
  }

  private static func shortened(_ text: String) -> String {
    guard text.utf8.count > textLimit else { return text.inNormalForm }
    var kept = ""
    var bytes = 0
    for scalar in text.unicodeScalars {
      bytes += UTF8.width(scalar)
      if bytes > textLimit { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept.inNormalForm
  }
}
