// The text of an expression cut into words.

/// One word of an expression.
struct ExpressionToken: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    case number(Double)
    /// A name without quotes.
    case word(String)
    /// A name in back-quotes.
    case quoted(String)
    /// `config.` and a path in back-quotes.
    case quotedConfig(String)
    /// One of `+ - * / ^ ( ) ,`.
    case symbol(Character)
    case end
  }

  var kind: Kind
  /// In UTF-16 code units.
  var range: Range<Int>
}

/// Cuts text into words.
///
/// A name begins with a letter or `_`, and goes on with these and digits; a `/ - . : @ #` belongs to it where one of them
/// follows at once. So `val/loss` is a name, and `a / b` is a quotient.
struct ExpressionLexer {
  private let units: [UInt16]
  private var place = 0

  init(_ text: String) { units = Array(text.utf16) }

  /// - Throws: `ExpressionError`.
  mutating func next() throws(ExpressionError) -> ExpressionToken {
    while place < units.count, Self.isSpace(units[place]) { place += 1 }
    guard place < units.count else {
      return ExpressionToken(kind: .end, range: units.count..<units.count)
    }
    let unit = units[place]
    if Self.isDigit(unit) || unit == Self.dot && isDigit(at: place + 1) { return try number() }
    if unit == Self.quote {
      let start = place
      return ExpressionToken(kind: .quoted(try quoted()), range: start..<place)
    }
    if Self.beginsName(unit) { return try name() }
    let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
    guard "+-*/^(),".unicodeScalars.contains(scalar) else {
      let meant: [Unicode.Scalar: String] = ["%": "/ 100", "=": "-", "{": "(", "}": ")", "[": "(", "]": ")"]
      throw ExpressionError(
        "'\(Character(scalar))' means nothing in an expression.",
        hint: meant[scalar].map { "Did you mean '\($0)'?" } ?? "Names that hold it stand in back-quotes.",
        at: place..<(place + 1))
    }
    place += 1
    return ExpressionToken(kind: .symbol(Character(scalar)), range: (place - 1)..<place)
  }

  // MARK: - Words

  private mutating func number() throws(ExpressionError) -> ExpressionToken {
    let start = place
    while isDigit(at: place) { place += 1 }
    if place < units.count, units[place] == Self.dot, isDigit(at: place + 1) || place > start {
      place += 1
      while isDigit(at: place) { place += 1 }
    }
    if place < units.count, units[place] | 0x20 == 0x65 {
      let sign = place + 1 < units.count ? units[place + 1] : 0
      let hasSign = sign == Self.plus || sign == Self.minus
      if isDigit(at: place + (hasSign ? 2 : 1)) {
        place += hasSign ? 2 : 1
        while isDigit(at: place) { place += 1 }
      }
    }
    let text = text(start..<place)
    if place < units.count, Self.beginsName(units[place]) {
      while place < units.count, Self.continuesName(units[place]) { place += 1 }
      throw ExpressionError(
        "'\(self.text(start..<place))' is neither a number nor a name.",
        hint: "Names that begin with a digit stand in back-quotes; a product needs a *.", at: start..<place)
    }
    guard let value = Double(text.hasSuffix(".") ? text + "0" : text), value.isFinite else {
      throw ExpressionError("The number \(text) is too large.", at: start..<place)
    }
    return ExpressionToken(kind: .number(value), range: start..<place)
  }

  private mutating func name() throws(ExpressionError) -> ExpressionToken {
    let start = place
    while place < units.count {
      if Self.continuesName(units[place]) {
        place += 1
      } else if Self.joins(units[place]), place + 1 < units.count, Self.continuesName(units[place + 1]) {
        place += 2
      } else {
        break
      }
    }
    let name = text(start..<place)
    if name == "config", place + 1 < units.count, units[place] == Self.dot, units[place + 1] == Self.quote {
      place += 1
      let path = try quoted()
      return ExpressionToken(kind: .quotedConfig(path), range: start..<place)
    }
    return ExpressionToken(kind: .word(name.inNormalForm), range: start..<place)
  }

  /// Two back-quotes within stand for one.
  private mutating func quoted() throws(ExpressionError) -> String {
    let start = place
    var content: [UInt16] = []
    place += 1
    while place < units.count {
      if units[place] == Self.quote {
        place += 1
        guard place < units.count, units[place] == Self.quote else {
          guard !content.isEmpty else {
            throw ExpressionError("There is no name between these quotes.", at: start..<place)
          }
          return String(decoding: content, as: UTF16.self).inNormalForm
        }
      }
      content.append(units[place])
      place += 1
    }
    throw ExpressionError(
      "A back-quote is missing behind this name.", hint: "A name in back-quotes ends with another one.",
      at: start..<units.count)
  }

  /// Whether a name can stand without quotes, and means a metric then.
  static func isPlain(_ name: String) -> Bool {
    var lexer = ExpressionLexer(name)
    guard let token = try? lexer.next(), token.kind == .word(name),
      token.range.upperBound == lexer.units.count
    else { return false }
    return name != "step" && name != "time" && !name.hasPrefix("config.")
  }

  // MARK: - Characters

  private static let quote = UInt16(UInt8(ascii: "`"))
  private static let dot = UInt16(UInt8(ascii: "."))
  private static let plus = UInt16(UInt8(ascii: "+"))
  private static let minus = UInt16(UInt8(ascii: "-"))

  private func text(_ range: Range<Int>) -> String { String(decoding: units[range], as: UTF16.self) }

  private func isDigit(at place: Int) -> Bool { place < units.count && Self.isDigit(units[place]) }

  private static func isDigit(_ unit: UInt16) -> Bool { (0x30...0x39).contains(unit) }

  private static func isSpace(_ unit: UInt16) -> Bool {
    unit <= 0x20 || unit == 0x7F || unit == 0xA0 || (0x2000...0x200B).contains(unit) || unit == 0x3000
  }

  private static func beginsName(_ unit: UInt16) -> Bool {
    (0x41...0x5A).contains(unit) || (0x61...0x7A).contains(unit) || unit == 0x5F
      || unit >= 0x80 && !isSpace(unit)
  }

  private static func continuesName(_ unit: UInt16) -> Bool { beginsName(unit) || isDigit(unit) }

  /// `/ - . : @ #`
  private static func joins(_ unit: UInt16) -> Bool {
    switch unit {
    case 0x2F, 0x2D, 0x2E, 0x3A, 0x40, 0x23: true
    default: false
    }
  }
}
