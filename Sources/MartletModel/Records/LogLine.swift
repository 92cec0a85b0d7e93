// Logs as lines: what a terminal would show of a run's output.

/// Which output of a run: one of the two, or both as they came.
public enum LogScope: String, Sendable, CaseIterable {
  case stdout, stderr, all

  /// Of both, standard output first.
  public var streams: [LogStream] {
    switch self {
    case .stdout: [.stdout]
    case .stderr: [.stderr]
    case .all: [.stdout, .stderr]
    }
  }
}

/// One line of a log.
public struct LogLine: Sendable, Hashable {
  /// From 0 in its log and scope.
  public var number: Int
  /// When its end was written; nil: nobody noted it yet.
  public var time: Timestamp?
  public var stream: LogStream
  /// Without its end, with its colours as SGR sequences in normal form.
  public var text: String

  public init(number: Int, time: Timestamp?, stream: LogStream, text: String) {
    (self.number, self.time, self.stream, self.text) = (number, time, stream, text)
  }

  public var json: JSONValue {
    [
      "n": .int(Int64(number)), "at": JSONValue(time), "stream": .string(stream.rawValue),
      "text": .string(text),
    ]
  }
}

/// Lines that follow one another.
public struct LogLinePage: Sendable, Hashable {
  /// Which attempt, or which client's log of a run from outside; 0: there is none.
  public var attempt: Int
  /// How many there are.
  public var attempts: Int
  /// Lines that the log has by now.
  public var total: Int
  /// Lines before this one are closed: their ends were written, and their numbers stand.
  public var settled: Int
  /// Nothing is awaited any more.
  public var ended: Bool
  public var items: [LogLine]

  public init(attempt: Int, attempts: Int, total: Int, settled: Int, ended: Bool, items: [LogLine]) {
    (self.attempt, self.attempts, self.total) = (attempt, attempts, total)
    (self.settled, self.ended, self.items) = (settled, ended, items)
  }

  public var json: JSONValue {
    [
      "attempt": .int(Int64(attempt)), "attempts": .int(Int64(attempts)), "total": .int(Int64(total)),
      "settled": .int(Int64(settled)), "ended": .bool(ended), "items": .array(items.map(\.json)),
    ]
  }
}

/// Lines in which something was found.
public struct LogMatches: Sendable, Hashable {
  public struct Item: Sendable, Hashable {
    /// Its text is without colours.
    public var line: LogLine
    /// Where in the text: units of UTF-16.
    public var ranges: [Range<Int>]

    public init(line: LogLine, ranges: [Range<Int>]) { (self.line, self.ranges) = (line, ranges) }
  }

  /// Lines with a match, behind the one after which was searched.
  public var count: Int
  /// False: the time was over before all was searched, so there may be more.
  public var isComplete: Bool
  public var items: [Item]
  /// After which line to go on; nil: there are no more.
  public var next: Int?

  public init(count: Int, isComplete: Bool, items: [Item], next: Int?) {
    (self.count, self.isComplete, self.items, self.next) = (count, isComplete, items, next)
  }

  public var json: JSONValue {
    let list = items.map { item -> JSONValue in
      let ranges = item.ranges.map { range -> JSONValue in
        [.int(Int64(range.lowerBound)), .int(Int64(range.upperBound))]
      }
      return item.line.json.merging(["ranges": .array(ranges)])
    }
    return [
      "count": .int(Int64(count)), "complete": .bool(isComplete), "items": .array(list),
      "next": JSONValue(next),
    ]
  }
}
