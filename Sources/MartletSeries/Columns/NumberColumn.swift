// Numbers of one name in a chunk.

public import MartletModel

/// Numbers of a chunk as bytes; bit patterns come back as they were.
public enum NumberColumn {
  /// - Parameter values: at most 2^20.
  public static func encode(_ values: [Double]) -> [UInt8] {
    IntegerColumn.encode(values.map { Int64(bitPattern: $0.bitPattern) })
  }

  /// - Parameter count: how many were encoded.
  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(Problem) -> [Double] {
    try IntegerColumn.decode(bytes, count: count).map { Double(bitPattern: UInt64(bitPattern: $0)) }
  }
}
