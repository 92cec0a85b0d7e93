// Histories: rows given back as they came.

import GRDB
package import MartletModel
package import MartletSeries

/// A part of a run's history, in the order of arrival; it may end before its limit where rows hold many texts.
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
    // Rows count from 0: whatever lies before them is as -1.
    let start = row.map { max(-1, min($0, .max - 1)) + 1 } ?? 0
    let first = max(0, start / Int64(SealedChunk.length) * Int64(SealedChunk.length))
    for chunk in try chunks(of: run, steps: low...high, from: first) where chunk.end > start {
      let skipped = Int(max(0, start - chunk.firstRow))
      // Where every row counts, those that the page can take are known before.
      let isWhole = keys == nil && fromStep == nil && toStep == nil
      let rows = isWhole ? skipped..<max(skipped, min(chunk.rowCount, skipped + reading.left)) : nil
      let block = try block(of: chunk, run: run, keys: wanted, rows: rows)
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
  /// Of texts, in `rows`.
  private var bytes = 0

  /// Bytes of texts at which a page ends before its limit.
  private static let byteLimit = 16 << 20

  var left: Int { max(0, limit - rows.count) }

  init(names: [Int64: String], isPartial: Bool, steps: ClosedRange<Int64>, limit: Int) {
    (self.names, self.isPartial, self.steps, self.limit) = (names, isPartial, steps, limit)
  }

  /// Takes rows of a block or chunk until the page is full; says whether more fit in.
  mutating func take(_ block: RowBlock, firstRow: Int64, skipping skipped: Int) -> Bool {
    var has = [Bool](repeating: !isPartial, count: block.steps.count)
    if isPartial {
      for column in block.columns {
        for row in column.rows.indices(of: block.steps.count) { has[Int(row)] = true }
      }
    }
    let start = rows.count
    let sizes = textBytes(of: block)
    var places = [Int32](repeating: -1, count: block.steps.count)
    for row in skipped..<max(skipped, block.steps.count) where has[row] && steps.contains(block.steps[row]) {
      guard rows.count < limit, bytes < Self.byteLimit else {
        next = rows.last?.row
        break
      }
      places[row] = Int32(rows.count)
      bytes += sizes?[row] ?? 0
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

  /// By row; nil: there are no texts.
  private func textBytes(of block: RowBlock) -> [Int]? {
    var sizes: [Int]?
    for column in block.columns where names[column.key] != nil {
      guard case .texts(let values) = column.values else { continue }
      var known = sizes ?? [Int](repeating: 0, count: block.steps.count)
      for (row, value) in zip(column.rows.indices(of: block.steps.count), values) {
        known[Int(row)] += value.count
      }
      sizes = known
    }
    return sizes
  }
}
