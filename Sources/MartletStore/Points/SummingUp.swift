// Summaries computed from the points themselves.

import GRDB
import MartletModel
import MartletSeries

/// What the points of a run sum up to.
struct RunSum {
  var rows: Int64 = 0
  var points: Int64 = 0
  var lastStep: Int64?
  var metrics: [Int64: RunningSummary] = [:]
  /// Of everything that is no number, what was logged last.
  var texts: [Int64: (value: [UInt8], step: Int64)] = [:]

  /// Takes in rows that arrived later, but for the numbers of some keys.
  mutating func add(_ block: RowBlock, skipping skipped: Int = 0, without keys: Set<Int64> = []) {
    for column in block.columns {
      let rows = column.rows.indices(of: block.steps.count)
      switch column.values {
      case .numbers(let values):
        guard !keys.contains(column.key) else { continue }
        var summary = metrics[column.key] ?? RunningSummary()
        for (row, value) in zip(rows, values) where Int(row) >= skipped {
          _ = summary.add(value, step: block.steps[Int(row)], time: block.times[Int(row)])
        }
        if summary.count > 0 { metrics[column.key] = summary }
      case .texts(let values):
        for (row, value) in zip(rows, values) where Int(row) >= skipped {
          let step = block.steps[Int(row)]
          if step >= texts[column.key]?.step ?? .min { texts[column.key] = (value, step) }
        }
      }
    }
  }

  mutating func count(rows: Int, upTo step: Int64?) {
    self.rows += Int64(rows)
    if let step { lastStep = max(lastStep ?? step, step) }
  }
}

extension StoreReader {
  /// Sums up what a run has.
  ///
  /// - Parameter readsAll: every point is read; else full chunks whose steps increase are summed up from their levels.
  func sum(of run: Int64, readsAll: Bool) throws -> RunSum {
    var sum = RunSum()
    let chunks = try chunks(of: run)
    let leveled = readsAll ? [:] : try leveledSeries(of: run)
    for key in leveled.keys {
      var summary = RunningSummary()
      try readLevel(0, run: run, key: key, from: 0, to: .max) { _, blocks in
        for block in blocks { summary.addAggregates(of: block) }
      }
      if summary.count > 0 { sum.metrics[key] = summary }
    }
    let keys = Set(leveled.keys)
    let others = try loggedKeys(of: run, but: keys)
    for chunk in chunks {
      sum.count(rows: chunk.rowCount, upTo: chunk.maxStep)
      guard !chunk.isFull || !others.isEmpty else { continue }
      let block = try block(of: chunk, run: run, keys: chunk.isFull ? others : nil)
      sum.add(block, without: chunk.isFull ? keys : [])
    }
    for (key, last) in leveled {
      guard let chunk = chunks.first(where: { $0.firstRow == last.firstRow }), chunk.isFull else { continue }
      let (steps, times) = try stepsAndTimes(of: chunk)
      let (rows, values) = try numbers(of: last, rowCount: chunk.rowCount)
      guard let row = rows.indices(of: chunk.rowCount).last, let value = values.last else { continue }
      sum.metrics[key]?.last = value
      sum.metrics[key]?.lastStep = steps[Int(row)]
      sum.metrics[key]?.lastTime = times[Int(row)]
    }
    try readTail(of: run) { tail in
      let steps = tail.block.steps[tail.sealed...]
      sum.count(rows: steps.count, upTo: steps.max())
      sum.add(tail.block, skipping: tail.sealed)
      return true
    }
    sum.points = sum.metrics.values.reduce(0) { $0 + $1.count }
    return sum
  }

  /// Keys whose numbers increase in step through all chunks, and the last entry of each.
  private func leveledSeries(of run: Int64) throws -> [Int64: SeriesEntry] {
    let keys = try Int64.fetchAll(
      db,
      sql: """
        SELECT key_id FROM series_chunk INDEXED BY series_chunk_by_run WHERE run_id = ? AND kind = 0
        GROUP BY key_id HAVING min(is_ordered) = 1
        """, arguments: [run])
    var found: [Int64: SeriesEntry] = [:]
    for key in keys { found[key] = try seriesEntries(of: key, run: run).last }
    return found
  }

  /// Keys that a run's chunks have texts of, or numbers other than those of `leveled`.
  private func loggedKeys(of run: Int64, but leveled: Set<Int64>) throws -> Set<Int64> {
    let rows = try Row.fetchAll(
      db,
      sql: "SELECT DISTINCT key_id, kind FROM series_chunk INDEXED BY series_chunk_by_run WHERE run_id = ?",
      arguments: [run])
    return Set(
      rows.compactMap { row -> Int64? in
        let key: Int64 = row["key_id"]
        return row["kind"] as Int64 == SealedChunk.Column.Kind.numbers.rawValue && leveled.contains(key)
          ? nil : key
      })
  }
}

extension StoreWriter {
  /// Writes a run's summaries and counts anew, from what it has, which was changed otherwise than by appending.
  func sumUp(_ run: Int64) throws {
    let sum = try sum(of: run, readsAll: false)
    for table in ["metric_summary", "logged_value"] {
      try db.execute(sql: "DELETE FROM \(table) WHERE run_id = ?", arguments: [run])
    }
    for (key, summary) in sum.metrics { try insertSummary(summary, key, run: run, nil) }
    try refreshBest(of: run)
    for (key, text) in sum.texts {
      let statement = try RawStatement(
        db, "INSERT INTO logged_value (run_id, key_id, value, last_step) VALUES (?, ?, ?, ?)")
      try statement.bind(1, run)
      try statement.bind(2, key)
      try statement.bind(3, text: text.value)
      try statement.bind(4, text.step)
      try statement.run()
    }
    try db.execute(
      sql: "UPDATE run SET rows = ?, points = ?, last_step = ?, rewrites = rewrites + 1 WHERE id = ?",
      arguments: [sum.rows, sum.points, sum.lastStep, run])
    hot.forget(run)
    hot.tell(.rewritten(run: run))
  }
}
