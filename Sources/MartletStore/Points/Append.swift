// Points on their way in: counted once, laid into a block, summed up, in one transaction.

import Foundation
import GRDB
package import MartletModel
import MartletSeries
import OrderedCollections

/// A row after it was stored: its step is known.
package struct StoredRow: Sendable {
  package var step: Int64
  package var time: Timestamp
  package var numbers: [(name: String, value: Double)]

  package init(step: Int64, time: Timestamp, numbers: [(name: String, value: Double)]) {
    self.step = step
    self.time = time
    self.numbers = numbers
  }
}

extension StoreWriter {
  /// Appends one client's rows to a run; those that it has already change nothing.
  ///
  /// - Throws: `Problem`: `notFound`; `conflict` with `details.next_seq` when rows are missing before these;
  ///   `unprocessable` when the run would have more than `keyLimit` metrics.
  package func append(
    _ rows: [LogRow], to run: PublicID, client: String, keyLimit: Int, now: Timestamp
  ) throws -> (receipt: AppendReceipt, stored: [StoredRow]) {
    let row = try requireRunRow(run)
    let next =
      try Int64.fetchOne(
        db, sql: "SELECT next_seq FROM client WHERE run_id = ? AND client = ?", arguments: [row, client]) ?? 0
    let fresh = rows.drop { $0.sequence < next }
    guard let first = fresh.first else {
      return (AppendReceipt(accepted: 0, duplicates: rows.count, nextSequence: next), [])
    }
    guard first.sequence == next else {
      throw Problem(
        .conflict, "Row \(first.sequence) of client '\(client)' came, but row \(next) is expected.",
        hint: "Send again from row \(next).", details: ["next_seq": .int(next)])
    }
    for (place, following) in zip(fresh, fresh.dropFirst()) where following.sequence != place.sequence + 1 {
      throw Problem(
        .unprocessable,
        "Row \(following.sequence) of client '\(client)' follows row \(place.sequence) in one batch.",
        hint: "Rows are numbered without gaps.")
    }
    let state = try Row.fetchOne(
      db,
      sql:
        "SELECT rows, last_step, created_by, state = 'lost' AND is_executed = 0 AS is_lost FROM run WHERE id = ?",
      arguments: [row])
    var summed = Summed(lastStep: state?["last_step"])
    for row in fresh { summed.add(row) }

    try writeSummaries(summed, run: row, keyLimit: keyLimit)
    let block = try block(of: fresh, steps: summed.steps)
    try db.cachedStatement(
      sql: """
        INSERT INTO row_block (run_id, first_row, row_count, client, first_seq, min_step, max_step, received_at,
          payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """
    ).execute(arguments: [
      row, (state?["rows"] as Int64?) ?? 0, fresh.count, client, first.sequence, summed.steps.min(),
      summed.steps.max(), now.microseconds, Data(block.encoded()),
    ])
    let end = next + Int64(fresh.count)
    try db.cachedStatement(
      sql: """
        INSERT INTO client (run_id, client, next_seq) VALUES (?, ?, ?)
        ON CONFLICT (run_id, client) DO UPDATE SET next_seq = excluded.next_seq
        """
    ).execute(arguments: [row, client, end])
    try db.cachedStatement(
      sql: "UPDATE run SET rows = rows + ?, points = points + ?, last_step = ?, last_seen_at = ? WHERE id = ?"
    ).execute(arguments: [fresh.count, summed.points, summed.lastStep, now.microseconds, row])
    if state?["is_lost"] == true, let creator = try principal(row: state?["created_by"] ?? 0) {
      try setRunState(row, .running, exit: nil, by: creator, now: now)
    }
    let stored = zip(fresh, summed.steps).map { StoredRow(step: $1, time: $0.time, numbers: $0.numbers) }
    return (
      AppendReceipt(accepted: fresh.count, duplicates: rows.count - fresh.count, nextSequence: end), stored
    )
  }

  /// The id of a metric's name, which is made where it is missing.
  private func keyID(_ name: String) throws -> Int64 {
    let name = name.inNormalForm
    let known = try db.cachedStatement(sql: "SELECT id FROM metric_key WHERE name = ?")
    if let id = try Int64.fetchOne(known, arguments: [name]) { return id }
    try db.cachedStatement(sql: "INSERT INTO metric_key (name) VALUES (?)").execute(arguments: [name])
    return db.lastInsertedRowID
  }

