// JSON text to JSONValue (RFC 8259), and the three number words that Python writes beside it.

import OrderedCollections

/// Why a text is no JSON, and where.
public struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// From 1.
  public var line: Int
  /// Byte in the line, from 1.
  public var column: Int
  public var message: String

  public var description: String { "line \(line), column \(column): \(message)" }
}

extension JSONValue {
  /// Reads one JSON document.
  ///
  /// - Parameters:
  ///   - text: UTF-8.
  ///   - allowsRepeatedKeys: false makes a key given twice in one object an error; else the later value stands.
  /// - Throws: `JSONSyntaxError`, also for nesting deeper than 512.
  public static func parse(
    _ text: some Collection<UInt8>, allowsRepeatedKeys: Bool = true
  ) throws(JSONSyntaxError) -> JSONValue {
    var parser = JSONParser(bytes: Array(text), allowsRepeatedKeys: allowsRepeatedKeys)
    return try parser.document()
  }

  public static func parse(_ text: String, allowsRepeatedKeys: Bool = true) throws(JSONSyntaxError)
    -> JSONValue
  {
    try parse(text.utf8, allowsRepeatedKeys: allowsRepeatedKeys)
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  let allowsRepeatedKeys: Bool
  var at = 0
  var depth = 0

  init(bytes: [UInt8], allowsRepeatedKeys: Bool) {
    self.bytes = bytes
    self.allowsRepeatedKeys = allowsRepeatedKeys
  }

  func fail(_ message: String, at place: Int? = nil) -> JSONSyntaxError {
    let place = min(place ?? at, bytes.count)
    let before = bytes[..<place]
    let line = before.count(where: { $0 == UInt8(ascii: "\n") }) + 1
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return JSONSyntaxError(line: line, column: place - lineStart + 1, message: message)
  }

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    let value = try value()
    space()
    guard at == bytes.count else { throw fail("there is more text after the end of the document") }
    return value
  }

