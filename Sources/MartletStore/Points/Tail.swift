// The tail of a run: blocks of rows that are not sealed yet.

import GRDB
import MartletModel
import MartletSeries

/// A block of the tail as it lies in the database.
struct TailBlock {
  var id: Int64
  var firstRow: Int64
  var rowCount: Int
  var receivedAt: Int64
  var origins: Origins
  /// With the columns that were asked for.
  var block: RowBlock
  /// Of `payload`.
  var bytes: Int
  /// Rows at the beginning that are sealed already.
  var sealed: Int

  var end: Int64 { firstRow + Int64(rowCount) }
}

extension StoreReader {
  /// The row behind a run's last sealed one; 0 when none is sealed.
  func sealedEnd(of run: Int64) throws -> Int64 {
    let statement = try RawStatement(
      db,
      """
      SELECT first_row + row_count FROM row_chunk INDEXED BY row_chunk_by_run WHERE run_id = ?
      ORDER BY first_row DESC LIMIT 1
      """)
    try statement.bind(1, run)
    guard try statement.step() else { return 0 }
    defer { statement.reset() }
    return statement.int(0)
  }

  /// Reads the blocks of a run's tail, in order, until `body` says false.
  ///
  /// - Parameters:
  ///   - keys: the columns to decode; nil: all.
  ///   - steps: blocks without a row in this range may be passed over.
  ///   - from: rows below this one are not wanted.
  ///   - sealed: where the run's chunks end; nil: where they end now.
  func readTail(
    of run: Int64, keys: Set<Int64>? = nil, steps: ClosedRange<Int64> = .min ... .max, from: Int64 = 0,
    sealed: Int64? = nil, _ body: (TailBlock) throws -> Bool
  ) throws {
    let sealed = try sealed ?? sealedEnd(of: run)
    let statement = try RawStatement(
      db,
      """
      SELECT id, first_row, row_count, client, first_seq, received_at, origins, payload
      FROM row_block INDEXED BY row_block_by_run
      WHERE run_id = ? AND first_row + row_count > ? AND max_step >= ? AND min_step <= ? ORDER BY first_row
      """)
    try statement.bind(1, run)
    try statement.bind(2, max(sealed, from))
    try statement.bind(3, steps.lowerBound)
    try statement.bind(4, steps.upperBound)
    defer { statement.reset() }
    while try statement.step() {
      let (first, count) = (statement.int(1), Int(statement.int(2)))
      let origins = try statement.withBlob(6) { bytes in
        try bytes.map { try Origins(decoding: $0) }
          ?? .client(statement.text(3), firstSequence: statement.int(4), count: count)
      }
      let (block, bytes) = try statement.withBlob(7) { bytes in
        let bytes = bytes ?? UnsafeRawBufferPointer(start: nil, count: 0)
        return (try RowBlock.decode(bytes, keys: keys), bytes.count)
      }
      guard block.steps.count == count else { throw Problem.damagedBlock }
      let tail = TailBlock(
        id: statement.int(0), firstRow: first, rowCount: count, receivedAt: statement.int(5),
        origins: origins, block: block, bytes: bytes, sealed: Int(min(Int64(count), max(0, sealed - first))))
      guard try body(tail) else { return }
    }
  }
}

extension Problem {
  static let damagedBlock = Problem(
    .internal, "A block of points in the database is damaged.", hint: "Run 'martlet doctor'.")
}

extension StoreWriter {
  /// Returns the bytes of the payload.
  ///
  /// - Parameter steps: the lowest and the highest of the block's.
  @discardableResult
  func insertBlock(
    _ block: RowBlock, run: Int64, firstRow: Int64, origin: Origins, steps: ClosedRange<Int64>,
    receivedAt: Int64
  ) throws -> Int {
    let statement = try RawStatement(
      db,
      """
      INSERT INTO row_block (run_id, first_row, row_count, client, first_seq, min_step, max_step, received_at, origins,
        payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    let only = origin.stretches.count == 1 ? origin.stretches.first : nil
    try statement.bind(1, run)
    try statement.bind(2, firstRow)
    try statement.bind(3, block.steps.count)
    try statement.bind(4, only?.client ?? "")
    try statement.bind(5, only?.firstSequence ?? 0)
    try statement.bind(6, steps.lowerBound)
    try statement.bind(7, steps.upperBound)
    try statement.bind(8, receivedAt)
    try statement.bind(9, only == nil ? origin.encoded() : nil)
    let payload = block.encoded()
    try statement.bind(10, payload)
    try statement.run()
    return payload.count
  }
}
