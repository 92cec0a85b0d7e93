// Lines read from a log, from the nearest place where reading may begin.

import MartletModel

extension LogView {
  /// Bytes of text in one answer, after which it ends.
  static let answerBytes = 4 << 20

  /// The last state of a stream's rows, for whoever follows it.
  typealias Folds = [TerminalFold?]

  /// Lines that follow one another; fewer than asked for where they are long.
  ///
  /// - Parameter folds: states at the ends of the streams: those from before, and those that were reached.
  /// - Throws: `Problem.unavailable` when the time was over; what was read by then is in `folds`.
  func lines(
    _ wanted: Range<Int>, _ scope: LogScope, _ folds: inout Folds, bound: LogBound
  ) throws -> [LogLine] {
    let places = places(wanted, scope)
    var texts: [[Int: LogLine]] = [[:], [:]]
    for stream in streams.indices {
      let own = places.filter { $0.stream == stream }.map(\.rows)
      guard let first = own.first, let last = own.last else { continue }
      var bytes = 0
      try rows(first.lowerBound..<last.upperBound, of: stream, &folds[stream], bound: bound) {
        number, row, palette in
        let text = row.text(palette)
        bytes += text.utf8.count
        texts[stream][number] = line(number, row, text, stream)
        return bytes < Self.answerBytes
      }
    }
    var lines: [LogLine] = []
    var (number, bytes) = (wanted.lowerBound, 0)
    for place in places {
      for row in place.rows {
        guard var line = texts[place.stream][row] else { return lines }
        bytes += line.text.utf8.count
        // One line at least, or nobody would get any further.
        guard lines.isEmpty || bytes <= Self.answerBytes else { return lines }
        line.number = number
        lines.append(line)
        number += 1
      }
    }
    return lines
  }

  func line(_ number: Int, _ row: TerminalRow, _ text: String, _ stream: Int) -> LogLine {
    let view = streams[stream]
    return LogLine(
      number: number, time: view.time(of: row.end ?? view.tail.offset), stream: view.stream, text: text)
  }

  /// Rows of a stream as they are now, in order.
  ///
  /// - Parameters:
  ///   - fold: where the last reading ended; where this one ends at the stream's end, or its time is over, it is replaced.
  ///   - body: returns false to have no more.
  /// - Throws: `Problem.unavailable` when the time was over.
  func rows(
    _ wanted: Range<Int>, of stream: Int, _ fold: inout TerminalFold?, bound: LogBound,
    _ body: (Int, TerminalRow, [TerminalStyle]) -> Bool
  ) throws {
    guard !wanted.isEmpty else { return }
    let view = streams[stream]
    let restart = view.tail.restart(for: wanted.lowerBound)
    var state: TerminalFold
    if let known = fold, known.base <= wanted.lowerBound, known.offset >= restart.offset,
      known.offset <= view.tail.offset
    {
      state = known
    } else {
      state = TerminalFold(row: restart.row, offset: restart.offset, style: restart.style)
    }
    let bytes = try LogBytes(path: view.path)
    var goesOn = true
    func give(_ number: Int, _ row: TerminalRow, _ palette: [TerminalStyle]) {
      if goesOn, wanted.contains(number) { goesOn = body(number, row, palette) }
    }
    var isInTime = true
    bytes.read(from: state.offset, to: view.tail.offset, piece: 128 << 10) { piece in
      var done: [(Int, TerminalRow)] = []
      state.take(piece) { number, row in if wanted.contains(number) { done.append((number, row)) } }
      for (number, row) in done { give(number, row, state.palette) }
      guard goesOn, state.position.top < wanted.upperBound else { return false }
      isInTime = !bound.isOver || state.offset >= view.tail.offset
      return isInTime
    }
    guard isInTime else {
      // Rows that were not asked for have been passed: whoever asks again goes on from here.
      if state.base <= wanted.lowerBound, state.size < 1 << 20 { fold = state }
      throw bound.problem("The part of the log that was asked for", done: state.offset, of: view.tail.offset)
    }
    let kept = wanted.clamped(to: state.base..<max(state.base, state.end))
    for number in kept { if let row = state.row(number) { give(number, row, state.palette) } }
    if state.offset == view.tail.offset, state.size < 1 << 20 { fold = state }
  }

  /// The first line that was written at a moment or later.
  ///
  /// - Throws: `Problem.unavailable` when the time was over.
  func firstLine(at time: Timestamp, _ scope: LogScope, bound: LogBound) throws -> Int {
    let firsts = try scope.streams.map { stream -> Int in
      let index = stream == .stdout ? 0 : 1
      let view = streams[index]
      let record = view.times.partitionPoint { $0 >= time.microseconds }
      let offset = record == 0 ? 0 : view.sizes[record - 1]
      return number(of: try row(at: offset, in: view, bound: bound), in: index, scope)
    }
    return firsts.min() ?? 0
  }

  /// The row in which the cursor is when so many bytes of a stream were taken.
  private func row(at offset: Int, in view: LogStreamView, bound: LogBound) throws -> Int {
    let restarts = view.tail.restarts
    let restart = restarts[max(0, restarts.partitionPoint { $0.offset > offset } - 1)]
    var tracker = RowTracker(
      spacing: .max, offset: restart.offset, position: RowPosition(first: restart.row), isTouched: false,
      style: restart.style, restarts: [restart])
    try LogBytes(path: view.path).read(from: restart.offset, to: offset) { piece in
      tracker.take(piece)
      return !bound.isOver
    }
    guard tracker.offset >= offset || !bound.isOver else {
      throw bound.problem("The log before that time", done: tracker.offset, of: offset)
    }
    return tracker.closed
  }
}
