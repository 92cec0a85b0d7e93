// How text looks on a terminal: colours and attributes, as SGR sequences set them.

/// What "select graphic rendition" has set (ECMA-48 §8.3.117; the colours of xterm).
struct TerminalStyle: Sendable, Hashable {
  /// 0: the terminal's own; else `palette` and a number of 256, or `direct` and red, green, blue.
  var foreground: UInt32 = 0
  var background: UInt32 = 0
  /// One bit for each of the parameters 1 to 9.
  var attributes: UInt16 = 0

  private static let palette: UInt32 = 1 << 24
  private static let direct: UInt32 = 2 << 24

  var isPlain: Bool { self == TerminalStyle() }

  mutating func apply(_ parameters: [Int]) {
    var rest = (parameters.isEmpty ? [0] : parameters)[...]
    while let code = rest.popFirst() {
      switch code {
      case 0: self = TerminalStyle()
      case 1...9: attributes |= 1 << UInt16(code)
      case 21: attributes |= 1 << 4
      case 22: attributes &= ~0b110
      case 23...29: attributes &= ~(1 << UInt16(code - 20))
      case 30...37: foreground = Self.palette | UInt32(code - 30)
      case 90...97: foreground = Self.palette | UInt32(code - 82)
      case 40...47: background = Self.palette | UInt32(code - 40)
      case 100...107: background = Self.palette | UInt32(code - 92)
      case 39: foreground = 0
      case 49: background = 0
      case 38: if let color = Self.color(&rest) { foreground = color }
      case 48: if let color = Self.color(&rest) { background = color }
      default: continue
      }
    }
  }

  /// `5;n` or `2;r;g;b`; nil: something else, which is passed over as far as it goes.
  private static func color(_ rest: inout ArraySlice<Int>) -> UInt32? {
    switch rest.popFirst() {
    case 5:
      guard let number = rest.popFirst(), (0...255).contains(number) else { return nil }
      return palette | UInt32(number)
    case 2:
      guard rest.count >= 3 else {
        rest = []
        return nil
      }
      let parts = rest.prefix(3)
      rest = rest.dropFirst(3)
      guard parts.allSatisfy({ (0...255).contains($0) }) else { return nil }
      return parts.reduce(direct >> 24) { $0 << 8 | UInt32($1) }
    default: return nil
    }
  }

  /// The parameters that set all of this on a terminal that has set nothing; empty when nothing is set.
  var codes: String {
    var codes: [String] = []
    for bit in 1...9 where attributes & 1 << UInt16(bit) != 0 { codes.append(String(bit)) }
    codes += Self.codes(foreground, 30, 90, 38)
    codes += Self.codes(background, 40, 100, 48)
    return codes.joined(separator: ";")
  }

  private static func codes(_ color: UInt32, _ dark: UInt32, _ bright: UInt32, _ long: Int) -> [String] {
    let number = color & 0xFF
    switch color >> 24 {
    case 1 where number < 8: return ["\(dark + number)"]
    case 1 where number < 16: return ["\(bright + number - 8)"]
    case 1: return ["\(long);5;\(number)"]
    case 2: return ["\(long);2;\(color >> 16 & 0xFF);\(color >> 8 & 0xFF);\(number)"]
    default: return []
    }
  }
}
