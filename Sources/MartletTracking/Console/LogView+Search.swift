// Lines found by what is in them.

import Glibc
import MartletModel

/// When a search is to end.
struct SearchBound: Sendable {
  var deadline: ContinuousClock.Instant
  /// Whether nobody waits for it any more.
  var isCancelled: @Sendable () -> Bool = { false }

  var isOver: Bool { ContinuousClock.now >= deadline || isCancelled() }
}

extension LogView {
  /// Looks through all lines behind one.
  ///
  /// - Parameters:
  ///   - after: the line behind which the search begins; nil: at the first.
  ///   - limit: lines that are given; all are counted.
  func search(
    _ pattern: LogPattern, _ scope: LogScope, after: Int?, limit: Int, bound: SearchBound
  ) throws -> LogMatches {
    let start = after.map { $0 + 1 } ?? 0
    var count = 0
    var isComplete = true
    var hits: [(number: Int, stream: Int, row: Int)] = []
    for stream in scope.streams.map({ $0 == .stdout ? 0 : 1 }) {
      var search = RowSearch(pattern: pattern, limit: limit, bound: bound, matcher: pattern.matcher())
      try search.run(streams[stream], from: firstRow(of: stream, from: start, scope))
      count += search.count
      isComplete = isComplete && search.isComplete
      hits += search.rows.map { (number(of: $0, in: stream, scope), stream, $0) }
    }
    hits.sort { $0.number < $1.number }
    let shown = hits.prefix(limit)
    var items: [Int: LogMatches.Item] = [:]
    for stream in streams.indices {
      var bytes = 0
      try lines(of: shown.filter { $0.stream == stream }.map(\.row), in: stream) { row, content in
        let text = content.plain
        bytes += text.utf8.count
        let number = number(of: row, in: stream, scope)
        var line = line(row, content, text, stream)
        line.number = number
        items[number] = LogMatches.Item(line: line, ranges: pattern.ranges(in: text))
        return bytes < Self.answerBytes
      }
    }
    // Where the text was too much, the page ends early.
    let page = shown.prefix { items[$0.number] != nil }.compactMap { items[$0.number] }
    let isLast = page.count == count && isComplete
    return LogMatches(
      count: count, isComplete: isComplete, items: page,
      next: isLast || page.isEmpty ? nil : page.last?.line.number)
  }
}

/// The rows of one stream that hold a pattern.
private struct RowSearch {
  let pattern: LogPattern
  let limit: Int
  let bound: SearchBound
  var matcher: LogMatcher
  var count = 0
  /// The first of them, ascending.
  var rows: [Int] = []
  var isComplete = true

  /// Bytes that are searched as they are, at most at a time.
  private static let segmentLimit = 16 << 20

  mutating func run(_ view: LogStreamView, from first: Int) throws {
    guard first < view.tail.end else { return }
    let file = try LogBytes(path: view.path)
    let restarts = view.tail.restarts
    var index = max(0, restarts.partitionPoint { $0.row > first } - 1)
    var buffer: [UInt8] = []
    while index < restarts.count {
      guard !bound.isOver else {
        isComplete = false
        return
      }
      let restart = restarts[index]
      let isLast = index + 1 == restarts.count
      let end = isLast ? view.tail.offset : restarts[index + 1].offset
      let lastRow = isLast ? view.tail.end : restarts[index + 1].row
      if end - restart.offset <= Self.segmentLimit, pattern.suitsBytes {
        buffer.removeAll(keepingCapacity: true)
        file.read(from: restart.offset, to: end) { piece in
          buffer += piece
          return true
        }
        let areAsShown = buffer.withUnsafeBytes { isPlain($0) }
        if areAsShown {
          buffer.withUnsafeMutableBytes { raw in
            if pattern.regex != nil {
              searchLines(UnsafeRawBufferPointer(raw), from: restart.row, first: first)
            } else {
              pattern.prepare(raw)
              searchBytes(UnsafeRawBufferPointer(raw), from: restart.row, first: first)
            }
          }
          guard isComplete else { return }
          index += 1
          continue
        }
      }
      searchRows(file, restart, to: end, rows: max(first, restart.row)..<max(first, lastRow))
      guard isComplete else { return }
      index += 1
    }
  }

  private mutating func hit(_ row: Int) {
    count += 1
    if rows.count < limit { rows.append(row) }
  }

  /// Whether a terminal would show these lines as they are: carriage returns stand at lines' ends alone.
  private func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = bytes.baseAddress else { return true }
    for byte: Int32 in [0x1B, 0x08, 0x0B, 0x0C, 0x00] + (pattern.hasBlank ? [0x09] : [])
    where memchr(start, byte, bytes.count) != nil { return false }
    var place = 0
    while let found = memchr(start + place, 0x0D, bytes.count - place) {
      place = start.distance(to: UnsafeRawPointer(found)) + 1
      guard place < bytes.count, bytes[place] == 0x0A else { return false }
    }
    return true
  }

  private mutating func searchBytes(_ bytes: UnsafeRawBufferPointer, from row: Int, first: Int) {
    guard let start = bytes.baseAddress else { return }
    var (row, place) = (row, 0)
    while let found = pattern.find(in: bytes, from: place) {
      while let end = memchr(start + place, 0x0A, found - place) {
        place = start.distance(to: UnsafeRawPointer(end)) + 1
        row += 1
      }
      if row >= first { hit(row) }
      // On with the next line.
      guard let end = memchr(start + found, 0x0A, bytes.count - found) else { return }
      place = start.distance(to: UnsafeRawPointer(end)) + 1
      row += 1
    }
  }

  /// One line after the other, as they stand there.
  private mutating func searchLines(_ bytes: UnsafeRawBufferPointer, from row: Int, first: Int) {
    guard let start = bytes.baseAddress else { return }
    var (row, place) = (row, 0)
    while place < bytes.count {
      if row & 0xFFF == 0, bound.isOver {
        isComplete = false
        return
      }
      let found = memchr(start + place, 0x0A, bytes.count - place)
      let end = found.map { start.distance(to: UnsafeRawPointer($0)) } ?? bytes.count
      let last = end > place && bytes[end - 1] == 0x0D ? end - 1 : end
      if row >= first, matcher.isFound(in: String(decoding: bytes[place..<last], as: UTF8.self)) { hit(row) }
      place = end + 1
      row += 1
    }
  }

  /// Rows as they are shown.
  private mutating func searchRows(
    _ file: borrowing LogBytes, _ restart: RowRestart, to end: Int, rows wanted: Range<Int>
  ) {
    var fold = TerminalFold(row: restart.row, offset: restart.offset, style: restart.style)
    var found: [Int] = []
    var matcher = matcher
    func look(_ number: Int, _ row: TerminalRow) {
      if wanted.contains(number), matcher.isFound(in: row.plain) { found.append(number) }
    }
    var isWhole = true
    let bound = bound
    file.read(from: restart.offset, to: end, piece: 256 << 10) { piece in
      fold.take(piece, done: look)
      isWhole = !bound.isOver
      return isWhole
    }
    if isWhole {
      for number in fold.base..<max(fold.base, fold.end) {
        if let row = fold.row(number) { look(number, row) }
      }
    }
    (self.matcher, isComplete) = (matcher, isWhole)
    for row in found { hit(row) }
  }
}
