// Steps and times of a chunk.

public import MartletModel

/// Whole numbers of a chunk as bytes; any sequence of Int64 comes back as it was.
public enum IntegerColumn {
  /// - Parameter values: at most 2^20.
  public static func encode(_ values: [Int64]) -> [UInt8] {
    var out: [UInt8] = [0]
    for value in values { withUnsafeBytes(of: value.littleEndian) { out += $0 } }
    return out
  }

  /// - Parameter count: how many were encoded.
  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(Problem) -> [Int64] {
    guard count >= 0, bytes.first == 0, bytes.count - 1 == 8 * count else {
      throw .damaged("A chunk of steps or times")
    }
    return (0..<count).map {
      Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 1 + 8 * $0, as: Int64.self))
    }
  }
}
