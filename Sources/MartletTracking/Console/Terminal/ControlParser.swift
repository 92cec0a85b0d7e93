// Control characters and escape sequences, told from text.

/// A parser of control functions after ECMA-48, for what a log may hold.
///
/// Text never comes here: whoever has the bytes hands over control characters, and everything until `isText` again. Any
/// control character ends a sequence that is not complete, a line's end above all: so what is cut off harms one line.
struct ControlParser: Sendable {
  enum Event: Sendable, Hashable {
    /// Nothing is complete yet, or what was complete means nothing here.
    case none
    case control(UInt8)
    /// `ESC` and this byte.
    case escape(UInt8)
    /// A control sequence that ends with this byte; its parameters are in `parameters`.
    case sequence(UInt8)
  }

  private enum State: Sendable {
    case text
    case escape
    /// Between the escape character and its last byte.
    case intermediate
    case sequence
    /// A sequence that means nothing here: private, or too long.
    case foreign
    /// The text of an operating system command and the like.
    case string
    case stringEscape
  }

  private static let longest = 32

  private var state = State.text
  private(set) var parameters: [Int] = []
  private var number: Int?

  /// Whether the next byte is text, if it is no control character.
  var isText: Bool { if case .text = state { true } else { false } }

  /// Takes a control character, or any byte while `isText` is false.
  mutating func take(_ byte: UInt8) -> Event {
    if byte == 0x1B {
      if case .string = state {
        state = .stringEscape
      } else {
        state = .escape
      }
      return .none
    }
    if byte < 0x20 || byte == 0x7F {
      // BEL ends a string as xterm has it.
      if case .string = state, byte == 0x07 {
        state = .text
        return .none
      }
      state = .text
      return .control(byte)
    }
    switch state {
    case .text: return .none
    case .escape: return begin(byte)
    case .intermediate:
      if byte >= 0x30 { state = .text }
    case .sequence: return gather(byte)
    case .foreign:
      if byte >= 0x40 { state = .text }
    case .string: break
    case .stringEscape:
      // A backslash ends the string; anything else after ESC begins anew.
      if byte != 0x5C { return begin(byte) }
      state = .text
    }
    return .none
  }

  private mutating func begin(_ byte: UInt8) -> Event {
    switch byte {
    case UInt8(ascii: "["):
      (state, parameters, number) = (.sequence, [], nil)
    case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
      state = .string
    case 0x20...0x2F: state = .intermediate
    default:
      state = .text
      return .escape(byte)
    }
    return .none
  }

  private mutating func gather(_ byte: UInt8) -> Event {
    switch byte {
    case 0x30...0x39:
      number = min((number ?? 0) * 10 + Int(byte - 0x30), 1_000_000)
    case UInt8(ascii: ";"), UInt8(ascii: ":"):
      parameters.append(number ?? 0)
      number = nil
      if parameters.count > Self.longest { state = .foreign }
    case 0x40...0x7E:
      if number != nil || !parameters.isEmpty { parameters.append(number ?? 0) }
      state = .text
      return .sequence(byte)
    default: state = .foreign
    }
    return .none
  }

  /// The first parameter where it counts something: absent and 0 mean 1.
  var count: Int { max(1, parameters.first ?? 1) }
}

/// In which row the cursor is: the same for who only counts rows and for who also fills them.
///
/// The rows of a log go on for ever. Only the last `window` of them can still be reached, as on a terminal of that height.
struct RowPosition: Sendable, Hashable {
  /// Rows that can be written to.
  static let window = 64

  private(set) var row: Int
  /// The lowest row that was reached. Those above it are closed: a line's end came behind them.
  private(set) var deepest: Int
  /// The first row that there is.
  let first: Int

  init(first: Int) { (row, deepest, self.first) = (first, first, first) }

  init(row: Int, deepest: Int) { (self.row, self.deepest, first) = (row, deepest, 0) }

  /// The first row that can be written to.
  var top: Int { max(first, deepest - (Self.window - 1)) }

  mutating func feed(_ count: Int = 1) {
    row += count
    deepest = max(deepest, row)
  }

  mutating func up(_ count: Int) { row = max(top, row - count) }

  mutating func down(_ count: Int) { row = min(deepest, row + count) }

  /// Moves as a control function says.
  ///
  /// - Returns: whether it is one that moves from row to row.
  mutating func move(by event: ControlParser.Event, count: Int) -> Bool {
    switch event {
    // Line feed, vertical tab, form feed; index and next line.
    case .control(0x0A...0x0C), .escape(UInt8(ascii: "D")), .escape(UInt8(ascii: "E")): feed()
    case .escape(UInt8(ascii: "M")): up(1)
    case .sequence(UInt8(ascii: "A")), .sequence(UInt8(ascii: "F")): up(count)
    case .sequence(UInt8(ascii: "B")), .sequence(UInt8(ascii: "e")), .sequence(UInt8(ascii: "E")): down(count)
    case .none, .control, .escape, .sequence: return false
    }
    return true
  }
}
