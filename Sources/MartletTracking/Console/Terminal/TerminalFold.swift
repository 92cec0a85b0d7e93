// The bytes of a log as the rows that a terminal would show.

/// A terminal of endless width and of endless paper: rows that have scrolled out of reach are handed on, the rest is kept.
///
/// Carriage return, backspace, tabs, moves of the cursor and erasing work as on a terminal; a line feed begins a line, as it
/// does where output is cooked. Colours are kept. Absolute rows, clearing of the screen and all else that a log has no
/// place for is passed over. Bytes that are no UTF-8 become U+FFFD.
struct TerminalFold: Sendable {
  /// Bytes that were taken, counted from the log's beginning.
  private(set) var offset: Int
  private(set) var position: RowPosition
  /// Whether anything was written to the lowest row.
  private(set) var isTouched = false
  /// Styles by their number; the first is plain.
  private(set) var palette = [TerminalStyle()]
  /// Rows from `base` on; those below that nothing was written to are not in it.
  private(set) var rows: [TerminalRow] = []
  /// The number of the first row that is kept.
  private(set) var base: Int

  private var parser = ControlParser()
  private var column = 0
  private var style: UInt16 = 0
  private var numbers: [TerminalStyle: UInt16] = [TerminalStyle(): 0]
  /// The bytes of a character that is not whole yet.
  private var pending: [UInt8] = []

  /// Characters of closed rows that are kept before those that are out of reach are handed on.
  private static let closedLimit = 1 << 20
  private var closedSize = 0

  /// Begins where the cursor stands at the beginning of an empty row and never went above it since.
  ///
  /// - Parameters:
  ///   - row: its number.
  ///   - offset: of its first byte.
  init(row: Int = 0, offset: Int = 0, style: TerminalStyle = TerminalStyle()) {
    (base, self.offset) = (row, offset)
    position = RowPosition(first: row)
    self.style = number(of: style)
  }

  /// Characters in the rows that are kept: what this costs in memory.
  var size: Int { rows.reduce(0) { $0 + $1.count } }

  /// The number behind the last row.
  var end: Int { position.deepest + (isTouched ? 1 : 0) }

  /// A row that is kept; nil: it has been handed on, or is not there yet.
  func row(_ number: Int) -> TerminalRow? {
    guard number >= base, number < end else { return nil }
    return number - base < rows.count ? rows[number - base] : TerminalRow()
  }

  /// Takes bytes that follow those before.
  ///
  /// - Parameter done: gets each row that nothing can change any more, with its number, in order.
  mutating func take(_ bytes: UnsafeRawBufferPointer, done: (Int, TerminalRow) -> Void) {
    var place = 0
    while place < bytes.count {
      let byte = bytes[place]
      if parser.isText, byte >= 0x20, byte != 0x7F {
        var stop = place + 1
        while stop < bytes.count, bytes[stop] >= 0x20, bytes[stop] != 0x7F { stop += 1 }
        write(bytes[place..<stop])
        offset += stop - place
        place = stop
        continue
      }
      if !pending.isEmpty { flushPending() }
      offset += 1
      place += 1
      let event = parser.take(byte)
      if event != .none { act(on: event, done: done) }
    }
  }

  // MARK: - Control functions

  private mutating func act(on event: ControlParser.Event, done: (Int, TerminalRow) -> Void) {
    let (row, deepest) = (position.row, position.deepest)
    if position.move(by: event, count: parser.count) {
      defer { column = min(column, reach) }
      switch event {
      case .control, .escape(UInt8(ascii: "E")):
        close(row)
        column = 0
      case .escape(UInt8(ascii: "D")): close(row)
      case .sequence(UInt8(ascii: "E")), .sequence(UInt8(ascii: "F")): column = 0
      case .none, .escape, .sequence: break
      }
      if position.deepest > deepest {
        isTouched = false
        scroll(done)
      }
      return
    }
    switch event {
    case .control(0x0D): column = 0
    case .control(0x08): column = max(0, column - 1)
    case .control(0x09):
      column = min((column / 8 + 1) * 8, max(TerminalRow.wide, rowLength + 8), TerminalRow.limit)
    case .sequence(let final): act(onSequence: final)
    case .none, .control, .escape: break
    }
  }

  private mutating func act(onSequence final: UInt8) {
    let count = parser.count
    let mode = parser.parameters.first ?? 0
    switch final {
    case UInt8(ascii: "m"):
      var new = palette[Int(style)]
      new.apply(parser.parameters)
      style = number(of: new)
    case UInt8(ascii: "C"), UInt8(ascii: "a"): column = max(column, min(column + count, reach))
    case UInt8(ascii: "D"): column = max(0, column - count)
    case UInt8(ascii: "G"), UInt8(ascii: "`"): column = min(count - 1, reach)
    case UInt8(ascii: "K"):
      change { row, column in
        switch mode {
        case 0: row.cut(from: column)
        case 1: row.blank(0..<column + 1)
        case 2: row.cut(from: 0)
        default: break
        }
      }
    case UInt8(ascii: "J") where mode == 0:
      change { row, column in row.cut(from: column) }
      for index in rows.indices where base + index > position.row { rows[index].cut(from: 0) }
    case UInt8(ascii: "P"): change { row, column in row.remove(column..<column + count) }
    case UInt8(ascii: "@"): change { row, column in row.insert(count, at: column) }
    case UInt8(ascii: "X"): change { row, column in row.blank(column..<column + count) }
    default: break
    }
  }

