// A run's tail into chunks, in two steps: read and encoded beside the writer, written in one short transaction.

import GRDB
import MartletModel
import MartletSeries

/// What was read of a run, and from which state of it: if that has changed since, nothing is written.
struct SealPlan {
  var run: Int64
  var rewrites: Int64
  /// The end of the run's chunks.
  var sealed: Int64
  /// From the last full chunk's end on.
  var rows: GatheredRows
  /// How many of them become chunks.
  var count: Int
  /// Of the blocks that were read.
  var bytes: Int
  var highSteps: [Int64: Int64]

  /// Encodes the chunks; on no connection.
  func chunks() -> [SealedChunk] {
    var highSteps = highSteps
    return stride(from: 0, to: count, by: SealedChunk.length).map { start in
      let range = start..<min(start + SealedChunk.length, count)
      return SealedChunk(range == 0..<rows.count ? rows : rows.slice(range), highSteps: &highSteps)
    }
  }
}

extension StoreReader {
  private func rewrites(of run: Int64) throws -> Int64? {
    let statement = try RawStatement(db, "SELECT rewrites FROM run WHERE id = ? AND purge IS NULL")
    try statement.bind(1, run)
    guard try statement.step() else { return nil }
    defer { statement.reset() }
    return statement.int(0)
  }

  /// Whether a run's chunks and rows are as they were when something was planned.
  func isUnchanged(_ run: Int64, rewrites: Int64, sealed: Int64) throws -> Bool {
    try self.rewrites(of: run) == rewrites && sealedEnd(of: run) == sealed
  }

  /// Reads what a run's next chunks are made of; nil: there is nothing to seal.
  ///
  /// - Parameters:
  ///   - isWhole: also rows that make no full chunk are sealed.
  ///   - bytes: where to stop reading though there is no full chunk yet. With one, a part of that is enough: one plan after
  ///     the other seals it all.
  func sealPlan(of run: Int64, isWhole: Bool, bytes limit: Int) throws -> SealPlan? {
    guard let rewrites = try rewrites(of: run) else { return nil }
    let sealed = try sealedEnd(of: run)
    let length = Int64(SealedChunk.length)
    let start = sealed / length * length
    var rows = GatheredRows(firstRow: start)
    if sealed > start, let last = try chunks(of: run, from: start).first {
      // Its texts stay where they are: further ones of the chunk are laid beside them.
      let (origins, receivedAt) = try origins(of: last)
      rows.append(
        try block(of: last, run: run, kind: .numbers), origins: origins, receivedAt: receivedAt)
    }
    var bytes = 0
    var isCut = false
    try readTail(of: run, sealed: sealed) { tail in
      rows.append(
        tail.block, origins: tail.origins, receivedAt: tail.receivedAt, skipping: tail.sealed)
      bytes += tail.bytes
      isCut = bytes >= (rows.count < SealedChunk.length ? limit : limit / 8)
      return !isCut
    }
    let full = rows.count / SealedChunk.length * SealedChunk.length
    let count = (isCut ? full == 0 : isWhole) ? rows.count : full
    guard Int64(count) > sealed - start else { return nil }
    return SealPlan(
      run: run, rewrites: rewrites, sealed: sealed, rows: rows, count: count, bytes: bytes,
      highSteps: try highSteps(of: rows.numbers.keys, run: run, before: start))
  }
}

extension StoreWriter {
  /// Writes chunks and removes the blocks whose rows they hold; does nothing when the run has changed since it was read.
  func seal(_ chunks: [SealedChunk], _ plan: SealPlan) throws {
    guard try isUnchanged(plan.run, rewrites: plan.rewrites, sealed: plan.sealed), let end = chunks.last?.end
    else { return }
    if plan.sealed > plan.rows.firstRow { try reopenChunk(of: plan.run, at: plan.rows.firstRow) }
    for chunk in chunks { try insert(chunk, run: plan.run) }
    let blocks = try RawStatement(
      db, "DELETE FROM row_block WHERE run_id = ?1 AND first_row < ?2 AND first_row + row_count <= ?2")
    try blocks.bind(1, plan.run)
    try blocks.bind(2, end)
    try blocks.run()
  }

