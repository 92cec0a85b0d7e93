// Counts the rows of a log without filling them, and finds where reading may begin in its midst.

import Glibc

/// A place in a log from which its rows can be told without what stands before.
struct RowRestart: Sendable, Hashable {
  /// An empty row at whose beginning the cursor stands.
  var row: Int
  /// Of its first byte.
  var offset: Int
  var style: TerminalStyle
}

/// Reads a log once and keeps count: the rows are those of `TerminalFold`.
///
/// A restart is given only once its row is out of reach and the cursor never went above it: then nothing that follows
/// depends on what was before.
struct RowTracker: Sendable {
  /// Bytes from one restart to the next, at least.
  let spacing: Int
  private(set) var offset = 0
  private(set) var position = RowPosition(first: 0)
  private(set) var isTouched = false
  private(set) var style = TerminalStyle()
  private(set) var restarts = [RowRestart(row: 0, offset: 0, style: TerminalStyle())]
  private var candidate: RowRestart?
  private var parser = ControlParser()

  init(spacing: Int = 1 << 20) { self.spacing = spacing }

  /// As it was when something was written down.
  init(
    spacing: Int, offset: Int, position: RowPosition, isTouched: Bool, style: TerminalStyle,
    restarts: [RowRestart]
  ) {
    self.spacing = spacing
    (self.offset, self.position, self.isTouched) = (offset, position, isTouched)
    (self.style, self.restarts) = (style, restarts)
  }

  /// Whether it stands between sequences, where it can be written down.
  var isAtRest: Bool { parser.isText }

  /// Rows that a line's end came behind.
  var closed: Int { position.deepest }
  /// The number behind the last row.
  var end: Int { position.deepest + (isTouched ? 1 : 0) }

  /// Where to begin to read for a row.
  func restart(for row: Int) -> RowRestart {
    var (low, high) = (0, restarts.count)
    while low < high {
      let middle = (low + high) / 2
      if restarts[middle].row <= row { low = middle + 1 } else { high = middle }
    }
    return restarts[max(0, low - 1)]
  }

  /// Takes bytes that follow those before.
  mutating func take(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    var place = 0
    // Where the next of these is; nothing else moves from row to row.
    var escapes = Finder(0x1B)
    var tabs = Finder(0x0B)
    var forms = Finder(0x0C)
    while place < bytes.count {
      if !parser.isText {
        step(bytes[place])
        place += 1
        continue
      }
      let stop = min(
        escapes.next(from: place, in: bytes), tabs.next(from: place, in: bytes),
        forms.next(from: place, in: bytes))
      while place < stop {
        let found = memchr(start + place, 0x0A, stop - place)
        let line = found.map { start.distance(to: UnsafeRawPointer($0)) } ?? stop
        touch(bytes[place..<line])
        offset += line - place
        place = line
        guard found != nil else { break }
        offset += 1
        place += 1
        feed()
      }
      if place == stop, stop < bytes.count {
        step(bytes[place])
        place += 1
      }
    }
  }

  private mutating func step(_ byte: UInt8) {
    offset += 1
    let event = parser.take(byte)
    guard event != .none else { return }
    let deepest = position.deepest
    if position.move(by: event, count: parser.count) {
      if let candidate, position.row < candidate.row { self.candidate = nil }
      if position.deepest > deepest { begin(isAtStart: event != .escape(UInt8(ascii: "D"))) }
    } else if event == .sequence(UInt8(ascii: "m")) {
      style.apply(parser.parameters)
    }
  }

  private mutating func feed() {
    let deepest = position.deepest
    position.feed()
    if position.deepest > deepest { begin(isAtStart: true) }
  }

  /// A row has begun that nobody was in before.
  private mutating func begin(isAtStart: Bool) {
    isTouched = false
    if let candidate {
      guard candidate.row <= position.top else { return }
      restarts.append(candidate)
      self.candidate = nil
    }
    guard isAtStart, offset - (restarts.last?.offset ?? 0) >= spacing else { return }
    candidate = RowRestart(row: position.deepest, offset: offset, style: style)
  }

  private mutating func touch(_ text: Slice<UnsafeRawBufferPointer>) {
    guard !isTouched, position.row == position.deepest else { return }
    isTouched = text.contains { $0 >= 0x20 && $0 != 0x7F }
  }

  /// Where a byte is next, looked for once.
  private struct Finder {
    private let byte: Int32
    private var found = -1

    init(_ byte: Int32) { self.byte = byte }

    mutating func next(from place: Int, in bytes: UnsafeRawBufferPointer) -> Int {
      guard found < place, let start = bytes.baseAddress else { return found }
      let hit = memchr(start + place, byte, bytes.count - place)
      found = hit.map { start.distance(to: UnsafeRawPointer($0)) } ?? bytes.count
      return found
    }
  }
}
