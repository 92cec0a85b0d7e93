// One row of a terminal: characters in columns, each with its style.

/// A row without an end: columns that nothing was written to behind its last character are not there.
struct TerminalRow: Sendable, Hashable {
  /// Columns at most; what comes behind them is left out.
  static let limit = 1 << 16
  /// Columns of a row in which parts are blanked, taken out and put in; no terminal is wider. In longer ones that would
  /// take as long as the row for each of the few bytes that ask for it.
  static let wide = 4_096
  /// Marks of one row.
  private static let markLimit = 1 << 14

  /// Unicode scalars; 0 is the right half of a wide character.
  private(set) var scalars: [UInt32] = []
  /// One for each column, or none where all are plain.
  private var styles: [UInt16] = []
  /// Marks that stand over the character of a column.
  private var marks: [Int: [UInt32]] = [:]
  private var markCount = 0
  /// Bytes of the log up to and with the line's end that closed the row; nil: none came yet.
  var end: Int?

  var count: Int { scalars.count }

  /// Writes characters of one column each.
  mutating func put(ascii bytes: Slice<UnsafeRawBufferPointer>, at column: Int, style: UInt16) {
    let bytes = bytes.prefix(max(0, Self.limit - column))
    if column == scalars.count, style == 0, styles.isEmpty {
      scalars.append(contentsOf: bytes.lazy.map(UInt32.init))
      return
    }
    for (offset, byte) in bytes.enumerated() {
      put(UInt32(byte), width: 1, at: column + offset, style: style)
    }
  }

  /// Writes one character of one or two columns.
  mutating func put(_ scalar: UInt32, width: Int, at column: Int, style: UInt16) {
    guard column + width <= Self.limit else { return }
    prepare(column..<column + width)
    if style != 0, styles.isEmpty { styles = Array(repeating: 0, count: scalars.count) }
    for place in column..<column + width {
      scalars[place] = place == column ? scalar : 0
      if !styles.isEmpty { styles[place] = style }
      dropMarks(at: place)
    }
  }

  private mutating func dropMarks(at place: Int) {
    if !marks.isEmpty, let dropped = marks.removeValue(forKey: place) { markCount -= dropped.count }
  }

  /// Lays a mark over the character before a column.
  mutating func mark(_ scalar: UInt32, before column: Int) {
    var place = min(column, scalars.count) - 1
    if place > 0, scalars[place] == 0 { place -= 1 }
    guard place >= 0, markCount < Self.markLimit, marks[place]?.count ?? 0 < 16 else { return }
    marks[place, default: []].append(scalar)
    markCount += 1
  }

  /// Makes room, and of wide characters that are cut in two leaves a blank.
  private mutating func prepare(_ columns: Range<Int>) {
    if columns.lowerBound < scalars.count, scalars[columns.lowerBound] == 0, columns.lowerBound > 0 {
      scalars[columns.lowerBound - 1] = 0x20
    }
    if columns.upperBound < scalars.count, scalars[columns.upperBound] == 0 {
      scalars[columns.upperBound] = 0x20
    }
    let missing = columns.upperBound - scalars.count
    guard missing > 0 else { return }
    scalars.append(contentsOf: repeatElement(0x20, count: missing))
    if !styles.isEmpty { styles.append(contentsOf: repeatElement(0, count: missing)) }
  }

  /// Takes everything from a column on away.
  mutating func cut(from column: Int) {
    guard column < scalars.count else { return }
    if scalars[column] == 0, column > 0 { scalars[column - 1] = 0x20 }
    // What is taken away was written once: this takes no longer than that did.
    if !marks.isEmpty { for place in column..<scalars.count { dropMarks(at: place) } }
    scalars.removeLast(scalars.count - column)
    if !styles.isEmpty { styles.removeLast(styles.count - column) }
  }

  /// Blanks columns that are there, unless the row is too long.
  mutating func blank(_ columns: Range<Int>) {
    let columns = columns.clamped(to: 0..<scalars.count)
    guard !columns.isEmpty, scalars.count <= Self.wide else { return }
    prepare(columns)
    for place in columns { scalars[place] = 0x20 }
    if !styles.isEmpty { for place in columns { styles[place] = 0 } }
    if !marks.isEmpty { for place in columns { dropMarks(at: place) } }
  }

  /// Takes columns out; those behind them move up. Not where the row is too long.
  mutating func remove(_ columns: Range<Int>) {
    let columns = columns.clamped(to: 0..<scalars.count)
    guard !columns.isEmpty, scalars.count <= Self.wide else { return }
    prepare(columns)
    scalars.removeSubrange(columns)
    if !styles.isEmpty { styles.removeSubrange(columns) }
    shiftMarks(from: columns.upperBound, by: -columns.count, dropping: columns)
  }

  /// Moves what is at a column and behind it on, as far as the row does not become too long.
  mutating func insert(_ count: Int, at column: Int) {
    let count = min(count, Self.wide - scalars.count)
    guard column < scalars.count, count > 0 else { return }
    prepare(column..<column)
    scalars.insert(contentsOf: repeatElement(0x20, count: count), at: column)
    if !styles.isEmpty { styles.insert(contentsOf: repeatElement(0, count: count), at: column) }
    shiftMarks(from: column, by: count, dropping: column..<column)
  }

  private mutating func shiftMarks(from column: Int, by offset: Int, dropping dropped: Range<Int>) {
    guard !marks.isEmpty else { return }
    marks = marks.reduce(into: [:]) { moved, item in
      guard !dropped.contains(item.key) else { return }
      moved[item.key >= column ? item.key + offset : item.key] = item.value
    }
    markCount = marks.reduce(0) { $0 + $1.value.count }
  }

  // MARK: - Reading

  /// The characters alone.
  var plain: String {
    var text: [UInt8] = []
    text.reserveCapacity(scalars.count)
    for column in scalars.indices { write(column, to: &text) }
    return String(decoding: text, as: UTF8.self)
  }

  /// The characters with SGR sequences in normal form: each sets all that differs from a terminal's own look, and a row
  /// ends as plain as it began.
  func text(_ palette: [TerminalStyle]) -> String {
    guard !styles.isEmpty else { return plain }
    var text: [UInt8] = []
    var current: UInt16 = 0
    for column in scalars.indices {
      if styles[column] != current {
        let codes = palette[Int(styles[column])].codes
        text += (styles[column] == 0 ? "\u{1B}[0m" : "\u{1B}[\(current == 0 ? "" : "0;")\(codes)m").utf8
        current = styles[column]
      }
      write(column, to: &text)
    }
    if current != 0 { text += "\u{1B}[0m".utf8 }
    return String(decoding: text, as: UTF8.self)
  }

  private func write(_ column: Int, to text: inout [UInt8]) {
    let scalar = scalars[column]
    if scalar < 0x80 {
      if scalar != 0 { text.append(UInt8(truncatingIfNeeded: scalar)) }
    } else if let scalar = Unicode.Scalar(scalar) {
      text += scalar.utf8
    }
    guard !marks.isEmpty else { return }
    for mark in marks[column] ?? [] {
      if let scalar = Unicode.Scalar(mark) { text += scalar.utf8 }
    }
  }
}
