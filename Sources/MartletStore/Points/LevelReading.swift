// Long series in buckets, from the coarsest levels that are fine enough.

import MartletModel
import MartletSeries

/// How a series is put together: whole chunks of the window come from levels; its ragged ends, the tail, and chunks whose
/// blocks are too wide come as points.
///
/// A block is used where it spans at most half a bucket's width of steps, so that a bucket's border moves by less than a
/// quarter of its width. Where blocks are wider, as where a metric was logged rarely, the next finer level is read.
extension SeriesReading {
  private enum Piece {
    case points(PointColumn)
    case blocks([PointBlock])
  }

  /// - Parameter metric: its points in the window strictly increase in the order of their arrival.
  mutating func fromLevels(_ metric: Metric) throws -> Series? {
    // The ragged ends first: with them, the first and the last step and the number of points are known.
    var ragged: [Int: PointColumn] = [:]
    var count = metric.tail.count
    for (place, entry) in metric.entries {
      if isInner(place) {
        count += entry.count
      } else {
        let points = try points(entry, at: place)
        ragged[place] = points
        count += points.count
      }
    }
    guard count > buckets, let window = try bounds(of: metric, ragged) else {
      return try short(metric, ragged)
    }
    let width = (Self.span(window.lowerBound, window.upperBound) + 1) / Double(buckets)
    var reduction = Reduction(window: window, buckets: buckets)
    for piece in try pieces(of: metric, ragged, width: width) + [.points(metric.tail)] {
      switch piece {
      case .points(let points):
        reduction.add(steps: points.steps, times: points.times, values: points.values)
      case .blocks(let blocks):
        for block in blocks { reduction.add(block) }
      }
    }
    return series(metric.name, reduction, count: count)
  }

  /// Whether all rows of a chunk are in the window, and the chunk has levels.
  private func isInner(_ place: Int) -> Bool { chunks[place].isFull && chunks[place].isWithin(window) }

  /// A series that has no more points in the window than buckets were asked for.
  private mutating func short(_ metric: Metric, _ ragged: [Int: PointColumn]) throws -> Series? {
    var all = PointColumn()
    for (place, entry) in metric.entries {
      all.append(try ragged[place] ?? points(entry, at: place))
    }
    all.append(metric.tail)
    return all.count == 0 ? nil : rawSeries(metric.name, all)
  }

  /// The first and the last step of the points in the window.
  private func bounds(
    of metric: Metric, _ ragged: [Int: PointColumn]
  ) throws -> ClosedRange<Int64>? {
    func ends(_ place: Int) throws -> (first: Int64, last: Int64)? {
      if let points = ragged[place] {
        guard let first = points.steps.first, let last = points.steps.last else { return nil }
        return (first, last)
      }
      var found: (first: Int64, last: Int64)?
      let row = chunks[place].firstRow
      try reader.readLevel(0, run: run, key: metric.key, from: row, to: row + 1) { _, blocks in
        guard let first = blocks.first, let last = blocks.last else { return }
        found = (first.firstStep, last.lastStep)
      }
      guard found != nil else { throw Problem.damagedChunk }
      return found
    }
    var (low, high) = (metric.tail.steps.first, metric.tail.steps.last)
    for (place, _) in metric.entries {
      guard let first = try ends(place)?.first else { continue }
      low = first
      break
    }
    if high == nil {
      for (place, _) in metric.entries.reversed() {
        guard let last = try ends(place)?.last else { continue }
        high = last
        break
      }
    }
    guard let low, let high, low <= high else { return nil }
    return low...high
  }

  // MARK: - Levels

  /// From one step to a later one. Subtracted as integers: beyond 2^53, doubles are farther from each other than steps.
  private static func span(_ low: Int64, _ high: Int64) -> Double {
    Double(UInt64(bitPattern: high &- low))
  }

  /// Chunks `places`, which one level covers whole rows of.
  private struct Stretch {
    var level: Int
    var places: Range<Int>
  }

  private mutating func pieces(
    of metric: Metric, _ ragged: [Int: PointColumn], width: Double
  ) throws -> [Piece] {
    var entries: [Int: SeriesEntry] = [:]
    for (place, entry) in metric.entries { entries[place] = entry }
    var pieces: [Piece] = []
    for stretch in stretches(width: width) {
      if stretch.level < 0 {
        for place in stretch.places {
          if let points = ragged[place] { pieces.append(.points(points)) }
        }
      } else {
        try append(stretch, of: metric, entries, width: width, to: &pieces)
      }
    }
    return pieces
  }

  /// Cuts the chunks of the window into stretches of one level each; level −1 are the ragged ones.
  private func stretches(width: Double) -> [Stretch] {
    // How many inner chunks follow each other from here on.
    var inner = [Int](repeating: 0, count: chunks.count + 1)
    for place in chunks.indices.reversed() where isInner(place) {
      let isFollowed = place + 1 < chunks.count && chunks[place].end == chunks[place + 1].firstRow
      inner[place] = 1 + (isFollowed ? inner[place + 1] : 0)
    }
    var stretches: [Stretch] = []
    var place = 0
    while place < chunks.count {
      var (level, length) = (-1, 1)
      if inner[place] > 0 {
        (level, length) = (0, 1)
        let number = Int(chunks[place].firstRow) / SealedChunk.length
        var span = Levels.fanout
        while inner[place] >= span, number % span == 0, isNarrow(place, span / Levels.fanout, width) {
          (level, length) = (level + 1, span)
          span *= Levels.fanout
        }
      }
      if let last = stretches.last, last.level == level, last.places.upperBound == place {
        stretches[stretches.count - 1].places = last.places.lowerBound..<(place + length)
      } else {
        stretches.append(Stretch(level: level, places: place..<(place + length)))
      }
      place += length
    }
    return stretches
  }

  /// Whether so many chunks from `place` on span at most half a bucket: so does an entry of the level above them.
  private func isNarrow(_ place: Int, _ count: Int, _ width: Double) -> Bool {
    Self.span(chunks[place].minStep, chunks[place + count - 1].maxStep) <= width / 2
  }

  /// Reads a stretch from its level, and rows that are too wide there from finer ones.
  private mutating func append(
    _ stretch: Stretch, of metric: Metric, _ entries: [Int: SeriesEntry], width: Double,
    to pieces: inout [Piece]
  ) throws {
    guard let first = stretch.places.first, let last = stretch.places.last else { return }
    let (start, end) = (chunks[first].firstRow, chunks[last].end)
    var rows: [Int64: [PointBlock]] = [:]
    try reader.readLevel(stretch.level, run: run, key: metric.key, from: start, to: end) { row, blocks in
      rows[row] = blocks
    }
    var length = 1
    for _ in 0..<stretch.level { length *= Levels.fanout }
    for place in stride(from: first, through: last, by: length) {
      let blocks = rows[chunks[place].firstRow] ?? []
      let isFine = blocks.allSatisfy { Self.span($0.firstStep, $0.lastStep) <= width / 2 }
      if isFine, !blocks.isEmpty {
        pieces.append(.blocks(blocks))
      } else if stretch.level > 0 {
        try append(
          Stretch(level: stretch.level - 1, places: place..<(place + length)), of: metric, entries,
          width: width, to: &pieces)
      } else if let entry = entries[place] {
        pieces.append(.points(try points(entry, at: place)))
      }
    }
  }
}
