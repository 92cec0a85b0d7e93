// Levels: blocks of points beside their chunks, and blocks of blocks above them.

public import MartletModel

/// Rows of the level table.
///
/// Level 0 has blocks of 128 points of one chunk; a row of level 1 has one entry for each of 32 chunks; a row of level 2 one
/// for each of 32 rows of level 1; and so on.
public enum Levels {
  /// Points in a block of level 0; the last one of a chunk may have fewer.
  public static let blockLength = 128
  /// Entries in a full row of level 1 and above.
  public static let fanout = 32
  /// Entries in one row, at most.
  public static let longest = 4_096

  /// The blocks of level 0 for one series' points in one chunk.
  ///
  /// - Parameters: equally many each.
  public static func blocks(steps: [Int64], times: [Int64], values: [Double]) -> [PointBlock] {
    stride(from: 0, to: values.count, by: blockLength).compactMap { start in
      PointBlock(
        steps: steps, times: times, values: values, range: start..<min(start + blockLength, values.count))
    }
  }

  /// All of them as one; nil when there is none.
  public static func merged(_ blocks: [PointBlock]) -> PointBlock? {
    guard var result = blocks.first else { return nil }
    for block in blocks.dropFirst() { result.merge(block) }
    return result
  }

  /// - Parameter blocks: at most `longest`, in the order of their steps.
  public static func encode(_ blocks: [PointBlock]) -> [UInt8] {
    var out: [UInt8] = [0]
    for block in blocks {
      let words =
        [
          block.firstStep, block.firstTime, block.lastStep, block.minStep, block.maxStep, block.count,
          block.nanCount,
        ].map(UInt64.init(bitPattern:))
        + [block.first, block.last, block.min, block.max, block.sum].map(\.bitPattern)
      for word in words { withUnsafeBytes(of: word.littleEndian) { out += $0 } }
    }
    return out
  }

  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> [PointBlock] {
    guard bytes.first == 0, (bytes.count - 1) % 96 == 0 else { throw .damaged("A level of a series") }
    return stride(from: 1, to: bytes.count, by: 96).map { at in
      func int(_ index: Int) -> Int64 {
        Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: at + 8 * index, as: Int64.self))
      }
      func double(_ index: Int) -> Double { Double(bitPattern: UInt64(bitPattern: int(index))) }
      return PointBlock(
        firstStep: int(0), firstTime: int(1), first: double(7), lastStep: int(2), last: double(8),
        min: double(9),
        minStep: int(3), max: double(10), maxStep: int(4), sum: double(11), count: int(5), nanCount: int(6))
    }
  }
}
