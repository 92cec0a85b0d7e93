// The rows of one output that hold a pattern.

import Glibc
import MartletModel

/// A search through one stream, from one place where reading may begin to the next: bytes as they are where a terminal
/// would show them so, rows where it would not.
final class RowSearch {
  /// A row that was found.
  struct Hit {
    var row: Int
    /// Bytes of the log up to and with its end; nil: none came yet.
    var end: Int?
    /// As it is shown, without colours.
    var text: String
  }

  /// Which of the streams it is.
  let number: Int
  private(set) var count = 0
  /// The first rows that were found, ascending.
  private(set) var hits: [Hit] = []
  /// The first that was found and is not in `hits`.
  private(set) var dropped: Int?
  /// All rows before this one have been searched.
  private(set) var reached: Int

  private let pattern: LogPattern
  private var matcher: LogMatcher
  private let limit: Int
  private let bound: LogBound
  private let view: LogStreamView
  private let file: LogBytes
  /// Of the place where reading begins next.
  private var index: Int
  private var buffer: [UInt8] = []
  private var hitBytes = 0

  /// Bytes that are searched as they are, at most at a time.
  private static let segmentLimit = 16 << 20

  /// - Parameters:
  ///   - limit: hits that are kept; all are counted.
  ///   - first: the row where it begins.
  init(
    _ pattern: LogPattern, limit: Int, bound: LogBound, in view: LogStreamView, number: Int, from first: Int
  ) throws {
    (self.pattern, matcher) = (pattern, pattern.matcher())
    (self.limit, self.bound, self.view, self.number) = (limit, bound, view, number)
    file = try LogBytes(path: view.path)
    reached = first
    index = max(0, view.tail.restarts.partitionPoint { $0.row > first } - 1)
  }

  var isDone: Bool { index >= view.tail.restarts.count || reached >= view.tail.end }

  /// Searches on, up to the next place where reading may begin.
  ///
  /// - Returns: false when the time was over before that.
  func step() throws -> Bool {
    guard !bound.isOver else { return false }
    let restarts = view.tail.restarts
    let restart = restarts[index]
    let isLast = index + 1 == restarts.count
    let end = isLast ? view.tail.offset : restarts[index + 1].offset
    let lastRow = isLast ? view.tail.end : restarts[index + 1].row
    let isWhole = readPlain(restart, to: end) ? searchPlain(restart) : searchRows(restart, to: end)
    guard isWhole else { return false }
    reached = max(reached, lastRow)
    index += 1
    return true
  }

  /// - Parameter text: only asked where the hit is kept.
  private func hit(_ row: Int, end: Int?, _ text: () -> String) {
    count += 1
    guard dropped == nil else { return }
    guard hits.count < limit, hitBytes < LogView.answerBytes else {
      dropped = row
      return
    }
    let hit = Hit(row: row, end: end, text: text())
    hitBytes += hit.text.utf8.count
    hits.append(hit)
  }

  // MARK: - Bytes as they are

  /// Reads a part into `buffer`; false: it is too long, or a terminal would show it otherwise.
  private func readPlain(_ restart: RowRestart, to end: Int) -> Bool {
    guard end - restart.offset <= Self.segmentLimit, pattern.suitsBytes else { return false }
    buffer.removeAll(keepingCapacity: true)
    file.read(from: restart.offset, to: end) { piece in
      buffer += piece
      return true
    }
    return buffer.withUnsafeBytes { isPlain($0) }
  }

