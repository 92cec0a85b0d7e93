// The points of logged metrics, by step, a piece at a time.

import MartletModel
import MartletSeries

/// Reads several metrics of one run side by side, in one snapshot.
///
/// A metric whose steps increase as they came is read chunk by chunk; another one is read whole and sorted. Chunks share
/// their steps and times, of which the last few are kept: metrics of one run go through them together.
struct LeafPoints {
  private struct Leaf {
    /// Its numbers in chunks, by the chunk's place.
    var entries: [(place: Int, entry: SeriesEntry)] = []
    var next = 0
    var tail = PointColumn()
    var isOrdered = true
    var hasGivenTail = false
  }

  private let reader: StoreReader
  private let effort: DerivedEffort
  private let steps: ClosedRange<Int64>
  private let chunks: [ChunkEntry]
  private var leaves: [Leaf]
  private var decoded: [Int: (steps: [Int64], times: [Int64])] = [:]

  private static let keptChunks = 16

  /// - Parameters:
  ///   - keys: of the metrics; nil: one that the run has not logged.
  ///   - steps: that are asked for.
  ///   - effort: counts the points that are read.
  init(
    _ reader: StoreReader, run: Int64, keys: [Int64?], steps: ClosedRange<Int64>, _ effort: DerivedEffort
  ) throws {
    (self.reader, self.steps, self.effort) = (reader, steps, effort)
    let chunks = try reader.chunks(of: run, steps: steps)
    var leaves = keys.map { _ in Leaf() }
    if let first = chunks.first?.firstRow, let last = chunks.last?.firstRow {
      for (index, key) in keys.enumerated() {
        guard let key else { continue }
        var place = 0
        for entry in try reader.seriesEntries(of: key, run: run, from: first, to: last) {
          while place < chunks.count, chunks[place].firstRow < entry.firstRow { place += 1 }
          guard place < chunks.count else { break }
          if chunks[place].firstRow == entry.firstRow { leaves[index].entries.append((place, entry)) }
        }
      }
    }
    let places = Dictionary(keys.enumerated().compactMap { index, key in key.map { ($0, index) } }) { $1 }
    try reader.readTail(of: run, keys: Set(places.keys), steps: steps) { tail in
      for column in tail.block.columns {
        guard case .numbers(let values) = column.values, let index = places[column.key] else { continue }
        leaves[index].tail.append(
          rows: column.rows, values: values, steps: tail.block.steps, times: tail.block.times,
          skipping: tail.sealed, window: steps)
      }
      return true
    }
    for index in leaves.indices {
      let high = leaves[index].entries.map(\.entry.highStep).max()
      leaves[index].isOrdered =
        leaves[index].entries.allSatisfy(\.entry.isOrdered) && leaves[index].tail.isOrdered
        && (leaves[index].tail.steps.first.map { step in high.map { step > $0 } ?? true } ?? true)
    }
    (self.chunks, self.leaves) = (chunks, leaves)
  }

  /// The next points of a metric, above all before; nil: there are no more.
  mutating func next(_ index: Int) throws -> PointRun? {
    guard leaves[index].isOrdered else {
      var all = PointColumn()
      for (place, entry) in leaves[index].entries { all.append(try points(entry, at: place)) }
      all.append(leaves[index].tail)
      (leaves[index].isOrdered, leaves[index].hasGivenTail) = (true, true)
      leaves[index].next = leaves[index].entries.count
      return PointRun(all.ordered())
    }
    while leaves[index].next < leaves[index].entries.count {
      let (place, entry) = leaves[index].entries[leaves[index].next]
      leaves[index].next += 1
      let points = try points(entry, at: place)
      if points.count > 0 { return PointRun(points) }
    }
    guard !leaves[index].hasGivenTail else { return nil }
    leaves[index].hasGivenTail = true
    return PointRun(leaves[index].tail)
  }

  private mutating func points(_ entry: SeriesEntry, at place: Int) throws -> PointColumn {
    let chunk = chunks[place]
    let columns: (steps: [Int64], times: [Int64])
    if let known = decoded[place] {
      columns = known
    } else {
      columns = try reader.stepsAndTimes(of: chunk)
      if decoded.count >= Self.keptChunks { decoded = [:] }
      decoded[place] = columns
    }
    try effort.spend(entry.count)
    let (rows, values) = try reader.numbers(of: entry, rowCount: chunk.rowCount)
    var points = PointColumn()
    points.append(
      rows: rows, values: values, steps: columns.steps, times: columns.times,
      window: chunk.isWithin(steps) ? nil : steps)
    return points
  }
}

extension PointRun {
  fileprivate init(_ points: PointColumn) {
    self.init(steps: points.steps, times: points.times, values: points.values)
  }
}
