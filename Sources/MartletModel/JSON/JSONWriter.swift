// JSONValue to JSON text: compact or indented, numbers in their shortest exact form.

import OrderedCollections

extension JSONValue {
  /// Compact JSON text.
  public var text: String { String(decoding: bytes(), as: UTF8.self) }

  /// JSON text; `indented` puts every member and item on a line of its own, two spaces a level.
  public func bytes(indented: Bool = false) -> [UInt8] {
    var out: [UInt8] = []
    write(to: &out, indent: indented ? 0 : nil)
    return out
  }

  /// Appends JSON text to `out`; `indent` is the level this value stands at, nil for compact text.
  public func write(to out: inout [UInt8], indent: Int? = nil) {
    switch self {
    case .null: out += "null".utf8
    case .bool(let flag): out += (flag ? "true" : "false").utf8
    case .int(let value): Self.write(value, to: &out)
    case .double(let value): Self.write(value, to: &out)
    case .string(let text): Self.write(text, to: &out)
    case .array(let items):
      Self.writeList(items, open: "[", close: "]", to: &out, indent: indent) { item, out, inner in
        item.write(to: &out, indent: inner)
      }
    case .object(let members):
      Self.writeList(members.elements, open: "{", close: "}", to: &out, indent: indent) {
        member, out, inner in
        Self.write(member.key, to: &out)
        out.append(UInt8(ascii: ":"))
        if inner != nil { out.append(UInt8(ascii: " ")) }
        member.value.write(to: &out, indent: inner)
      }
    }
  }

  public static func write(_ value: Int64, to out: inout [UInt8]) {
    if value < 0 { out.append(UInt8(ascii: "-")) }
    var rest = value.magnitude
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
      var first = digits.count
      func put(_ digit: UInt8) {
        first -= 1
        digits.initializeElement(at: first, to: UInt8(ascii: "0") + digit)
      }
      // Two digits a division: each waits for the one before.
      while rest >= 10 {
        let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
        let two = UInt8(truncatingIfNeeded: pair)
        put(two % 10)
        put(two / 10)
        rest = quotient
      }
      // What is left is the leading digit, or nothing behind a pair that was whole.
      if rest > 0 || first == digits.count { put(UInt8(truncatingIfNeeded: rest)) }
      out.append(contentsOf: digits[first...])
    }
  }

  /// The shortest text that reads back as the same Double; strings for what JSON has no literal for.
  public static func write(_ value: Double, to out: inout [UInt8]) {
    if value.isFinite {
      var text = value.description
      text.withUTF8 { out.append(contentsOf: $0) }
    } else {
      out += (value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\"").utf8
    }
  }

  public static func write(_ text: String, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { bytes in
      // Most texts have nothing to escape, and are copied whole.
      var first = 0
      for (place, byte) in bytes.enumerated() {
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F else {
          continue
        }
        out.append(contentsOf: bytes[first..<place])
        first = place + 1
        writeEscaped(byte, to: &out)
      }
      out.append(contentsOf: bytes[first...])
    }
    out.append(UInt8(ascii: "\""))
  }

  private static func writeEscaped(_ byte: UInt8, to out: inout [UInt8]) {
    switch byte {
    case 0x0A: out += "\\n".utf8
    case 0x0D: out += "\\r".utf8
    case 0x09: out += "\\t".utf8
    case 0..<0x20, 0x7F:
      let digits = String(byte, radix: 16)
      out += "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8
    default: out += [UInt8(ascii: "\\"), byte]
    }
  }

  private static func writeList<Items: Collection>(
    _ items: Items, open: Unicode.Scalar, close: Unicode.Scalar, to out: inout [UInt8], indent: Int?,
    item: (Items.Element, inout [UInt8], Int?) -> Void
  ) {
    out.append(UInt8(ascii: open))
    var isFirst = true
    for element in items {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      newLine(to: &out, indent: indent.map { $0 + 1 })
      item(element, &out, indent.map { $0 + 1 })
    }
    if !isFirst { newLine(to: &out, indent: indent) }
    out.append(UInt8(ascii: close))
  }

  private static func newLine(to out: inout [UInt8], indent: Int?) {
    guard let indent else { return }
    out.append(0x0A)
    out += Array(repeating: 0x20, count: 2 * indent)
  }
}
