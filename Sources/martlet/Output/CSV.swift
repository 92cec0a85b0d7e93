// Tables as text, after RFC 4180.

enum CSV {
  static let lineEnd = "\r\n"

  /// One record with its line end.
  static func line(_ fields: [String]) -> String { fields.map(field).joined(separator: ",") + lineEnd }

  /// A field, quoted where it must be.
  static func field(_ text: String) -> String {
    guard text.utf8.contains(where: isSpecial) else { return text }
    return "\"" + text.replacing("\"", with: "\"\"") + "\""
  }

  /// A quoted field of any bytes.
  static func quote(_ text: some Sequence<UInt8>, to out: inout [UInt8]) {
    out.append(UInt8(ascii: "\""))
    for byte in text {
      if byte == UInt8(ascii: "\"") { out.append(byte) }
      out.append(byte)
    }
    out.append(UInt8(ascii: "\""))
  }

  private static func isSpecial(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
    default: false
    }
  }

  /// The fields of the first record of a table; nil when its end is missing.
  static func firstRecord(of text: [UInt8]) -> [String]? {
    var fields: [[UInt8]] = [[]]
    var isQuoted = false
    for (index, byte) in text.enumerated() {
      switch byte {
      case UInt8(ascii: "\""):
        // Two in a quoted field stand for one: the second opens the field again.
        if !isQuoted, index > 0, text[index - 1] == byte { fields[fields.count - 1].append(byte) }
        isQuoted.toggle()
      case UInt8(ascii: ",") where !isQuoted: fields.append([])
      case UInt8(ascii: "\n") where !isQuoted:
        if fields[fields.count - 1].last == UInt8(ascii: "\r") { fields[fields.count - 1].removeLast() }
        return fields.map { String(decoding: $0, as: UTF8.self) }
      default: fields[fields.count - 1].append(byte)
      }
    }
    return nil
  }
}
