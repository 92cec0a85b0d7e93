// Rows laid into chunks anew: what rewinding and forking share.

import GRDB
import MartletModel
import MartletSeries

/// Lays rows into the chunks of a run, behind those that it has, as many at a time as make a chunk.
struct ChunkLayer {
  let writer: StoreWriter
  let run: Int64
  private var rows: GatheredRows
  private var highSteps: [Int64: Int64] = [:]
  /// Rows that were kept.
  private(set) var count: Int64 = 0

  /// - Parameter row: where the next chunk begins; a multiple of 4,096.
  init(_ writer: StoreWriter, run: Int64, from row: Int64) {
    (self.writer, self.run) = (writer, run)
    rows = GatheredRows(firstRow: row)
  }

  /// Takes rows up to the highest step that is kept, and writes the chunks that became full.
  mutating func add(
    _ block: RowBlock, origins: Origins, receivedAt: Int64, skipping skipped: Int = 0, upTo highest: Int64
  ) throws {
    let before = rows.count
    rows.append(block, origins: origins, receivedAt: receivedAt, skipping: skipped) { $0 <= highest }
    count += Int64(rows.count - before)
    let full = rows.count / SealedChunk.length
    for index in 0..<full {
      let start = index * SealedChunk.length
      try write(rows.slice(start..<(start + SealedChunk.length)))
    }
    if full > 0 { rows = rows.slice((full * SealedChunk.length)..<rows.count) }
  }

  /// Writes what is left as a chunk that is not full.
  mutating func finish() throws {
    guard rows.count > 0 else { return }
    try write(rows)
    rows = GatheredRows(firstRow: rows.firstRow + Int64(rows.count))
  }

  private mutating func write(_ rows: GatheredRows) throws {
    let new = rows.numbers.keys.filter { highSteps[$0] == nil }
    highSteps.merge(try writer.highSteps(of: new, run: run, before: rows.firstRow)) { $1 }
    try writer.insert(SealedChunk(rows, highSteps: &highSteps), run: run)
  }
}
