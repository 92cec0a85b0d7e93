// Rows on their way into a chunk: columns encoded, levels made.

import MartletModel
import MartletSeries

/// One row of `row_chunk` and what belongs to it.
///
/// A key has one column of numbers in a chunk. It may have several of texts, each of other rows: those of a chunk that is not
/// full stay as they are when it gets more rows, and many bytes are spread. So the presence of texts is always that of 4,096 rows.
struct SealedChunk {
  /// Rows of a full chunk.
  static let length = 4_096

  struct Column {
    enum Kind: Int64 {
      case numbers = 0
      case texts = 1
    }

    var key: Int64
    var kind: Kind
    var count: Int
    /// Nil for texts.
    var isOrdered: Bool?
    var highStep: Int64?
    /// Nil: every row has the key.
    var presence: [UInt8]?
    var payload: [UInt8]
    /// The row of level 0; nil for texts, without order, and in a chunk that is not full.
    var level: [UInt8]?
  }

  var firstRow: Int64
  var rowCount: Int
  var steps: ClosedRange<Int64>
  var receivedAt: Int64
  var origins: [UInt8]
  var stepBytes: [UInt8]
  var timeBytes: [UInt8]
  var columns: [Column]

  var isFull: Bool { rowCount == Self.length }
  var end: Int64 { firstRow + Int64(rowCount) }

  /// - Parameters:
  ///   - rows: 1 to 4,096.
  ///   - highSteps: of each key, the highest step before these rows; brought up to their end.
  init(_ rows: GatheredRows, highSteps: inout [Int64: Int64]) {
    firstRow = rows.firstRow
    rowCount = rows.count
    steps = (rows.steps.min() ?? 0)...(rows.steps.max() ?? 0)
    receivedAt = rows.receivedAt
    origins = rows.origins.encoded()
    stepBytes = IntegerColumn.encode(rows.steps)
    timeBytes = IntegerColumn.encode(rows.times)
    columns = []
    let isFull = rows.count == Self.length
    for (key, column) in rows.numbers.sorted(by: { $0.key < $1.key }) where !column.rows.isEmpty {
      let present = RowBatch.Rows(column.rows, of: rows.count)
      let steps = present.picked(from: rows.steps)
      let before = highSteps[key]
      let high = max(before ?? .min, steps.max() ?? .min)
      let isOrdered =
        (before.map { $0 < (steps.first ?? .min) } ?? true) && steps.isStrictlyIncreasing
      highSteps[key] = high
      columns.append(
        Column(
          key: key, kind: .numbers, count: column.values.count, isOrdered: isOrdered, highStep: high,
          presence: Presence.encode(present, of: rows.count), payload: NumberColumn.encode(column.values),
          level: isFull && isOrdered
            ? Levels.encode(
              Levels.blocks(
                steps: steps, times: present.picked(from: rows.times), values: column.values))
            : nil))
    }
    for (key, column) in rows.texts.sorted(by: { $0.key < $1.key }) {
      for part in TextColumn.pieces(of: column.values, ofBytes: Self.textBytes) {
        columns.append(
          Column(
            key: key, kind: .texts, count: part.count,
            presence: Presence.encode(
              RowBatch.Rows(Array(column.rows[part]), of: Self.length), of: Self.length),
            payload: TextColumn.encode(Array(column.values[part]))))
      }
    }
  }

  /// Texts of one key are spread over columns of about so many bytes, so that a few are read without all.
  static let textBytes = 4 << 20
}

extension [Int64] {
  var isStrictlyIncreasing: Bool {
    withUnsafeBufferPointer { values in
      var index = 1
      while index < values.count {
        if values[index - 1] >= values[index] { return false }
        index += 1
      }
      return true
    }
  }
}
