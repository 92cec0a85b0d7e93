// Levels: blocks of points beside their chunks, and blocks of blocks above them.

public import MartletModel

/// Rows of the level table.
///
/// Level 0 has the blocks of 128 points of one chunk; a row of level 1 has one entry for each of 32 chunks; a row of level 2 one
/// for each of 32 rows of level 1; and so on.
///
/// A row as bytes: `u8` coding (0: zstd; 1: zstd, first, last, min and max are widened 32-bit floats; 2 and 3: the same without
/// zstd), how many entries (varint), then: seven varints an entry (first step above the last one of the entry before; min, max and
/// last step above the first; first time above the one before; count; count of NaN), planes of the bytes of all first, last,
/// min and max, planes of the bytes of all sums.
public enum Levels {
  /// Points in a block of level 0; the last one of a chunk may have fewer.
  public static let blockLength = 128
  /// Entries in a full row of level 1 and above.
  public static let fanout = 32
  /// Entries in one row, at most.
  public static let longest = 4_096

  /// The blocks of level 0 for one series' points in one chunk, in order.
  ///
  /// - Parameters: of one length.
  public static func blocks(steps: [Int64], times: [Int64], values: [Double]) -> [PointBlock] {
    stride(from: 0, to: values.count, by: blockLength).compactMap { start in
      PointBlock(
        steps: steps, times: times, values: values, range: start..<min(start + blockLength, values.count))
    }
  }

  /// All of them as one; nil when there is none.
  public static func merged(_ blocks: some Sequence<PointBlock>) -> PointBlock? {
    var result: PointBlock?
    for block in blocks {
      if result == nil { result = block } else { result?.merge(block) }
    }
    return result
  }

  // MARK: - Encoding

  /// - Parameter blocks: at most `longest`, in the order of their points.
  public static func encode(_ blocks: [PointBlock]) -> [UInt8] {
    var raw: [UInt8] = []
    var step: Int64 = 0
    var time: Int64 = 0
    for block in blocks {
      raw.append(zigzag: block.firstStep &- step)
      raw.append(zigzag: block.minStep &- block.firstStep)
      raw.append(zigzag: block.maxStep &- block.firstStep)
      raw.append(zigzag: block.lastStep &- block.firstStep)
      raw.append(zigzag: block.firstTime &- time)
      raw.append(zigzag: block.count)
      raw.append(zigzag: block.nanCount)
      (step, time) = (block.lastStep, block.firstTime)
    }
    let values = blocks.map(\.first) + blocks.map(\.last) + blocks.map(\.min) + blocks.map(\.max)
    let floats = NumberColumn.floatBits(values)
    Planes.append(floats ?? values.map(\.bitPattern), width: floats == nil ? 8 : 4, to: &raw)
    Planes.append(blocks.map(\.sum.bitPattern), width: 8, to: &raw)

    let frame = Zstd.compress(raw)
    let isPacked = frame.map { $0.count < raw.count } ?? false
    var out: [UInt8] = [(floats == nil ? 0 : 1) + (isPacked ? 0 : 2)]
    out.append(varint: UInt64(blocks.count))
    if isPacked, let frame { out += frame } else { out += raw }
    return out
  }

  // MARK: - Decoding

  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer) throws(Problem) -> [PointBlock] {
    var reader = ByteReader(bytes, of: "A level of a series")
    let coding = try reader.byte()
    guard coding < 4, let count = Int(exactly: try reader.varint()), count <= longest else {
      throw reader.damage
    }
    let width = coding & 1 == 1 ? 4 : 8
    if coding >= 2 { return try blocks(&reader, count, width: width) }
    // Seven varints of one byte to ten.
    let values = (4 * width + 8) * count
    let raw = try reader.frame(lengths: (values + 7 * count)...(values + 70 * count))
    return try raw.withUnsafeBufferPointer { (raw) throws(Problem) in
      var reader = ByteReader(UnsafeRawBufferPointer(raw), of: "A level of a series")
      return try blocks(&reader, count, width: width)
    }
  }

  private static func blocks(
    _ reader: inout ByteReader, _ count: Int, width: Int
  ) throws(Problem) -> [PointBlock] {
    var blocks: [PointBlock] = []
    blocks.reserveCapacity(count)
    var step: Int64 = 0
    var time: Int64 = 0
    for _ in 0..<count {
      let first = step &+ (try reader.zigzag())
      let minStep = first &+ (try reader.zigzag())
      let maxStep = first &+ (try reader.zigzag())
      let last = first &+ (try reader.zigzag())
      time &+= try reader.zigzag()
      let points = try reader.zigzag()
      let nans = try reader.zigzag()
      guard points >= 1, 0...points ~= nans else { throw reader.damage }
      blocks.append(
        PointBlock(
          firstStep: first, firstTime: time, first: 0, lastStep: last, last: 0, min: 0, minStep: minStep,
          max: 0,
          maxStep: maxStep, sum: 0, count: points, nanCount: nans))
      step = last
    }
    let values = Planes.words(try reader.slice(4 * width * count), width: width, count: 4 * count)
    let sums = Planes.words(try reader.slice(8 * count), width: 8, count: count)
    try reader.end()
    func value(_ index: Int) -> Double {
      width == 4 ? Double(Float(bitPattern: UInt32(values[index]))) : Double(bitPattern: values[index])
    }
    for index in 0..<count {
      blocks[index].first = value(index)
      blocks[index].last = value(count + index)
      blocks[index].min = value(2 * count + index)
      blocks[index].max = value(3 * count + index)
      blocks[index].sum = Double(bitPattern: sums[index])
    }
    return blocks
  }
}
