// Lines found by what is in them.

import MartletModel

extension LogView {
  /// Looks through all lines behind one, of both streams in step: where the time is over before all was searched, what lies
  /// before some line was, and the next page goes on there.
  ///
  /// - Parameters:
  ///   - after: the line behind which the search begins; nil: at the first.
  ///   - limit: lines that are given; all are counted.
  func search(
    _ pattern: LogPattern, _ scope: LogScope, after: Int?, limit: Int, bound: LogBound
  ) throws -> LogMatches {
    let start = after.map { $0 + 1 } ?? 0
    let searches = try scope.streams.map { $0 == .stdout ? 0 : 1 }.map { stream in
      try RowSearch(
        pattern, limit: limit, bound: bound, in: streams[stream], number: stream,
        from: firstRow(of: stream, from: start, scope))
    }
    func reached(_ search: RowSearch) -> Int { number(of: search.reached, in: search.number, scope) }
    while let next = searches.filter({ !$0.isDone }).min(by: { reached($0) < reached($1) }) {
      guard try next.step() else { break }
    }
    let rest = searches.filter { !$0.isDone }
    let frontier = rest.map(reached).min() ?? Int.max
    // What a stream found and did not keep, for the sake of memory, is not passed over.
    let dropped = searches.compactMap { search in
      search.dropped.map { number(of: $0, in: search.number, scope) }
    }
    let end = min(frontier, dropped.min() ?? Int.max)
    var hits = searches.flatMap { search in
      search.hits.map { (number: number(of: $0.row, in: search.number, scope), hit: $0, search: search) }
    }
    hits.sort { $0.number < $1.number }
    var page: [LogMatches.Item] = []
    var bytes = 0
    var marker = pattern.marker()
    let known = hits.prefix { $0.number < end }
    for (number, hit, search) in known.prefix(limit) {
      bytes += hit.text.utf8.count
      guard page.isEmpty || bytes <= Self.answerBytes else { break }
      let view = streams[search.number]
      let line = LogLine(
        number: number, time: view.time(of: hit.end ?? view.tail.offset), stream: view.stream, text: hit.text)
      page.append(LogMatches.Item(line: line, ranges: marker.ranges(in: hit.text)))
    }
    var next: Int?
    if page.count < known.count {
      next = page.last?.line.number
    } else if end < .max, end > start {
      next = end - 1
    }
    return LogMatches(
      count: searches.reduce(0) { $0 + $1.count }, isComplete: rest.isEmpty, items: page, next: next)
  }
}