  /// How far to the right the cursor may be moved: what is written there fills the row up to it.
  private var reach: Int { max(TerminalRow.wide, rowLength) }

  /// Columns of the row that the cursor is in.
  private var rowLength: Int {
    let index = position.row - base
    return index >= 0 && index < rows.count ? rows[index].count : 0
  }

  // MARK: - Rows

  private mutating func change(_ body: (inout TerminalRow, Int) -> Void) {
    let index = position.row - base
    guard index >= 0, index < rows.count else { return }
    body(&rows[index], column)
    column = min(column, reach)
  }

  private mutating func prepareRow() -> Int {
    let index = position.row - base
    while rows.count <= index { rows.append(TerminalRow()) }
    return index
  }

  private mutating func close(_ number: Int) {
    let index = number - base
    guard index >= 0 else { return }
    while rows.count <= index { rows.append(TerminalRow()) }
    guard rows[index].end == nil else { return }
    rows[index].end = offset
    closedSize += rows[index].count
  }

  /// Hands on what has left the rows that can be reached.
  private mutating func scroll(_ done: (Int, TerminalRow) -> Void) {
    // Many at a time: to take the first of an array away moves all others. Long ones do not wait for that.
    guard position.top - base >= RowPosition.window || closedSize >= Self.closedLimit else { return }
    closedSize = 0
    handOn(upTo: position.top, done)
  }

  /// Hands on all that nothing can change any more.
  mutating func settle(_ done: (Int, TerminalRow) -> Void) { handOn(upTo: position.top, done) }

  private mutating func handOn(upTo top: Int, _ done: (Int, TerminalRow) -> Void) {
    let count = top - base
    guard count > 0 else { return }
    for index in 0..<count { done(base + index, index < rows.count ? rows[index] : TerminalRow()) }
    rows.removeFirst(min(count, rows.count))
    base = top
  }

  // MARK: - Text

  private mutating func write(_ bytes: Slice<UnsafeRawBufferPointer>) {
    if position.row == position.deepest { isTouched = true }
    let index = prepareRow()
    var rest = bytes
    while let byte = rest.first {
      if pending.isEmpty, byte < 0x80 {
        let run = rest.prefix { $0 < 0x80 }
        rows[index].put(ascii: run, at: column, style: style)
        column = min(column + run.count, TerminalRow.limit)
        rest = rest.dropFirst(run.count)
        continue
      }
      take(byte, at: index)
      rest = rest.dropFirst()
    }
  }

  /// Takes a byte of a character of several.
  private mutating func take(_ byte: UInt8, at index: Int) {
    if !pending.isEmpty, !Self.mayFollow(pending, byte) { flushPending() }
    if pending.isEmpty, byte < 0x80 {
      put(Unicode.Scalar(byte), at: index)
      return
    }
    pending.append(byte)
    guard pending.count == Self.length(of: pending[0]) else { return }
    let scalars = String(decoding: pending, as: UTF8.self).unicodeScalars
    pending = []
    for scalar in scalars { put(scalar, at: index) }
  }

  /// How many bytes the character has that begins with this one; 1 where none does.
  private static func length(of byte: UInt8) -> Int {
    switch byte {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
  }

  /// The table of well-formed sequences (Unicode 15, table 3-7).
  private static func mayFollow(_ bytes: [UInt8], _ byte: UInt8) -> Bool {
    guard bytes.count == 1 else { return byte & 0xC0 == 0x80 }
    switch bytes[0] {
    case 0xE0: return (0xA0...0xBF).contains(byte)
    case 0xED: return (0x80...0x9F).contains(byte)
    case 0xF0: return (0x90...0xBF).contains(byte)
    case 0xF4: return (0x80...0x8F).contains(byte)
    default: return byte & 0xC0 == 0x80
    }
  }

  /// What never became a character stands as one that is unknown.
  private mutating func flushPending() {
    pending = []
    put("\u{FFFD}", at: prepareRow())
  }

  private mutating func put(_ scalar: Unicode.Scalar, at index: Int) {
    // The controls of ISO 8859 draw nothing.
    guard !(0x80...0x9F).contains(scalar.value) else { return }
    let width = scalar.value < 0x80 ? 1 : CharacterWidth.of(scalar)
    guard width > 0 else { return rows[index].mark(scalar.value, before: column) }
    rows[index].put(scalar.value, width: width, at: column, style: style)
    column = min(column + width, TerminalRow.limit)
  }

  private mutating func number(of style: TerminalStyle) -> UInt16 {
    if let known = numbers[style] { return known }
    // More looks than any page has: what comes then is plain.
    guard palette.count <= Int(UInt16.max) else { return 0 }
    let number = UInt16(palette.count)
    palette.append(style)
    numbers[style] = number
    return number
  }
}
