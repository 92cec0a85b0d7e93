// Histories: rows given back as they came.

import GRDB
package import MartletModel
package import MartletSeries

/// A part of a run's history, in the order of arrival.
package struct HistoryPage: Sendable {
  package var rows: [HistoryRow]
  /// What to ask for rows after; nil: there are no more.
  package var next: Int64?
}

extension StoreReader {
  /// Rows of a run, in the order in which they came.
  ///
  /// - Parameters:
  ///   - keys: only rows that have one of these, with no other names; nil: all rows whole.
  ///   - row: the number of the last row before; nil: from the first.
  ///   - limit: rows, at most; 1 or more.
  /// - Throws: `Problem.notFound`; `internal` where the database is damaged.
  package func history(
    run id: PublicID, keys: [String]?, fromStep: Int64?, toStep: Int64?, after row: Int64?, limit: Int
  ) throws -> HistoryPage {
    let run = try requireRunRow(id)
    let (low, high) = (fromStep ?? .min, toStep ?? .max)
    guard low <= high else { return HistoryPage(rows: []) }
    let names = try loggedNames(of: run, only: keys)
    let wanted = keys == nil ? nil : Set(names.keys)
    if let wanted, wanted.isEmpty { return HistoryPage(rows: []) }
    var reading = HistoryReading(names: names, isPartial: keys != nil, steps: low...high, limit: limit)
    let start = row.map { $0 < .max ? $0 + 1 : $0 } ?? 0
    let first = max(0, start / Int64(SealedChunk.length) * Int64(SealedChunk.length))
    for chunk in try chunks(of: run, steps: low...high, from: first) where chunk.end > start {
      let block = try block(of: chunk, run: run, keys: wanted)
      let skipped = Int(max(0, start - chunk.firstRow))
      guard reading.take(block, firstRow: chunk.firstRow, skipping: skipped) else { break }
    }
    if reading.next == nil {
      try readTail(of: run, keys: wanted, steps: low...high, from: start) { tail in
        reading.take(
          tail.block, firstRow: tail.firstRow,
          skipping: max(tail.sealed, Int(max(0, start - tail.firstRow))))
      }
    }
    return HistoryPage(rows: reading.rows, next: reading.next)
  }

  /// Every name under which something was logged in a run, by key.
  private func loggedNames(of run: Int64, only names: [String]?) throws -> [Int64: String] {
    if let names {
      var found: [Int64: String] = [:]
      for name in names.map(\.inNormalForm) {
        let key = try Int64.fetchOne(
          db.cachedStatement(sql: "SELECT id FROM metric_key WHERE name = ?"), arguments: [name])
        if let key { found[key] = name }
      }
      return found
    }
    let rows = try Row.fetchAll(
      db,
      sql: """
        SELECT id, name FROM metric_key WHERE id IN (
          SELECT key_id FROM metric_summary WHERE run_id = ?1
          UNION SELECT key_id FROM logged_value WHERE run_id = ?1)
        """, arguments: [run])
    return Dictionary(rows.map { ($0["id"] as Int64, $0["name"] as String) }) { $1 }
  }
}

/// Gathers a page.
private struct HistoryReading {
  let names: [Int64: String]
  /// Rows without a value are left out.
  let isPartial: Bool
  let steps: ClosedRange<Int64>
  let limit: Int
  var rows: [HistoryRow] = []
  /// Set when a row was met that no longer fits in.
  var next: Int64?

  /// Takes rows of a block or chunk until the page is full; says whether more fit in.
  mutating func take(_ block: RowBlock, firstRow: Int64, skipping skipped: Int) -> Bool {
    var has = [Bool](repeating: !isPartial, count: block.steps.count)
    if isPartial {
      for column in block.columns {
        for row in column.rows.indices(of: block.steps.count) { has[Int(row)] = true }
      }
    }
    let start = rows.count
    var places = [Int32](repeating: -1, count: block.steps.count)
    for row in skipped..<max(skipped, block.steps.count) where has[row] && steps.contains(block.steps[row]) {
      guard rows.count < limit else {
        next = rows.last?.row
        break
      }
      places[row] = Int32(rows.count)
      rows.append(
        HistoryRow(row: firstRow + Int64(row), step: block.steps[row], time: block.times[row]))
    }
    guard rows.count > start else { return next == nil }
    for column in block.columns {
      guard let name = names[column.key] else { continue }
      let rows = column.rows.indices(of: block.steps.count)
      switch column.values {
      case .numbers(let values):
        for (row, value) in zip(rows, values) where places[Int(row)] >= 0 {
          self.rows[Int(places[Int(row)])].numbers.append((name, value))
        }
      case .texts(let values):
        for (row, value) in zip(rows, values) where places[Int(row)] >= 0 {
          self.rows[Int(places[Int(row)])].texts.append((name, value))
        }
      }
    }
    return next == nil
  }
}
