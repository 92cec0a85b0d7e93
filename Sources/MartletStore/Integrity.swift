// Whether the database is whole: its pages, its references, its chunks, its summaries.

import GRDB
package import MartletModel
import MartletSeries

/// Something that is not as it must be.
package struct Finding: Sendable, Hashable {
  /// Nil: of no single run.
  package var run: PublicID?
  /// A sentence.
  package var message: String
}

extension Store {
  /// Looks for damage; an empty list says that none was found.
  ///
  /// Runs are looked at one after the other, each on a snapshot of its own.
  ///
  /// - Parameter isDeep: also every point is summed up and compared with the summaries.
  package func integrity(deep isDeep: Bool) async throws -> [Finding] {
    var findings = try await read { try $0.pageFindings() + $0.countFindings() }
    var last = Int64.min
    while let next = try await read({ [last] in try $0.nextRun(after: last) }) {
      last = next.row
      findings += try await read { try $0.findings(of: next.row, id: next.id, isDeep: isDeep) }
      // What is damaged everywhere need not be told of every run.
      if findings.count >= 100 { break }
    }
    return findings
  }
}

extension StoreReader {
  func pageFindings() throws -> [Finding] {
    let pages = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
    let references = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").prefix(20)
    return pages.map { Finding(run: nil, message: "SQLite finds the file damaged: \($0).") }
      + references.map {
        Finding(
          run: nil,
          message: "A row of '\($0[0] as String)' refers to a row of '\($0[2] as String)' that is not there.")
      }
  }

  /// Sweeps whose kept counts are not those of their trials.
  func countFindings() throws -> [Finding] {
    let sweeps = try String.fetchAll(
      db,
      sql: """
        WITH counted AS (SELECT sweep_id, state, count(*) AS trials FROM trial GROUP BY sweep_id, state),
          kept AS (SELECT sweep_id, state, trials FROM trial_count WHERE trials != 0)
        SELECT public_id FROM sweep WHERE id IN (
          SELECT sweep_id FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept)
          UNION SELECT sweep_id FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted)) LIMIT 20
        """)
    return sweeps.map {
      Finding(run: nil, message: "The trials of sweep \($0) are other than what is counted of them.")
    }
  }

  func nextRun(after row: Int64) throws -> (row: Int64, id: PublicID)? {
    let next = try Row.fetchOne(
      db, sql: "SELECT id, public_id FROM run WHERE id > ? AND purge IS NULL ORDER BY id LIMIT 1",
      arguments: [row])
    guard let next, let id = PublicID(rawValue: next["public_id"]) else { return nil }
    return (next["id"], id)
  }

  func findings(of run: Int64, id: PublicID, isDeep: Bool) throws -> [Finding] {
    do {
      let flaws = try chunkFlaws(of: run) + (isDeep ? try summaryFlaws(of: run) + derivedFlaws(of: run) : [])
      return flaws.map { Finding(run: id, message: $0) }
    } catch let problem as Problem {
      return [Finding(run: id, message: problem.message)]
    }
  }

  /// Everything decodes, and says of itself what its row and its index say.
  private func chunkFlaws(of run: Int64) throws -> [String] {
    var flaws: [String] = []
    var end: Int64 = 0
    for chunk in try chunks(of: run) {
      if chunk.firstRow != end || chunk.rowCount > SealedChunk.length || end % Int64(SealedChunk.length) != 0
      {
        flaws.append(
          "Its chunk at row \(chunk.firstRow) does not follow the one before, which ends at \(end).")
      }
      end = chunk.end
      let block = try block(of: chunk, run: run)
      if block.steps.min() != chunk.minStep || block.steps.max() != chunk.maxStep {
        flaws.append("The steps of its chunk at row \(chunk.firstRow) are not those of its index.")
      }
      if try origins(of: chunk).origins.count != chunk.rowCount {
        flaws.append("The origins of its chunk at row \(chunk.firstRow) are not those of all its rows.")
      }
      if chunk.isFull { flaws += try levelFlaws(of: chunk, block, run: run) }
    }
    var next = end
    try readTail(of: run) { tail in
      if max(tail.firstRow, end) != next {
        flaws.append(
          "Its block at row \(tail.firstRow) does not follow the rows before, which end at \(next).")
      }
      next = tail.end
      return true
    }
    let rows = try Int64.fetchOne(db, sql: "SELECT rows FROM run WHERE id = ?", arguments: [run])
    if rows != next { flaws.append("It counts \(rows ?? 0) rows and has \(next).") }
    return flaws
  }