  private func block(of rows: ArraySlice<LogRow>, steps: [Int64]) throws -> RowBlock {
    var numbers: [String: (rows: [Int32], values: [Double])] = [:]
    var texts: [String: (rows: [Int32], values: [[UInt8]])] = [:]
    var order: [String] = []
    for (index, row) in rows.enumerated() {
      for (name, value) in row.numbers {
        if numbers[name] == nil { order.append(name) }
        numbers[name, default: ([], [])].rows.append(Int32(index))
        numbers[name, default: ([], [])].values.append(value)
      }
      for (name, value) in row.others {
        texts[name, default: ([], [])].rows.append(Int32(index))
        texts[name, default: ([], [])].values.append(value.bytes())
      }
    }
    var block = RowBlock(steps: steps, times: rows.map(\.time.microseconds))
    for name in order {
      guard let column = numbers[name] else { continue }
      block.columns.append(
        RowBlock.Column(
          key: try keyID(name), rows: RowBatch.Rows(column.rows, of: rows.count),
          values: .numbers(column.values)))
    }
    for (name, column) in texts.sorted(by: { $0.key < $1.key }) {
      block.columns.append(
        RowBlock.Column(
          key: try keyID(name), rows: RowBatch.Rows(column.rows, of: rows.count),
          values: .texts(column.values)))
    }
    return block
  }

  private func writeSummaries(_ summed: Summed, run: Int64, keyLimit: Int) throws {
    var added = 0
    for (name, points) in summed.numbers {
      let key = try keyID(name)
      let known = try db.cachedStatement(sql: "SELECT * FROM metric_summary WHERE run_id = ? AND key_id = ?")
      var summary: MetricSummary
      var rest = points[...]
      if let row = try Row.fetchOne(known, arguments: [run, key]) {
        summary = StoreReader.summary(row, name: name)
      } else {
        added += 1
        summary = MetricSummary(
          name: name, value: points[0].value, step: points[0].step, time: points[0].time)
        rest = points.dropFirst()
      }
      for point in rest { summary.add(point.value, step: point.step, time: point.time) }
      try db.cachedStatement(
        sql: """
          INSERT OR REPLACE INTO metric_summary (run_id, key_id, last, last_step, last_at, min, min_step, max,
            max_step, sum, count, nan_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """
      ).execute(arguments: [
        run, key, summary.last, summary.lastStep, summary.lastTime.microseconds, summary.min, summary.minStep,
        summary.max, summary.maxStep, summary.sum, summary.count, summary.nanCount,
      ])
    }
    for (name, (value, step)) in summed.others {
      try db.cachedStatement(
        sql: """
          INSERT INTO logged_value (run_id, key_id, value, last_step) VALUES (?1, ?2, ?3, ?4)
          ON CONFLICT (run_id, key_id) DO UPDATE SET value = ?3, last_step = ?4 WHERE last_step <= ?4
          """
      ).execute(arguments: [run, try keyID(name), value.text, step])
    }
    guard added > 0 else { return }
    let count =
      try Int.fetchOne(db, sql: "SELECT count(*) FROM metric_summary WHERE run_id = ?", arguments: [run]) ?? 0
    if count > keyLimit {
      throw Problem(
        .unprocessable, "This run would have \(count) metrics; at most \(keyLimit) are allowed.",
        hint: "Log what belongs together as one value (a list or an object), or use fewer names.")
    }
  }
}

/// A batch brought together: a step for every row, the points of every metric.
private struct Summed {
  struct Point {
    var value: Double
    var step: Int64
    var time: Timestamp
  }

  var lastStep: Int64?
  var steps: [Int64] = []
  var points = 0
  var numbers: [String: [Point]] = [:]
  var others: [String: (JSONValue, Int64)] = [:]

  init(lastStep: Int64?) { self.lastStep = lastStep }

  mutating func add(_ row: LogRow) {
    let step = row.step ?? (lastStep.map { $0 == .max ? $0 : $0 + 1 } ?? 0)
    steps.append(step)
    lastStep = max(lastStep ?? step, step)
    for (name, value) in row.numbers {
      numbers[name, default: []].append(Point(value: value, step: step, time: row.time))
      points += 1
    }
    for (name, value) in row.others where step >= others[name]?.1 ?? .min { others[name] = (value, step) }
  }
}
