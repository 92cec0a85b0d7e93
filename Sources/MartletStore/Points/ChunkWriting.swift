// Chunks written, and the levels above them.

import GRDB
import MartletModel
import MartletSeries

extension StoreReader {
  /// The highest steps of numbers under each key in a run's chunks below `row`.
  func highSteps(of keys: some Sequence<Int64>, run: Int64, before row: Int64) throws -> [Int64: Int64] {
    let statement = try RawStatement(
      db,
      """
      SELECT high_step FROM series_chunk INDEXED BY series_chunk_by_run
      WHERE run_id = ? AND key_id = ? AND kind = 0 AND first_row < ? ORDER BY first_row DESC LIMIT 1
      """)
    var steps: [Int64: Int64] = [:]
    for key in keys {
      try statement.bind(1, run)
      try statement.bind(2, key)
      try statement.bind(3, row)
      if try statement.step() { steps[key] = statement.int(0) }
      statement.reset()
    }
    return steps
  }
}

extension StoreWriter {
  /// Writes a chunk behind the last one of its run, and the rows of levels that it completes.
  func insert(_ chunk: SealedChunk, run: Int64) throws {
    let rows = try RawStatement(
      db,
      """
      INSERT INTO row_chunk (run_id, first_row, row_count, min_step, max_step, received_at, origins, steps, times)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    try rows.bind(1, run)
    try rows.bind(2, chunk.firstRow)
    try rows.bind(3, chunk.rowCount)
    try rows.bind(4, chunk.steps.lowerBound)
    try rows.bind(5, chunk.steps.upperBound)
    try rows.bind(6, chunk.receivedAt)
    try rows.bind(7, chunk.origins)
    try rows.bind(8, chunk.stepBytes)
    try rows.bind(9, chunk.timeBytes)
    try rows.run()
    let columns = try RawStatement(
      db,
      """
      INSERT INTO series_chunk (run_id, key_id, kind, first_row, count, is_ordered, high_step, presence, payload)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    for column in chunk.columns {
      try columns.bind(1, run)
      try columns.bind(2, column.key)
      try columns.bind(3, column.kind.rawValue)
      try columns.bind(4, chunk.firstRow)
      try columns.bind(5, column.count)
      try columns.bind(6, column.isOrdered.map { $0 ? 1 : 0 })
      try columns.bind(7, column.highStep)
      try columns.bind(8, column.presence)
      try columns.bind(9, column.payload)
      try columns.run()
      if let level = column.level {
        try insertLevel(level, run: run, key: column.key, level: 0, firstRow: chunk.firstRow)
      }
    }
    if chunk.isFull { try completeLevels(run: run, end: chunk.end) }
  }

  private func insertLevel(_ payload: [UInt8], run: Int64, key: Int64, level: Int, firstRow: Int64) throws {
    let statement = try RawStatement(
      db, "INSERT INTO series_level (run_id, key_id, level, first_row, payload) VALUES (?, ?, ?, ?, ?)")
    try statement.bind(1, run)
    try statement.bind(2, key)
    try statement.bind(3, level)
    try statement.bind(4, firstRow)
    try statement.bind(5, payload)
    try statement.run()
  }

  /// Makes the rows of level 1 and above that end with `end`: each from the 32 rows, at most, below it.
  private func completeLevels(run: Int64, end: Int64) throws {
    var level = 1
    var span = Int64(SealedChunk.length * Levels.fanout)
    while end % span == 0 {
      let first = end - span
      for key in try orderedKeys(of: run, from: first, to: end) {
        var blocks: [PointBlock] = []
        try readLevel(level - 1, run: run, key: key, from: first, to: end) { _, below in
          if let block = Levels.merged(below) { blocks.append(block) }
        }
        guard !blocks.isEmpty else { continue }
        try insertLevel(Levels.encode(blocks), run: run, key: key, level: level, firstRow: first)
      }
      level += 1
      span *= Int64(Levels.fanout)
    }
  }

  /// Keys whose numbers in a run's chunks from `first` up to `end` are ordered: others have no levels.
  private func orderedKeys(of run: Int64, from first: Int64, to end: Int64) throws -> [Int64] {
    let statement = try RawStatement(
      db,
      """
      SELECT key_id FROM series_chunk INDEXED BY series_chunk_by_row
      WHERE run_id = ? AND first_row >= ? AND first_row < ? AND kind = 0 GROUP BY key_id HAVING min(is_ordered) = 1
      """)
    try statement.bind(1, run)
    try statement.bind(2, first)
    try statement.bind(3, end)
    var keys: [Int64] = []
    while try statement.step() { keys.append(statement.int(0)) }
    return keys
  }

  /// Removes the chunk of a run that begins with `row`, but not the levels above it.
  func removeChunk(of run: Int64, at row: Int64) throws {
    for table in ["row_chunk", "series_chunk"] {
      let statement = try RawStatement(db, "DELETE FROM \(table) WHERE run_id = ? AND first_row = ?")
      try statement.bind(1, run)
      try statement.bind(2, row)
      try statement.run()
    }
  }

  /// Removes every row of a level that covers any row of the run from `row` up to `end`, the last chunk's.
  func removeLevels(of run: Int64, from row: Int64, end: Int64) throws {
    // By key, with which the index begins.
    let keys = try Int64.fetchAll(
      db, sql: "SELECT key_id FROM metric_summary WHERE run_id = ?", arguments: [run])
    let statement = try RawStatement(
      db, "DELETE FROM series_level WHERE run_id = ? AND key_id = ? AND level = ? AND first_row > ?")
    var (level, span) = (0, Int64(SealedChunk.length))
    while span <= end {
      for key in keys {
        try statement.bind(1, run)
        try statement.bind(2, key)
        try statement.bind(3, level)
        try statement.bind(4, row - span)
        try statement.run()
      }
      level += 1
      span *= Int64(Levels.fanout)
    }
  }
}

extension StoreReader {
  /// The rows of one level of a series that begin from `first` up to `end`.
  func readLevel(
    _ level: Int, run: Int64, key: Int64, from first: Int64, to end: Int64,
    _ body: (_ firstRow: Int64, [PointBlock]) throws -> Void
  ) throws {
    let statement = try RawStatement(
      db,
      """
      SELECT first_row, payload FROM series_level
      WHERE run_id = ? AND key_id = ? AND level = ? AND first_row >= ? AND first_row < ? ORDER BY first_row
      """)
    try statement.bind(1, run)
    try statement.bind(2, key)
    try statement.bind(3, level)
    try statement.bind(4, first)
    try statement.bind(5, end)
    defer { statement.reset() }
    while try statement.step() {
      let blocks = try statement.withBlob(1) { bytes in
        try Levels.decode(bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
      }
      try body(statement.int(0), blocks)
    }
  }
}
