// A run's history cut back to a step.

import GRDB
package import MartletModel
import MartletSeries

extension StoreWriter {
  /// Removes every row above a step, as if it had never come, and sums up anew what is left.
  ///
  /// Rows that are left keep their order and are numbered anew. What clients have sent stays counted: a row that was removed
  /// is not taken again.
  ///
  /// - Returns: how many rows were removed.
  /// - Throws: `Problem.notFound`, also for a run in the trash.
  @discardableResult
  package func rewind(
    _ id: PublicID, to step: Int64, by principal: Principal, now: Timestamp
  ) throws -> Int64 {
    let run = try requireRunRow(id)
    try refuseDeleted(id, run)
    guard let start = try firstChunk(of: run, above: step) else { return 0 }
    let before = try Int64.fetchOne(db, sql: "SELECT rows FROM run WHERE id = ?", arguments: [run]) ?? 0
    let removed = before - start - (try rebuild(run, from: start, upTo: step))
    try sumUp(run)
    try note(
      "rewound", subject: "run", row: run, payload: ["step": .int(step), "rows": .int(removed)],
      by: principal, at: now)
    return removed
  }

  /// Where the first chunk begins that has to be laid anew; nil: no row is above the step.
  private func firstChunk(of run: Int64, above step: Int64) throws -> Int64? {
    let chunk = try Int64.fetchOne(
      db, sql: "SELECT min(first_row) FROM row_chunk WHERE run_id = ? AND max_step > ?",
      arguments: [run, step])
    if let chunk { return chunk }
    let isAbove = try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM row_block WHERE run_id = ? AND max_step > ?)",
      arguments: [run, step])
    let length = Int64(SealedChunk.length)
    return isAbove == true ? try sealedEnd(of: run) / length * length : nil
  }

  /// Lays the rows of a run from `start` on, the begin of a chunk, into chunks again, without those above a step.
  ///
  /// - Returns: how many rows are left of these.
  private func rebuild(_ run: Int64, from start: Int64, upTo step: Int64) throws -> Int64 {
    let sealed = try sealedEnd(of: run)
    let old = try chunks(of: run, from: start)
    try removeLevels(of: run, from: start, end: sealed)
    var layer = ChunkLayer(self, run: run, from: start)
    // One at a time: each is removed before anything is written, and no new one reaches behind it.
    for chunk in old {
      let block = try block(of: chunk, run: run)
      let (origins, receivedAt) = try origins(of: chunk)
      try removeChunk(of: run, at: chunk.firstRow)
      try layer.add(block, origins: origins, receivedAt: receivedAt, upTo: step)
    }
    try readTail(of: run, sealed: sealed) { tail in
      try layer.add(
        tail.block, origins: tail.origins, receivedAt: tail.receivedAt, skipping: tail.sealed, upTo: step)
      return true
    }
    try db.execute(sql: "DELETE FROM row_block WHERE run_id = ?", arguments: [run])
    try layer.finish()
    return layer.count
  }
}