  private func levelFlaws(of chunk: ChunkEntry, _ block: RowBlock, run: Int64) throws -> [String] {
    var flaws: [String] = []
    for column in block.columns {
      guard case .numbers(let values) = column.values else { continue }
      let isOrdered = try seriesEntries(
        of: column.key, run: run, from: chunk.firstRow, to: chunk.firstRow
      ).first?.isOrdered
      guard isOrdered == true else { continue }
      let rows = column.rows
      let expected = Levels.blocks(
        steps: rows.picked(from: block.steps), times: rows.picked(from: block.times), values: values)
      var found: [PointBlock] = []
      try readLevel(0, run: run, key: column.key, from: chunk.firstRow, to: chunk.firstRow + 1) {
        found = $1
      }
      if !found.elementsEqual(expected, by: { $0.agrees(with: $1) }) {
        flaws.append("The level of one of its series at row \(chunk.firstRow) is not that of its points.")
      }
    }
    return flaws
  }

  private func summaryFlaws(of run: Int64) throws -> [String] {
    let sum = try sum(of: run, readsAll: true)
    var flaws: [String] = []
    let row = try Row.fetchOne(
      db, sql: "SELECT points, last_step FROM run WHERE id = ?", arguments: [run])
    if row?["points"] != sum.points || row?["last_step"] != sum.lastStep {
      flaws.append("Its points or its last step are not those of its rows.")
    }
    let stored = try (summaries(of: [run])[run] ?? []).filter { !$0.isDerived }
    if stored.count != sum.metrics.count {
      flaws.append("It has summaries of \(stored.count) metrics and points of \(sum.metrics.count).")
    }
    for (key, expected) in sum.metrics {
      let name = try String.fetchOne(db, sql: "SELECT name FROM metric_key WHERE id = ?", arguments: [key])
      guard let name, let metric = stored.first(where: { $0.name == name }) else { continue }
      if !expected.agrees(with: metric) {
        flaws.append("The summary of its metric '\(name)' is not that of its points.")
      }
    }
    return flaws
  }
}

extension StoreReader {
  /// What is derived and up to date must be what its points sum up to.
  private func derivedFlaws(of run: Int64) throws -> [String] {
    guard let plan = try derivedPlan(of: run, always: true) else { return [] }
    var flaws: [String] = []
    for (derived, expected) in plan.summaries {
      let row = try Row.fetchOne(
        db,
        sql: """
          SELECT * FROM derived_summary WHERE derived_id = ? AND run_id = ? AND rows = ? AND rewrites = ?
          """,
        arguments: [derived, run, plan.rows, plan.rewrites])
      guard let row else { continue }
      let isEmpty = row["count"] as Int64 == 0
      let name = plan.definitions.first { $0.row == derived }?.metric.name ?? ""
      if isEmpty ? expected.count > 0 : !expected.agrees(with: Self.summary(row, name: name)) {
        flaws.append("The summary of its derived metric '\(name)' is not that of its points.")
      }
    }
    return flaws
  }
}

extension PointBlock {
  /// But for the sum's rounding.
  fileprivate func agrees(with other: PointBlock) -> Bool {
    func same(_ a: Double, _ b: Double) -> Bool { a == b || (a.isNaN && b.isNaN) }
    return firstStep == other.firstStep && lastStep == other.lastStep && firstTime == other.firstTime
      && same(first, other.first) && same(last, other.last) && same(min, other.min) && same(max, other.max)
      && count == other.count && nanCount == other.nanCount
  }
}

extension RunningSummary {
  /// But for the sum's rounding.
  fileprivate func agrees(with metric: MetricSummary) -> Bool {
    func same(_ a: Double, _ b: Double) -> Bool { a == b || (a.isNaN && b.isNaN) }
    let scale = Swift.max(abs(sum), abs(metric.sum), hasNumbers ? Swift.max(abs(min), abs(max)) : 0)
    return same(last, metric.last) && lastStep == metric.lastStep && lastTime == metric.lastTime.microseconds
      && count == metric.count && nanCount == metric.nanCount
      && (hasNumbers ? min : nil) == metric.min && (hasNumbers ? max : nil) == metric.max
      && (hasNumbers ? minStep : nil) == metric.minStep && (hasNumbers ? maxStep : nil) == metric.maxStep
      && (same(sum, metric.sum) || !sum.isFinite
        || abs(sum - metric.sum) <= 1e-9 * scale * Double(Swift.max(1, count)))
  }
}
