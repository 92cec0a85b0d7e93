// A place in JSON text, for readers that go straight over its bytes.

import Glibc
import MartletModel

/// A place in UTF-8 text. Every read is checked against the end.
///
/// The moves say whether they could be made; where one could not, the place is anywhere. The text must outlive the cursor.
struct JSONCursor {
  var place: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  private let parser: FloatParser

  /// Objects and lists that may lie in each other, as in `JSONValue.parse`.
  static let depthLimit = 512

  init(start: UnsafePointer<UInt8>, count: Int, parser: FloatParser) {
    (place, end, self.parser) = (start, start + count, parser)
  }

  @inline(__always) var left: Int { end - place }
  @inline(__always) var isAtEnd: Bool { place == end }

  /// Nil at the end.
  @inline(__always) var byte: UInt8? { place < end ? place.pointee : nil }

  /// Passes over white space within a line.
  @inline(__always)
  mutating func space() {
    while place < end, place.pointee == 0x20 || place.pointee == 0x09 || place.pointee == 0x0D { place += 1 }
  }

  @inline(__always)
  mutating func accept(_ byte: UInt8) -> Bool {
    guard place < end, place.pointee == byte else { return false }
    place += 1
    return true
  }

  /// White space, the byte, white space.
  @inline(__always)
  mutating func acceptSpaced(_ byte: UInt8) -> Bool {
    space()
    guard accept(byte) else { return false }
    space()
    return true
  }

  @inline(__always)
  mutating func accept(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard left >= length, memcmp(place, word.utf8Start, length) == 0 else { return false }
    place += length
    return true
  }

  /// A number literal of JSON, or one of the three words that Python writes beside it.
  @inline(__always)
  mutating func number() -> NumberLiteral? {
    let start = place
    if let literal = parser.parse(&place, end: end) { return literal }
    place = start
    return wordNumber()
  }

  @inline(never)
  private mutating func wordNumber() -> NumberLiteral? {
    if accept("NaN") { return NumberLiteral(.nan) }
    if accept("Infinity") { return NumberLiteral(.infinity) }
    return accept("-Infinity") ? NumberLiteral(-.infinity) : nil
  }

  // MARK: - Strings

  /// What a string is made of, so far as it matters to whoever copies it.
  struct StringToken {
    /// Between the quotes.
    var text: UnsafeBufferPointer<UInt8>
    /// Holds escapes, or DEL, which our own writer escapes.
    var isSpecial: Bool
    /// Holds bytes from 0x80, which may be no UTF-8.
    var isASCII: Bool
  }

  /// Behind the opening quote; leaves behind the closing one. Neither escapes nor UTF-8 are checked.
  mutating func string() -> StringToken? {
    let start = place
    var bits: UInt8 = 0
    var isSpecial = false
    while place < end {
      let byte = place.pointee
      place += 1
      switch byte {
      case UInt8(ascii: "\""):
        return StringToken(
          text: UnsafeBufferPointer(start: start, count: place - 1 - start), isSpecial: isSpecial,
          isASCII: bits < 0x80)
      case UInt8(ascii: "\\"):
        isSpecial = true
        guard place < end else { return nil }
        place += 1
      case 0..<0x20: return nil
      case 0x7F: isSpecial = true
      default: bits |= byte
      }
    }
    return nil
  }

  /// The text that a token stands for; nil when its escapes or its UTF-8 are wrong.
  static func text(of token: StringToken) -> String? {
    guard token.isSpecial else { return String(validating: token.text, as: UTF8.self) }
    return (try? JSONValue.parse([0x22] + Array(token.text) + [0x22]))?.string
  }

  // MARK: - Values

  /// Copies one value as compact JSON: without white space, strings as `JSONValue` writes them, number literals as they stand,
  /// those that are not finite as strings.
  ///
  /// - Parameter depth: how many objects and lists the value lies in.
  mutating func copyValue(to out: inout [UInt8], depth: Int) -> Bool {
    guard let first = byte else { return false }
    switch first {
    case UInt8(ascii: "\""): return copyString(to: &out)
    case UInt8(ascii: "{"):
      return copyItems(from: first, to: UInt8(ascii: "}"), &out, depth) { cursor, out in
        guard cursor.byte == UInt8(ascii: "\""), cursor.copyString(to: &out) else { return false }
        out.append(UInt8(ascii: ":"))
        return cursor.acceptSpaced(UInt8(ascii: ":")) && cursor.copyValue(to: &out, depth: depth + 1)
      }
    case UInt8(ascii: "["):
      return copyItems(from: first, to: UInt8(ascii: "]"), &out, depth) { cursor, out in
        cursor.copyValue(to: &out, depth: depth + 1)
      }
    case UInt8(ascii: "t"): return copyWord("true", to: &out)
    case UInt8(ascii: "f"): return copyWord("false", to: &out)
    case UInt8(ascii: "n"): return copyWord("null", to: &out)
    default: return copyNumber(to: &out)
    }
  }

  private mutating func copyWord(_ word: StaticString, to out: inout [UInt8]) -> Bool {
    guard accept(word) else { return false }
    out.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    return true
  }

  private mutating func copyNumber(to out: inout [UInt8]) -> Bool {
    let start = place
    guard let literal = number() else { return false }
    if literal.double.isFinite {
      out.append(contentsOf: UnsafeBufferPointer(start: start, count: place - start))
    } else {
      JSONValue.write(literal.double, to: &out)
    }
    return true
  }

  private mutating func copyString(to out: inout [UInt8]) -> Bool {
    place += 1
    guard let token = string() else { return false }
    if token.isASCII && !token.isSpecial {
      out.append(UInt8(ascii: "\""))
      out.append(contentsOf: token.text)
      out.append(UInt8(ascii: "\""))
      return true
    }
    guard let text = Self.text(of: token) else { return false }
    JSONValue.write(text, to: &out)
    return true
  }

  private mutating func copyItems(
    from open: UInt8, to close: UInt8, _ out: inout [UInt8], _ depth: Int,
    item: (inout JSONCursor, inout [UInt8]) -> Bool
  ) -> Bool {
    guard depth < Self.depthLimit else { return false }
    place += 1
    out.append(open)
    space()
    if !accept(close) {
      while true {
        guard item(&self, &out) else { return false }
        space()
        if accept(close) { break }
        guard accept(UInt8(ascii: ",")) else { return false }
        out.append(UInt8(ascii: ","))
        space()
      }
    }
    out.append(close)
    return true
  }
}