  /// Removes a chunk that is not full but for its texts.
  private func reopenChunk(of run: Int64, at row: Int64) throws {
    for sql in [
      "DELETE FROM row_chunk WHERE run_id = ? AND first_row = ?",
      "DELETE FROM series_chunk WHERE run_id = ? AND first_row = ? AND kind = 0",
    ] {
      let statement = try RawStatement(db, sql)
      try statement.bind(1, run)
      try statement.bind(2, row)
      try statement.run()
    }
  }
}

// MARK: - Small blocks

/// Neighbouring blocks of a tail that become one.
struct MergePlan {
  var run: Int64
  var rewrites: Int64
  var sealed: Int64
  var rows: GatheredRows
  /// Of the blocks that were read.
  var bytes: Int
}

extension StoreReader {
  /// Blocks with as many rows or bytes as these are left as they are.
  private static let largeRows = 256
  private static let largeBytes = 1 << 20

  /// Reads the first small blocks of a run's tail that lie beside each other; nil: there are none.
  func mergePlan(of run: Int64) throws -> MergePlan? {
    guard let rewrites = try rewrites(of: run) else { return nil }
    let sealed = try sealedEnd(of: run)
    let statement = try RawStatement(
      db,
      """
      SELECT first_row, row_count, length(payload) FROM row_block INDEXED BY row_block_by_run
      WHERE run_id = ? AND first_row + row_count > ? ORDER BY first_row
      """)
    try statement.bind(1, run)
    try statement.bind(2, sealed)
    var group: (first: Int64, blocks: Int, bytes: Int)?
    while try statement.step() {
      let bytes = Int(statement.int(2))
      if statement.int(1) >= Self.largeRows || bytes >= Self.largeBytes {
        if let group, group.blocks > 1 { break }
        group = nil
      } else {
        group = (group?.first ?? statement.int(0), (group?.blocks ?? 0) + 1, (group?.bytes ?? 0) + bytes)
        if let group, group.bytes >= 8 * Self.largeBytes { break }
      }
    }
    statement.reset()
    guard let group, group.blocks > 1 else { return nil }
    var rows = GatheredRows(firstRow: max(group.first, sealed))
    var left = group.blocks
    try readTail(of: run, from: group.first, sealed: sealed) { tail in
      rows.append(
        tail.block, origins: tail.origins, receivedAt: tail.receivedAt, skipping: tail.sealed)
      left -= 1
      return left > 0
    }
    return MergePlan(run: run, rewrites: rewrites, sealed: sealed, rows: rows, bytes: group.bytes)
  }
}

extension StoreWriter {
  /// Puts one block in the place of several; does nothing when the run has changed since they were read.
  func merge(_ plan: MergePlan) throws {
    let (rows, run) = (plan.rows, plan.run)
    guard try isUnchanged(run, rewrites: plan.rewrites, sealed: plan.sealed), let low = rows.steps.min(),
      let high = rows.steps.max()
    else { return }
    let blocks = try RawStatement(
      db, "DELETE FROM row_block WHERE run_id = ? AND first_row < ? AND first_row + row_count > ?")
    try blocks.bind(1, run)
    try blocks.bind(2, rows.firstRow + Int64(rows.count))
    try blocks.bind(3, rows.firstRow)
    try blocks.run()
    try insertBlock(
      rows.block(), run: run, firstRow: rows.firstRow, origin: rows.origins, steps: low...high,
      receivedAt: rows.receivedAt)
  }

  /// What is left of a run's tail.
  func tail(of run: Int64) throws -> (rows: Int, blocks: Int, bytes: Int, hasEnded: Bool) {
    let statement = try RawStatement(
      db,
      """
      SELECT coalesce(sum(row_count), 0), count(*), coalesce(sum(length(payload)), 0), coalesce(min(first_row), 0),
        (SELECT ended_at IS NOT NULL FROM run WHERE id = ?1)
      FROM row_block WHERE run_id = ?1 AND first_row + row_count > ?2
      """)
    let sealed = try sealedEnd(of: run)
    try statement.bind(1, run)
    try statement.bind(2, sealed)
    guard try statement.step() else { return (0, 0, 0, false) }
    defer { statement.reset() }
    let overlap = statement.int(1) == 0 ? 0 : max(0, sealed - statement.int(3))
    return (
      Int(statement.int(0) - overlap), Int(statement.int(1)), Int(statement.int(2)), statement.int(4) == 1
    )
  }
}