  mutating func space() {
    while at < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[at]) { at += 1 }
  }

  mutating func accept(_ byte: UInt8) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  mutating func accept(word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard bytes.count - at >= length else { return false }
    for i in 0..<length where bytes[at + i] != word.utf8Start[i] { return false }
    at += length
    return true
  }

  mutating func value() throws(JSONSyntaxError) -> JSONValue {
    space()
    guard at < bytes.count else { throw fail("the text ends where a value should be") }
    switch bytes[at] {
    case UInt8(ascii: "{"): return try nested { parser throws(JSONSyntaxError) in try parser.object() }
    case UInt8(ascii: "["): return try nested { parser throws(JSONSyntaxError) in try parser.array() }
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where accept(word: "true"): return .bool(true)
    case UInt8(ascii: "f") where accept(word: "false"): return .bool(false)
    case UInt8(ascii: "n") where accept(word: "null"): return .null
    case UInt8(ascii: "N") where accept(word: "NaN"): return .double(.nan)
    case UInt8(ascii: "I") where accept(word: "Infinity"): return .double(.infinity)
    case UInt8(ascii: "-") where accept(word: "-Infinity"): return .double(-.infinity)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw fail("a value was expected here")
    }
  }

  mutating func nested(
    _ body: (inout JSONParser) throws(JSONSyntaxError) -> JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    depth += 1
    guard depth <= 512 else { throw fail("nested deeper than 512 levels") }
    at += 1
    let value = try body(&self)
    depth -= 1
    return value
  }

  mutating func object() throws(JSONSyntaxError) -> JSONValue {
    var members = JSONObject()
    space()
    if accept(UInt8(ascii: "}")) { return .object(members) }
    repeat {
      space()
      let keyAt = at
      guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
        throw fail("a key in double quotes was expected")
      }
      let key = try string()
      space()
      guard accept(UInt8(ascii: ":")) else { throw fail("':' was expected after the key \"\(key)\"") }
      let value = try value()
      if members.updateValue(value, forKey: key) != nil, !allowsRepeatedKeys {
        throw fail("the key \"\(key)\" is given twice", at: keyAt)
      }
      space()
    } while accept(UInt8(ascii: ","))
    guard accept(UInt8(ascii: "}")) else { throw fail("',' or '}' was expected") }
    return .object(members)
  }

  mutating func array() throws(JSONSyntaxError) -> JSONValue {
    var items: [JSONValue] = []
    space()
    if accept(UInt8(ascii: "]")) { return .array(items) }
    repeat {
      items.append(try value())
      space()
    } while accept(UInt8(ascii: ","))
    guard accept(UInt8(ascii: "]")) else { throw fail("',' or ']' was expected") }
    return .array(items)
  }

  mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let start = at
    var isInteger = true
    _ = accept(UInt8(ascii: "-"))
    let whole = digits()
    guard whole > 0 else { throw fail("a digit was expected") }
    if whole > 1, bytes[at - whole] == UInt8(ascii: "0") {
      throw fail("a number must not begin with 0", at: start)
    }
    if accept(UInt8(ascii: ".")) {
      isInteger = false
      guard digits() > 0 else { throw fail("a digit was expected after '.'") }
    }
    if accept(UInt8(ascii: "e")) || accept(UInt8(ascii: "E")) {
      isInteger = false
      if !accept(UInt8(ascii: "+")) { _ = accept(UInt8(ascii: "-")) }
      guard digits() > 0 else { throw fail("a digit was expected in the exponent") }
    }
    let literal = String(decoding: bytes[start..<at], as: UTF8.self)
    if isInteger, let value = Int64(literal) { return .int(value) }
    guard let value = Double(literal) else { throw fail("'\(literal)' is no number", at: start) }
    return .double(value)
  }

  mutating func digits() -> Int {
    let start = at
    while at < bytes.count, bytes[at] &- UInt8(ascii: "0") <= 9 { at += 1 }
    return at - start
  }

  /// At the opening quote; leaves behind the closing one.
  mutating func string() throws(JSONSyntaxError) -> String {
    at += 1
    let start = at
    while at < bytes.count, bytes[at] != UInt8(ascii: "\""), bytes[at] != UInt8(ascii: "\\"),
      bytes[at] >= 0x20
    {
      at += 1
    }
    if at < bytes.count, bytes[at] == UInt8(ascii: "\"") {
      let text = try utf8(bytes[start..<at], from: start)
      at += 1
      return text
    }
    var out = Array(bytes[start..<at])
    while at < bytes.count {
      let byte = bytes[at]
      at += 1
      switch byte {
      case UInt8(ascii: "\""): return try utf8(out[...], from: start)
      case UInt8(ascii: "\\"): try escape(into: &out)
      case 0..<0x20: throw fail("a control character in a string must be escaped", at: at - 1)
      default: out.append(byte)
      }
    }
    throw fail("the string that begins here has no end", at: start - 1)
  }

  func utf8(_ slice: ArraySlice<UInt8>, from start: Int) throws(JSONSyntaxError) -> String {
    guard let text = String(validating: slice, as: UTF8.self) else {
      throw fail("this string is not valid UTF-8", at: start)
    }
    return text
  }

  mutating func escape(into out: inout [UInt8]) throws(JSONSyntaxError) {
    guard at < bytes.count else { throw fail("the text ends inside an escape") }
    let byte = bytes[at]
    at += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
    case UInt8(ascii: "b"): out.append(0x08)
    case UInt8(ascii: "f"): out.append(0x0C)
    case UInt8(ascii: "n"): out.append(0x0A)
    case UInt8(ascii: "r"): out.append(0x0D)
    case UInt8(ascii: "t"): out.append(0x09)
    case UInt8(ascii: "u"): out += Array(String(try unicodeScalar()).utf8)
    default: throw fail("unknown escape in a string", at: at - 2)
    }
  }

  /// Behind `\u`: one scalar, from one or two groups of four digits. A lone surrogate becomes U+FFFD.
  mutating func unicodeScalar() throws(JSONSyntaxError) -> Unicode.Scalar {
    let first = try hexadecimal()
    if UTF16.isLeadSurrogate(first), bytes.count - at >= 6, bytes[at] == UInt8(ascii: "\\"),
      bytes[at + 1] == UInt8(ascii: "u")
    {
      let mark = at
      at += 2
      let second = try hexadecimal()
      if UTF16.isTrailSurrogate(second) {
        let value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        return Unicode.Scalar(value) ?? "\u{FFFD}"
      }
      at = mark
    }
    return Unicode.Scalar(UInt32(first)) ?? "\u{FFFD}"
  }

  mutating func hexadecimal() throws(JSONSyntaxError) -> UInt16 {
    guard bytes.count - at >= 4,
      let value = UInt16(String(decoding: bytes[at..<(at + 4)], as: UTF8.self), radix: 16)
    else { throw fail("four hexadecimal digits were expected after \\u") }
    at += 4
    return value
  }
}
