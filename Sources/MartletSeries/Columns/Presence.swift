// Which rows of a chunk have a name.

public import MartletModel

public enum Presence {
  /// Nil when every row is there.
  ///
  /// - Parameter total: rows of the chunk.
  public static func encode(_ rows: RowBatch.Rows, of total: Int) -> [UInt8]? {
    guard case .some(let rows) = rows, rows.count < total else { return nil }
    var out = [UInt8](repeating: 0, count: 1 + (total + 7) / 8)
    for row in rows { out[1 + Int(row) / 8] |= 1 << UInt8(row % 8) }
    return out
  }

  /// - Parameters:
  ///   - bytes: what `encode` gave; nil: every row.
  ///   - total: rows of the chunk.
  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer?, of total: Int) throws(Problem) -> RowBatch.Rows
  {
    guard let bytes else { return .all }
    guard bytes.first == 0, bytes.count == 1 + (total + 7) / 8 else {
      throw .damaged("The list of a chunk's rows")
    }
    return .some((0..<Int32(total)).filter { bytes[1 + Int($0) / 8] >> UInt8($0 % 8) & 1 == 1 })
  }
}