  /// Whether a terminal would show these lines as they are: carriage returns stand at lines' ends alone, and no line is
  /// longer than a row.
  private func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    for byte: Int32 in [0x1B, 0x08, 0x0B, 0x0C, 0x00, 0x07, 0x7F] + (pattern.hasBlank ? [0x09] : [])
    where memchr(start, byte, bytes.count) != nil { return false }
    var place = 0
    while let found = memchr(start + place, 0x0D, bytes.count - place) {
      place = start.distance(to: UnsafeRawPointer(found)) + 1
      guard place < bytes.count, bytes[place] == 0x0A else { return false }
    }
    place = 0
    // The last line's end within each row's length; a tab takes eight columns at most.
    let room = TerminalRow.limit / 8
    while bytes.count - place > room {
      var end = place + room
      while end > place, bytes[end - 1] != 0x0A { end -= 1 }
      guard end > place else { return false }
      place = end
    }
    return true
  }

  private func searchPlain(_ restart: RowRestart) -> Bool {
    buffer.withUnsafeMutableBytes { raw in
      if pattern.regex != nil { return searchLines(UnsafeRawBufferPointer(raw), from: restart) }
      pattern.prepare(raw)
      searchBytes(UnsafeRawBufferPointer(raw), from: restart)
      return true
    }
  }

  private func searchBytes(_ bytes: UnsafeRawBufferPointer, from restart: RowRestart) {
    guard let start = bytes.baseAddress else { return }
    let first = reached
    var (row, place) = (restart.row, 0)
    while let found = pattern.find(in: bytes, from: place) {
      while let end = memchr(start + place, 0x0A, found - place) {
        place = start.distance(to: UnsafeRawPointer(end)) + 1
        row += 1
      }
      // On with the next line.
      let end = memchr(start + found, 0x0A, bytes.count - found).map {
        start.distance(to: UnsafeRawPointer($0))
      }
      if row >= first { hit(row, at: place..<(end ?? bytes.count), hasEnd: end != nil, of: restart) }
      guard let end else { return }
      place = end + 1
      row += 1
    }
  }

  /// One line after the other, as they stand there.
  private func searchLines(_ bytes: UnsafeRawBufferPointer, from restart: RowRestart) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    let first = reached
    var (row, place, looked) = (restart.row, 0, 0)
    while place < bytes.count {
      if place - looked > 1 << 16 {
        looked = place
        reached = max(reached, row)
        guard !bound.isOver else { return false }
      }
      let found = memchr(start + place, 0x0A, bytes.count - place).map {
        start.distance(to: UnsafeRawPointer($0))
      }
      let end = found ?? bytes.count
      let last = end > place && bytes[end - 1] == 0x0D ? end - 1 : end
      if row >= first {
        guard let isFound = isFound(in: String(decoding: bytes[place..<last], as: UTF8.self)) else {
          reached = max(reached, row)
          return false
        }
        if isFound { hit(row, at: place..<end, hasEnd: found != nil, of: restart) }
      }
      place = end + 1
      row += 1
    }
    return true
  }

  /// - Parameter bytes: of the line in `buffer`, where letters may be small that are capital in the file.
  private func hit(_ row: Int, at bytes: Range<Int>, hasEnd: Bool, of restart: RowRestart) {
    let (from, to) = (restart.offset + bytes.lowerBound, restart.offset + bytes.upperBound)
    hit(row, end: hasEnd ? to + 1 : nil) {
      var fold = TerminalFold(row: row, offset: from)
      file.read(from: from, to: to) { piece in
        fold.take(piece) { _, _ in }
        return true
      }
      return fold.row(row)?.plain ?? ""
    }
  }

  /// Whether the pattern is in a line; nil: the time was over before that was known.
  private func isFound(in line: String) -> Bool? {
    struct TimeIsOver: Error {}
    return try? matcher.isFound(in: line) { if bound.isOver { throw TimeIsOver() } }
  }

  // MARK: - Rows as they are shown

  private func searchRows(_ restart: RowRestart, to end: Int) -> Bool {
    var fold = TerminalFold(row: restart.row, offset: restart.offset, style: restart.style)
    let first = reached
    let last = index + 1 < view.tail.restarts.count ? view.tail.restarts[index + 1].row : view.tail.end
    /// The row of which nobody knows any more whether it was found.
    var stop: Int?
    func look(_ number: Int, _ row: TerminalRow) {
      guard stop == nil, number >= first, number < last else { return }
      let text = row.plain
      switch isFound(in: text) {
      case true?: hit(number, end: row.end) { text }
      case false?: break
      case nil: stop = number
      }
    }
    var isWhole = true
    file.read(from: restart.offset, to: end, piece: 128 << 10) { piece in
      fold.take(piece, done: look)
      isWhole = stop == nil && (!bound.isOver || fold.offset >= end)
      return isWhole
    }
    if isWhole {
      for number in fold.base..<max(fold.base, fold.end) {
        if let row = fold.row(number) { look(number, row) }
      }
      if stop == nil { return true }
    }
    reached = max(reached, min(stop ?? fold.base, last))
    return false
  }
}
