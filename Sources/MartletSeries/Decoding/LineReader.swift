// JSON lines to columns, straight from their bytes.

import MartletModel

/// Reads rows as clients write them. A line that it does not understand changes nothing: `SlowLine` decides about it.
struct LineReader {
  private var cursor: JSONCursor
  private var names = SpelledNames()
  private var builder = RowBatchBuilder()
  private let now: Int64

  init(start: UnsafePointer<UInt8>, count: Int, now: Timestamp, parser: FloatParser) {
    cursor = JSONCursor(start: start, count: count, parser: parser)
    self.now = now.microseconds
  }

  /// - Throws: `Problem.unprocessable` for the first line that is no row.
  mutating func read() throws(Problem) -> RowBatch {
    let start = cursor.place
    while !cursor.isAtEnd {
      let line = cursor.place
      if row() { continue }
      builder.abandon()
      cursor.place = line
      try slowRow(bodyStart: start)
    }
    guard builder.count > 0 else { throw SlowLine.noRow }
    return builder.finish()
  }

  /// Hands the line that begins here to `SlowLine`.
  private mutating func slowRow(bodyStart: UnsafePointer<UInt8>) throws(Problem) {
    let rest = UnsafeBufferPointer(start: cursor.place, count: cursor.left)
    let length = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.count
    let line = UnsafeBufferPointer(rebasing: rest[..<length])
    let before = UnsafeBufferPointer(start: bodyStart, count: cursor.place - bodyStart)
    cursor.place += min(length + 1, rest.count)
    guard line.contains(where: { $0 > 0x20 }) else { return }
    let slow = SlowLine(Array(line), number: { before.count(where: { $0 == UInt8(ascii: "\n") }) + 1 })
    let row = try slow.row(now: now, following: builder.count > 0 ? builder.nextSequence - 1 : nil)
    try builder.add(row)
  }

  // MARK: - Rows

  /// Reads one line, empty or a row, with its line feed. False: it is neither, or written in a way that is seldom; then part
  /// of a row may be staged.
  private mutating func row() -> Bool {
    cursor.space()
    if cursor.accept(UInt8(ascii: "\n")) || cursor.isAtEnd { return true }
    guard cursor.accept(UInt8(ascii: "{")) else { return false }
    var sequence: Int64?
    var step: Int64?
    var time: Int64?
    var seen: Member = []
    repeat {
      cursor.space()
      guard let member = member(), !seen.contains(member), cursor.acceptSpaced(UInt8(ascii: ":")) else {
        return false
      }
      seen.insert(member)
      switch member {
      case .values: guard values() else { return false }
      case .sequence: guard integer(&sequence) else { return false }
      case .step: guard integer(&step) else { return false }
      default: guard integer(&time) else { return false }
      }
      cursor.space()
    } while cursor.accept(UInt8(ascii: ","))
    guard cursor.accept(UInt8(ascii: "}")), seen.contains(.values), let sequence,
      builder.count > 0 ? sequence == builder.nextSequence : sequence >= 0, sequence < .max
    else { return false }
    cursor.space()
    guard cursor.accept(UInt8(ascii: "\n")) || cursor.isAtEnd else { return false }
    builder.commit(sequence: sequence, step: step, time: time ?? now)
    return true
  }

  private struct Member: OptionSet {
    var rawValue: UInt8
    static let sequence = Member(rawValue: 1)
    static let step = Member(rawValue: 2)
    static let time = Member(rawValue: 4)
    static let values = Member(rawValue: 8)
  }

  /// The name of one of a row's members, with its quotes.
  @inline(__always)
  private mutating func member() -> Member? {
    if cursor.accept("\"seq\"") { return .sequence }
    if cursor.accept("\"step\"") { return .step }
    if cursor.accept("\"time\"") { return .time }
    return cursor.accept("\"values\"") ? .values : nil
  }

  /// A whole number, or null.
  @inline(__always)
  private mutating func integer(_ value: inout Int64?) -> Bool {
    if let literal = cursor.number() {
      guard literal.isInt else { return false }
      value = literal.int
      return true
    }
    return cursor.accept("null")
  }

  // MARK: - Values

  /// The object of a row's values. A name twice in it is left to `SlowLine`.
  @inline(__always)
  private mutating func values() -> Bool {
    guard cursor.accept(UInt8(ascii: "{")) else { return false }
    cursor.space()
    if cursor.accept(UInt8(ascii: "}")) { return true }
    let row = builder.count
    var spelling: Int32 = -1
    while true {
      guard cursor.accept(UInt8(ascii: "\"")) else { return false }
      let expected = names.expected(after: spelling)
      if expected >= 0, names.accept(expected, at: &cursor) {
        spelling = expected
      } else {
        guard let found = names.find(at: &cursor, after: spelling) else { return false }
        spelling = found
      }
      guard cursor.acceptSpaced(UInt8(ascii: ":")) else { return false }
      let name = names.name(of: spelling)
      guard names.names[name].row != row else { return false }
      names.names[name].row = row
      if let literal = cursor.number() {
        // As everywhere, "-0" is the whole number 0, and only "-0.0" has a sign.
        builder.stage(literal.isInt ? Double(literal.int) : literal.double, in: numberSlot(of: name))
      } else {
        guard text(of: name) else { return false }
      }
      cursor.space()
      if cursor.accept(UInt8(ascii: "}")) { return true }
      guard cursor.accept(UInt8(ascii: ",")) else { return false }
      cursor.space()
    }
  }

  @inline(__always)
  private mutating func numberSlot(of name: Int) -> Int32 {
    if let slot = names.names[name].numberSlot { return slot }
    let slot = builder.numberSlot(names.names[name].name)
    names.names[name].numberSlot = slot
    return slot
  }

  /// Anything but a number.
  @inline(never)
  private mutating func text(of name: Int) -> Bool {
    var text: [UInt8] = []
    // A value lies in the line's object and in that of the values.
    guard cursor.copyValue(to: &text, depth: 2) else { return false }
    let slot = names.names[name].textSlot ?? builder.textSlot(names.names[name].name)
    names.names[name].textSlot = slot
    builder.stage(text, in: slot)
    return true
  }
}
