// Chunks read back.

import GRDB
import MartletModel
import MartletSeries

/// A chunk as its index tells of it: nothing of its columns is read.
struct ChunkEntry {
  var id: Int64
  var firstRow: Int64
  var rowCount: Int
  var minStep: Int64
  var maxStep: Int64

  var isFull: Bool { rowCount == SealedChunk.length }
  var end: Int64 { firstRow + Int64(rowCount) }

  func isWithin(_ steps: ClosedRange<Int64>) -> Bool {
    minStep >= steps.lowerBound && maxStep <= steps.upperBound
  }
}

/// One key's numbers in a chunk, as the index tells of them.
struct SeriesEntry {
  var id: Int64
  var firstRow: Int64
  var count: Int
  var isOrdered: Bool
  var highStep: Int64
}

extension StoreReader {
  /// The chunks of a run that have a row in a range of steps, or may have one, in order.
  func chunks(
    of run: Int64, steps: ClosedRange<Int64> = .min ... .max, from row: Int64 = 0
  ) throws -> [ChunkEntry] {
    let statement = try RawStatement(
      db,
      """
      SELECT id, first_row, row_count, min_step, max_step FROM row_chunk INDEXED BY row_chunk_by_run
      WHERE run_id = ? AND first_row >= ? AND max_step >= ? AND min_step <= ? ORDER BY first_row
      """)
    try statement.bind(1, run)
    try statement.bind(2, row)
    try statement.bind(3, steps.lowerBound)
    try statement.bind(4, steps.upperBound)
    var chunks: [ChunkEntry] = []
    while try statement.step() {
      chunks.append(
        ChunkEntry(
          id: statement.int(0), firstRow: statement.int(1), rowCount: Int(statement.int(2)),
          minStep: statement.int(3), maxStep: statement.int(4)))
    }
    return chunks
  }

  /// One key's numbers in the chunks of a run that begin from `first` to `last`, in order.
  func seriesEntries(
    of key: Int64, run: Int64, from first: Int64 = 0, to last: Int64 = .max
  ) throws -> [SeriesEntry] {
    let statement = try RawStatement(
      db,
      """
      SELECT id, first_row, count, is_ordered, high_step FROM series_chunk INDEXED BY series_chunk_by_run
      WHERE run_id = ? AND key_id = ? AND kind = 0 AND first_row >= ? AND first_row <= ? ORDER BY first_row
      """)
    try statement.bind(1, run)
    try statement.bind(2, key)
    try statement.bind(3, first)
    try statement.bind(4, last)
    var entries: [SeriesEntry] = []
    while try statement.step() {
      entries.append(
        SeriesEntry(
          id: statement.int(0), firstRow: statement.int(1), count: Int(statement.int(2)),
          isOrdered: statement.int(3) == 1, highStep: statement.int(4)))
    }
    return entries
  }

  /// The steps and times of a chunk's rows.
  func stepsAndTimes(of chunk: ChunkEntry) throws -> (steps: [Int64], times: [Int64]) {
    let statement = try RawStatement(db, "SELECT steps, times FROM row_chunk WHERE id = ?")
    try statement.bind(1, chunk.id)
    guard try statement.step() else { throw Problem.damagedChunk }
    defer { statement.reset() }
    return try (
      statement.withBlob(0) { try IntegerColumn.decode($0.orEmpty, count: chunk.rowCount) },
      statement.withBlob(1) { try IntegerColumn.decode($0.orEmpty, count: chunk.rowCount) }
    )
  }

  /// One key's numbers in a chunk of so many rows.
  func numbers(
    of entry: SeriesEntry, rowCount: Int
  ) throws -> (rows: RowBatch.Rows, values: [Double]) {
    let statement = try RawStatement(db, "SELECT presence, payload FROM series_chunk WHERE id = ?")
    try statement.bind(1, entry.id)
    guard try statement.step() else { throw Problem.damagedChunk }
    defer { statement.reset() }
    let rows = try statement.withBlob(0) { try Presence.decode($0, of: rowCount) }
    guard rows.count(of: rowCount) == entry.count else { throw Problem.damagedChunk }
    return (
      rows, try statement.withBlob(1) { try NumberColumn.decode($0.orEmpty, count: entry.count) }
    )
  }

  /// A chunk with all its columns, or some of them, as a block.
  ///
  /// - Parameters:
  ///   - keys: nil: all.
  ///   - kind: nil: both.
  ///   - rows: columns of texts without one of these are left out; nil: none is.
  func block(
    of chunk: ChunkEntry, run: Int64, keys: Set<Int64>? = nil, kind: SealedChunk.Column.Kind? = nil,
    rows wanted: Range<Int>? = nil
  ) throws -> RowBlock {
    let (steps, times) = try stepsAndTimes(of: chunk)
    var block = RowBlock(steps: steps, times: times)
    let statement = try RawStatement(
      db,
      """
      SELECT key_id, kind, count, presence, payload FROM series_chunk INDEXED BY series_chunk_by_row
      WHERE run_id = ? AND first_row = ? ORDER BY id
      """)
    try statement.bind(1, run)
    try statement.bind(2, chunk.firstRow)
    defer { statement.reset() }
    while try statement.step() {
      let key = statement.int(0)
      guard keys?.contains(key) ?? true, let found = SealedChunk.Column.Kind(rawValue: statement.int(1)),
        kind == nil || kind == found
      else { continue }
      let count = Int(statement.int(2))
      let total = found == .numbers ? chunk.rowCount : SealedChunk.length
      let rows = try statement.withBlob(3) { try Presence.decode($0, of: total) }
      guard rows.count(of: total) == count, rows.isWithin(chunk.rowCount, of: total) else {
        throw Problem.damagedChunk
      }
      if found == .texts, let wanted,
        !rows.indices(of: total).contains(where: { wanted.contains(Int($0)) })
      {
        continue
      }
      let values: RowBlock.Values = try statement.withBlob(4) { bytes in
        found == .numbers
          ? .numbers(try NumberColumn.decode(bytes.orEmpty, count: count))
          : .texts(try TextColumn.decode(bytes.orEmpty, count: count))
      }
      block.columns.append(RowBlock.Column(key: key, rows: rows, values: values))
    }
    return block
  }

  /// When a chunk's last rows came, and from whom all of them.
  func origins(of chunk: ChunkEntry) throws -> (origins: Origins, receivedAt: Int64) {
    let statement = try RawStatement(db, "SELECT origins, received_at FROM row_chunk WHERE id = ?")
    try statement.bind(1, chunk.id)
    guard try statement.step() else { throw Problem.damagedChunk }
    defer { statement.reset() }
    return (try statement.withBlob(0) { try Origins(decoding: $0.orEmpty) }, statement.int(1))
  }
}

extension Problem {
  static let damagedChunk = Problem(
    .internal, "A chunk of points in the database is damaged.", hint: "Run 'martlet doctor'.")
}

extension RowBatch.Rows {
  /// Whether all of these rows of `total` are below `count`.
  fileprivate func isWithin(_ count: Int, of total: Int) -> Bool {
    switch self {
    case .all: total <= count
    case .some(let rows): Int(rows.last ?? -1) < count
    }
  }
}

extension UnsafeRawBufferPointer? {
  var orEmpty: UnsafeRawBufferPointer { self ?? UnsafeRawBufferPointer(start: nil, count: 0) }
}
