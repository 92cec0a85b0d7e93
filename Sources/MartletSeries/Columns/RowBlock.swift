// Consecutive log() rows of one run as columns in one blob.

public import MartletModel

/// Rows of one run: steps and times are shared columns, each key is a column of its own with a presence bitmap, so
/// one key is read without the others, and rows can be given back as they came.
///
/// Layout, little endian: `u8 version = 1`, `u32 rows`, `u32 columns`, `i64 step × rows`, `i64 time µs × rows`, then for
/// each column `u32 key`, `u8 kind` (0 numbers, 1 JSON), `u32 length` of what follows: `bitmap` of ⌈rows / 8⌉ bytes
/// (bit i set: row i has this key), then the present values: `f64` each, or `u32 length` and JSON text each.
public struct RowBlock: Sendable {
  public enum Values: Sendable {
    case numbers([Double])
    case texts([[UInt8]])
  }

  public struct Column: Sendable {
    public var key: Int64
    /// Rows that have this key, ascending.
    public var rows: [Int32]
    public var values: Values

    public init(key: Int64, rows: [Int32], values: Values) {
      (self.key, self.rows, self.values) = (key, rows, values)
    }
  }

  public var steps: [Int64]
  public var times: [Int64]
  public var columns: [Column]

  public init(steps: [Int64] = [], times: [Int64] = [], columns: [Column] = []) {
    (self.steps, self.times, self.columns) = (steps, times, columns)
  }

  // MARK: - Encoding

  public func encoded() -> [UInt8] {
    var out: [UInt8] = [1]
    out.reserveCapacity(16 + 16 * steps.count + columns.count * (16 + 8 * steps.count))
    out.appendWord(UInt32(steps.count))
    out.appendWord(UInt32(columns.count))
    for step in steps { out.appendWord(UInt64(bitPattern: step)) }
    for time in times { out.appendWord(UInt64(bitPattern: time)) }
    for column in columns {
      out.appendWord(UInt32(truncatingIfNeeded: column.key))
      var body = [UInt8](repeating: 0, count: (steps.count + 7) / 8)
      for row in column.rows { body[Int(row) / 8] |= 1 << UInt8(row % 8) }
      switch column.values {
      case .numbers(let values):
        out.append(0)
        for value in values { body.appendWord(value.bitPattern) }
      case .texts(let texts):
        out.append(1)
        for text in texts {
          body.appendWord(UInt32(text.count))
          body += text
        }
      }
      out.appendWord(UInt32(body.count))
      out += body
    }
    return out
  }

  // MARK: - Decoding

  /// Reads a block back; `keys` nil: all columns.
  ///
  /// - Throws: `Problem.internal` when the bytes are no block: the file is damaged.
  public static func decode(_ bytes: UnsafeRawBufferPointer, keys: Set<Int64>? = nil) throws(Problem)
    -> RowBlock
  {
    var cursor = Cursor(bytes: bytes)
    guard try cursor.byte() == 1 else { throw damaged }
    let rows = Int(try cursor.u32())
    let columnCount = Int(try cursor.u32())
    var block = RowBlock()
    block.steps = try cursor.i64s(rows)
    block.times = try cursor.i64s(rows)
    for _ in 0..<columnCount {
      let key = Int64(try cursor.u32())
      let kind = try cursor.byte()
      let length = Int(try cursor.u32())
      let end = cursor.at + length
      if let keys, !keys.contains(key) {
        try cursor.skip(length)
        continue
      }
      let bitmap = cursor.at
      try cursor.skip((rows + 7) / 8)
      var present: [Int32] = []
      for row in 0..<rows where bytes[bitmap + row / 8] >> UInt8(row % 8) & 1 == 1 {
        present.append(Int32(row))
      }
      let values: Values
      switch kind {
      case 0:
        values = .numbers(try cursor.i64s(present.count).map { Double(bitPattern: UInt64(bitPattern: $0)) })
      case 1:
        var texts: [[UInt8]] = []
        for _ in present { texts.append(try cursor.data(Int(try cursor.u32()))) }
        values = .texts(texts)
      default: throw damaged
      }
      guard cursor.at == end else { throw damaged }
      block.columns.append(Column(key: key, rows: present, values: values))
    }
    return block
  }

  private static let damaged = Problem(
    .internal, "A block of points in the database is damaged.", hint: "Run 'martlet doctor'.")

  private struct Cursor {
    let bytes: UnsafeRawBufferPointer
    var at = 0

    mutating func need(_ count: Int) throws(Problem) {
      guard count >= 0, bytes.count - at >= count else { throw RowBlock.damaged }
    }

    mutating func skip(_ count: Int) throws(Problem) {
      try need(count)
      at += count
    }

    mutating func byte() throws(Problem) -> UInt8 {
      try skip(1)
      return bytes[at - 1]
    }

    mutating func u32() throws(Problem) -> UInt32 {
      try skip(4)
      return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at - 4, as: UInt32.self))
    }

    mutating func i64s(_ count: Int) throws(Problem) -> [Int64] {
      let start = at
      try skip(8 * count)
      return (0..<count).map {
        Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 8 * $0, as: Int64.self))
      }
    }

    mutating func data(_ count: Int) throws(Problem) -> [UInt8] {
      try skip(count)
      return Array(bytes[(at - count)..<at])
    }
  }
}

extension [UInt8] {
  fileprivate mutating func appendWord(_ value: UInt32) {
    for shift in stride(from: UInt32(0), to: 32, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
  }

  fileprivate mutating func appendWord(_ value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}
