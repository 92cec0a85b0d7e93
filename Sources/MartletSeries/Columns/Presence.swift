// Which rows of a chunk have a name.

public import MartletModel

/// The rows of a chunk that have a name, as bytes; nil stands for every row.
///
/// The first byte is the coding: 0 a bitmap, zstd; 1 how many (varint) and an `IntegerColumn` of their indices; 2 a bitmap as it is.
public enum Presence {
  private enum Coding: UInt8 {
    case packedBitmap = 0
    case indices = 1
    case bitmap = 2
  }

  /// Nil when every row is there.
  ///
  /// - Parameter total: rows of the chunk.
  public static func encode(_ rows: RowBatch.Rows, of total: Int) -> [UInt8]? {
    guard case .some(let rows) = rows, rows.count < total else { return nil }
    var indices: [UInt8] = [Coding.indices.rawValue]
    indices.append(varint: UInt64(rows.count))
    indices += IntegerColumn.encode(rows.map { Int64($0) })
    var bitmap: [UInt8] = []
    Bitmap.append(.some(rows), of: total, to: &bitmap)
    var candidates = [indices, [Coding.bitmap.rawValue] + bitmap]
    if let frame = Zstd.compress(bitmap) { candidates.append([Coding.packedBitmap.rawValue] + frame) }
    return candidates.min { $0.count < $1.count }
  }

  /// - Parameters:
  ///   - bytes: what `encode` gave.
  ///   - total: rows of the chunk.
  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer?, of total: Int) throws(Problem) -> RowBatch.Rows
  {
    guard let bytes else { return .all }
    var reader = ByteReader(bytes, of: "The list of a chunk's rows")
    guard total >= 0, total <= ByteReader.longestColumn, let coding = Coding(rawValue: try reader.byte())
    else {
      throw reader.damage
    }
    let length = Bitmap.length(of: total)
    switch coding {
    case .bitmap:
      let bitmap = try reader.slice(length)
      try reader.end()
      return Bitmap.rows(bitmap, of: total)
    case .packedBitmap:
      return try reader.frame(lengths: length...length).withUnsafeBytes { Bitmap.rows($0, of: total) }
    case .indices:
      guard let count = Int(exactly: try reader.varint()), count <= total else { throw reader.damage }
      let indices = try IntegerColumn.decode(reader.slice(reader.left), count: count)
      var rows: [Int32] = []
      rows.reserveCapacity(count)
      var next: Int64 = 0
      for index in indices {
        guard index >= next, index < total else { throw reader.damage }
        rows.append(Int32(index))
        next = index + 1
      }
      return RowBatch.Rows(rows, of: total)
    }
  }
}
