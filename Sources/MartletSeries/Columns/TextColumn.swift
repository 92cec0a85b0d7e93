// Texts of one name in a chunk.

public import MartletModel

/// Byte strings of a chunk as bytes.
///
/// The first byte is the coding: 0 all alike (the bytes of one), 1 zstd and 2 plain, both over the lengths as varints and then all
/// the bytes; before a zstd frame stands the length of its content (`u32`).
public enum TextColumn {
  private enum Coding: UInt8 {
    case alike = 0
    case zstd = 1
    case plain = 2
  }

  /// Bytes that the texts of a column may have together where they are not all alike; `pieces` keeps to it.
  public static let byteLimit = 1 << 26

  /// Cuts values into runs that are each fit for one column: of few bytes, or of one value alone.
  ///
  /// - Parameter limit: bytes of a run, at most `byteLimit`.
  /// - Returns: ranges of indices, together all of them; none for no values.
  public static func pieces(of values: [[UInt8]], ofBytes limit: Int = byteLimit) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var start = 0
    var length = 0
    for (index, value) in values.enumerated() {
      // What is longer stands alone: an empty value beside it would have it coded with lengths.
      if index > start, length + value.count > limit {
        pieces.append(start..<index)
        (start, length) = (index, 0)
      }
      length += value.count
    }
    if start < values.count { pieces.append(start..<values.count) }
    return pieces
  }

  /// - Parameter values: at most 2^20, `byteLimit` bytes together or all alike.
  public static func encode(_ values: [[UInt8]]) -> [UInt8] {
    if let first = values.first, values.allSatisfy({ $0 == first }) { return [Coding.alike.rawValue] + first }
    var raw: [UInt8] = []
    raw.reserveCapacity(values.reduce(0) { $0 + $1.count + 5 })
    for value in values { raw.append(varint: UInt64(value.count)) }
    for value in values { raw += value }
    if let frame = Zstd.compress(raw), frame.count + 4 < raw.count {
      var out: [UInt8] = [Coding.zstd.rawValue]
      out.append(word: UInt32(raw.count))
      return out + frame
    }
    return [Coding.plain.rawValue] + raw
  }

  /// - Parameter count: how many were encoded.
  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(Problem) -> [[UInt8]] {
    var reader = ByteReader(bytes, of: "A chunk of texts")
    guard count >= 0, count <= ByteReader.longestColumn, let coding = Coding(rawValue: try reader.byte())
    else {
      throw reader.damage
    }
    switch coding {
    case .alike: return Array(repeating: Array(try reader.slice(reader.left)), count: count)
    case .plain: return try texts(&reader, count)
    case .zstd:
      let length = Int(try reader.u32())
      guard length <= byteLimit + 5 * count else { throw reader.damage }
      let raw = try reader.frame(lengths: length...length)
      return try raw.withUnsafeBufferPointer { (raw) throws(Problem) in
        var reader = ByteReader(UnsafeRawBufferPointer(raw), of: "A chunk of texts")
        return try texts(&reader, count)
      }
    }
  }

  private static func texts(_ reader: inout ByteReader, _ count: Int) throws(Problem) -> [[UInt8]] {
    var lengths: [Int] = []
    for _ in 0..<count {
      guard let length = Int(exactly: try reader.varint()) else { throw reader.damage }
      lengths.append(length)
    }
    var texts: [[UInt8]] = []
    texts.reserveCapacity(count)
    for length in lengths { texts.append(Array(try reader.slice(length))) }
    try reader.end()
    return texts
  }
}
