// What is known of a log at one moment: a value, to read from while the log grows.

import MartletModel

/// One of the two outputs.
struct LogStreamView: Sendable {
  var stream: LogStream
  var path: String
  /// As far as the index of times goes.
  var tracker: RowTracker
  /// As far as the file goes.
  var tail: RowTracker
  /// What the index of times says: at `times[i]` the stream had `sizes[i]` bytes. Both increase.
  var sizes: [Int] = []
  var times: [Int64] = []

  /// When the byte before this place was written; nil: nobody noted it yet.
  func time(of end: Int) -> Timestamp? {
    let place = sizes.partitionPoint { $0 >= end }
    return place < times.count ? Timestamp(microseconds: times[place]) : nil
  }
}

/// Lines of one output that follow one another without a line of the other in between.
struct LogStretch: Sendable, Hashable {
  /// 0: standard output; 1: standard error.
  var stream: Int
  /// The first line, in its stream.
  var row: Int
  /// The same line among those of both.
  var number: Int
}

/// A log with its lines counted.
struct LogView: Sendable {
  var streams: [LogStreamView]
  /// In the order of the lines of both.
  var stretches: [LogStretch] = []
  /// Lines in `stretches`.
  var merged = 0
  /// Which of the stretches are a stream's.
  var ownStretches: [[Int]] = [[], []]

  init(directory: String, spacing: Int) {
    streams = LogStream.allCases.map { stream in
      let tracker = RowTracker(spacing: spacing)
      return LogStreamView(
        stream: stream, path: "\(directory)/\(stream.rawValue).log", tracker: tracker, tail: tracker)
    }
  }

  /// Adds lines of one stream that were closed next.
  mutating func add(_ rows: Range<Int>, of stream: Int) {
    guard !rows.isEmpty else { return }
    if stretches.last?.stream != stream {
      ownStretches[stream].append(stretches.count)
      stretches.append(LogStretch(stream: stream, row: rows.lowerBound, number: merged))
    }
    merged += rows.count
  }

  // MARK: - Numbers

  func total(_ scope: LogScope) -> Int {
    switch scope {
    case .stdout: streams[0].tail.end
    case .stderr: streams[1].tail.end
    case .all: merged + streams.reduce(0) { $0 + $1.tail.end - $1.tracker.closed }
    }
  }

  func settled(_ scope: LogScope) -> Int {
    switch scope {
    case .stdout: streams[0].tail.closed
    case .stderr: streams[1].tail.closed
    case .all: merged
    }
  }

  /// Which rows of which stream these lines are, in order.
  func places(_ lines: Range<Int>, _ scope: LogScope) -> [(stream: Int, rows: Range<Int>)] {
    let lines = lines.clamped(to: 0..<total(scope))
    guard !lines.isEmpty else { return [] }
    switch scope {
    case .stdout: return [(0, lines)]
    case .stderr: return [(1, lines)]
    case .all: break
    }
    var places: [(stream: Int, rows: Range<Int>)] = []
    var index = max(0, stretches.partitionPoint { $0.number > lines.lowerBound } - 1)
    while index < stretches.count, stretches[index].number < lines.upperBound {
      let stretch = stretches[index]
      let end = index + 1 < stretches.count ? stretches[index + 1].number : merged
      let part = lines.clamped(to: stretch.number..<end)
      if !part.isEmpty {
        let first = stretch.row + part.lowerBound - stretch.number
        places.append((stretch.stream, first..<first + part.count))
      }
      index += 1
    }
    // What the index of times does not have yet: standard output first.
    var number = merged
    for (stream, view) in streams.enumerated() {
      let count = view.tail.end - view.tracker.closed
      let part = lines.clamped(to: number..<number + count)
      if !part.isEmpty {
        let first = view.tracker.closed + part.lowerBound - number
        places.append((stream, first..<first + part.count))
      }
      number += count
    }
    return places
  }

  /// The number of a stream's row among the lines of a scope.
  func number(of row: Int, in stream: Int, _ scope: LogScope) -> Int {
    guard scope == .all else { return row }
    if row >= streams[stream].tracker.closed {
      let before = stream == 0 ? 0 : streams[0].tail.end - streams[0].tracker.closed
      return merged + before + row - streams[stream].tracker.closed
    }
    let own = ownStretches[stream]
    let place = own.partitionPoint { stretches[$0].row > row } - 1
    guard place >= 0 else { return 0 }
    return stretches[own[place]].number + row - stretches[own[place]].row
  }

  /// The first row of a stream whose line is not before this one.
  func firstRow(of stream: Int, from line: Int, _ scope: LogScope) -> Int {
    guard scope == .all else { return line }
    // The numbers of a stream's rows increase: the first that is large enough.
    var (low, high) = (0, streams[stream].tail.end)
    while low < high {
      let middle = (low + high) / 2
      if number(of: middle, in: stream, scope) < line { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension RandomAccessCollection where Index == Int {
  /// The first index from which on a condition holds, which never holds before.
  func partitionPoint(_ holds: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = low + (high - low) / 2
      if holds(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
