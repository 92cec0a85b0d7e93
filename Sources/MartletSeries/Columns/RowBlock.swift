// Consecutive log() rows of one run as columns in one blob: the tail of a run that is not sealed yet.

public import MartletModel

/// Rows of one run: steps and times are shared columns, each key is a column of its own with a presence bitmap, so one key is
/// read without the others, and rows can be given back as they came.
///
/// Layout, little endian: `u8 version` (1 or 2), `u32 rows`, `u32 columns`, `i64 step × rows`, `i64 time µs × rows`, then for each
/// column `u32 key`, `u8 kind` (0 numbers, 1 JSON; 2 more where it is sparse, which version 1 has not), `u32 length` of what follows:
/// `bitmap` of ⌈rows / 8⌉ bytes (bit i set: row i has this key), or where it is sparse `u32 count` and `u32 row × count`, ascending;
/// then the present values: `f64` each, or `u32 length` and JSON text each.
///
/// A column is sparse where its rows take less than its bitmap: so a block is never much larger than its values, however many names
/// it has.
public struct RowBlock: Sendable {
  public enum Values: Sendable {
    case numbers([Double])
    case texts([[UInt8]])
  }

  public struct Column: Sendable {
    /// The id of its name in the database, below 2^32.
    public var key: Int64
    /// Rows that have this key.
    public var rows: RowBatch.Rows
    /// One for each of `rows`.
    public var values: Values

    public init(key: Int64, rows: RowBatch.Rows, values: Values) {
      (self.key, self.rows, self.values) = (key, rows, values)
    }
  }

  public var steps: [Int64]
  /// Microseconds since 1970.
  public var times: [Int64]
  public var columns: [Column]

  public init(steps: [Int64] = [], times: [Int64] = [], columns: [Column] = []) {
    (self.steps, self.times, self.columns) = (steps, times, columns)
  }

  /// The rows of a batch whose steps are all known.
  ///
  /// - Parameters:
  ///   - numberKeys: ids of the names in `batch.numbers`, in that order.
  ///   - textKeys: the same of `batch.texts`.
  public init(_ batch: RowBatch, numberKeys: [Int64], textKeys: [Int64]) {
    self.init(
      steps: batch.steps, times: batch.times,
      columns: zip(numberKeys, batch.numbers).map { key, column in
        Column(key: key, rows: column.rows, values: .numbers(column.values))
      }
        + zip(textKeys, batch.texts).map { key, column in
          Column(key: key, rows: column.rows, values: .texts(column.values))
        })
  }

  // MARK: - Encoding

  public func encoded() -> [UInt8] {
    let count = steps.count
    let sparse = columns.map { $0.sparseRows(of: count) }
    var out: [UInt8] = [sparse.contains { $0 != nil } ? 2 : 1]
    let lengths = zip(columns, sparse).map { column, rows in
      (rows.map { 4 + 4 * $0.count } ?? Bitmap.length(of: count)) + column.values.byteCount
    }
    out.reserveCapacity(16 + 16 * count + lengths.reduce(0) { $0 + 9 + $1 })
    out.append(word: UInt32(count))
    out.append(word: UInt32(columns.count))
    out.append(words: steps)
    out.append(words: times)
    for (index, column) in columns.enumerated() {
      out.append(word: UInt32(truncatingIfNeeded: column.key))
      let kind: UInt8 = if case .numbers = column.values { 0 } else { 1 }
      out.append(sparse[index] == nil ? kind : kind + 2)
      out.append(word: UInt32(lengths[index]))
      if let rows = sparse[index] {
        out.append(word: UInt32(rows.count))
        for row in rows { out.append(word: UInt32(row)) }
      } else {
        Bitmap.append(column.rows, of: count, to: &out)
      }
      switch column.values {
      case .numbers(let values): out.append(doubles: values)
      case .texts(let texts):
        for text in texts {
          out.append(word: UInt32(text.count))
          out += text
        }
      }
    }
    return out
  }

  // MARK: - Decoding

  /// Reads a block back; `keys` nil: all columns.
  ///
  /// - Throws: `Problem.internal` when the bytes are no block: the file is damaged.
  public static func decode(
    _ bytes: UnsafeRawBufferPointer, keys: Set<Int64>? = nil
  ) throws(Problem) -> RowBlock {
    var reader = ByteReader(bytes, of: "A block of points")
    guard (1...2).contains(try reader.byte()) else { throw reader.damage }
    let count = Int(try reader.u32())
    let columnCount = Int(try reader.u32())
    var block = RowBlock()
    block.steps = try reader.words(count)
    block.times = try reader.words(count)
    for _ in 0..<columnCount {
      let key = Int64(try reader.u32())
      let kind = try reader.byte()
      var body = ByteReader(try reader.slice(Int(try reader.u32())), of: "A block of points")
      if let keys, !keys.contains(key) { continue }
      let rows =
        kind < 2
        ? Bitmap.rows(try body.slice(Bitmap.length(of: count)), of: count) : try body.rows(of: count)
      let present = rows.count(of: count)
      let values: Values
      switch kind % 2 {
      case _ where kind > 3: throw reader.damage
      case 0: values = .numbers(try body.doubles(present))
      default:
        var texts: [[UInt8]] = []
        for _ in 0..<present { texts.append(Array(try body.slice(Int(try body.u32())))) }
        values = .texts(texts)
      }
      try body.end()
      block.columns.append(Column(key: key, rows: rows, values: values))
    }
    return block
  }
}

extension RowBlock.Column {
  /// Its rows where to name them takes less than a bitmap.
  fileprivate func sparseRows(of total: Int) -> [Int32]? {
    guard case .some(let rows) = rows, 4 + 4 * rows.count < Bitmap.length(of: total) else { return nil }
    return rows
  }
}

extension ByteReader {
  /// Ascending rows below `total`, with their count before them.
  fileprivate mutating func rows(of total: Int) throws(Problem) -> RowBatch.Rows {
    let count = Int(try u32())
    guard count <= total else { throw damage }
    var rows: [Int32] = []
    rows.reserveCapacity(count)
    for _ in 0..<count {
      let row = try u32()
      guard row < total, rows.last.map({ $0 < row }) ?? true else { throw damage }
      rows.append(Int32(row))
    }
    return RowBatch.Rows(rows, of: total)
  }
}

extension RowBlock.Values {
  fileprivate var byteCount: Int {
    switch self {
    case .numbers(let values): 8 * values.count
    case .texts(let texts): texts.reduce(0) { $0 + 4 + $1.count }
    }
  }
}
