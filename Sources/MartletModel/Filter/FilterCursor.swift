// The characters of a filter: which of them end a word, and reading on from a place.

/// Reads a filter's text in UTF-16 code units, so that every place in it is one that a browser knows.
struct FilterCursor {
  let units: [UInt16]
  var at = 0

  init(_ text: String) { units = Array(text.utf16) }

  var isAtEnd: Bool { at >= units.count }
  var here: FilterRange { FilterRange(at, min(at + 1, units.count)) }

  func unit(_ offset: Int = 0) -> UInt16? {
    at + offset < units.count ? units[at + offset] : nil
  }

  func isNext(_ character: Character) -> Bool { unit() == character.utf16.first }

  func text(_ from: Int, _ to: Int) -> String { String(decoding: units[from..<to], as: UTF16.self) }

  mutating func skipSpaces() {
    while let unit = unit(), Self.isSpace(unit) { at += 1 }
  }

  /// Takes as many units as `isPart` holds for.
  mutating func take(while isPart: (UInt16) -> Bool) -> String {
    let start = at
    while let unit = unit(), isPart(unit) { at += 1 }
    return text(start, at)
  }

  static func isSpace(_ unit: UInt16) -> Bool {
    switch unit {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  private static let closers = Set("(),\"`".utf16)
  private static let operators = Set("=<>~:!'".utf16)

  /// Whether a unit may stand in a value without quotes.
  static func isValuePart(_ unit: UInt16) -> Bool { unit > 0x20 && !isSpace(unit) && !closers.contains(unit) }

  /// Whether a unit may stand in a field's name without back-quotes.
  static func isFieldPart(_ unit: UInt16) -> Bool { isValuePart(unit) && !operators.contains(unit) }

  /// Whether a value that begins so looks like a piece of an operator.
  static func beginsLikeAnOperator(_ unit: UInt16) -> Bool { Set("=<>~:!".utf16).contains(unit) }
}

/// Words that mean something where a field's name would stand.
enum FilterKeyword: String {
  case and, or, not
  case isIn = "in"
  case exists

  init?(_ text: String) { self.init(rawValue: text.lowercased()) }
}
