// Texts of one name in a chunk.

public import MartletModel

/// Byte strings of a chunk as bytes.
public enum TextColumn {
  /// What all texts of a column hold together, at most: those of a chunk with more are spread over several columns.
  public static let byteLimit = 1 << 30

  /// - Parameter values: at most 2^20, `byteLimit` bytes together.
  public static func encode(_ values: [[UInt8]]) -> [UInt8] {
    values.reduce(into: [0]) { out, text in
      withUnsafeBytes(of: UInt32(text.count).littleEndian) { out += $0 }
      out += text
    }
  }

  /// - Parameter count: how many were encoded.
  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(Problem) -> [[UInt8]] {
    var at = 1
    var texts: [[UInt8]] = []
    guard bytes.first == 0 else { throw .damaged("A chunk of texts") }
    for _ in 0..<count {
      guard bytes.count - at >= 4 else { throw .damaged("A chunk of texts") }
      let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
      guard bytes.count - at - 4 >= length else { throw .damaged("A chunk of texts") }
      texts.append(Array(bytes[(at + 4)..<(at + 4 + length)]))
      at += 4 + length
    }
    guard at == bytes.count else { throw .damaged("A chunk of texts") }
    return texts
  }
}
