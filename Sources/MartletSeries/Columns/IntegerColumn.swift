// Steps and times of a chunk.

public import MartletModel

/// Whole numbers of a chunk as bytes; any sequence of Int64 comes back as it was.
///
/// The first byte is the coding; of those that hold the numbers, the smallest is taken.
///
/// | | |
/// |---|---|
/// | 0 | equal distances: first, distance (zigzag varints) |
/// | 1 | first, then the differences of differences as zigzag varints, zstd |
/// | 2 | first, least difference, width; then what the differences are above the least, as planes of bytes, zstd |
/// | 3 | as they are, 8 bytes each |
///
/// Differences wrap around at 2^64.
public enum IntegerColumn {
  private enum Coding: UInt8 {
    case equalDistances = 0
    case secondDifferences = 1
    case differences = 2
    case plain = 3
  }

  /// - Parameter values: at most 2^20.
  public static func encode(_ values: [Int64]) -> [UInt8] {
    guard let first = values.first else { return [Coding.equalDistances.rawValue, 0, 0] }
    let differences = zip(values.dropFirst(), values).map { $0 &- $1 }
    let least = differences.min() ?? 0
    var out: [UInt8] = [Coding.equalDistances.rawValue]
    if differences.allSatisfy({ $0 == least }) {
      out.append(zigzag: first)
      out.append(zigzag: least)
      return out
    }
    let plain = 1 + 8 * values.count
    return [secondDifferences(first, differences), self.differences(first, differences, least: least)]
      .compactMap { $0 }.filter { $0.count < plain }.min { $0.count < $1.count } ?? self.plain(values)
  }

  private static func secondDifferences(_ first: Int64, _ differences: [Int64]) -> [UInt8]? {
    var raw: [UInt8] = []
    raw.reserveCapacity(2 * differences.count)
    var before: Int64 = 0
    for difference in differences {
      raw.append(zigzag: difference &- before)
      before = difference
    }
    guard let frame = Zstd.compress(raw) else { return nil }
    var out: [UInt8] = [Coding.secondDifferences.rawValue]
    out.append(zigzag: first)
    return out + frame
  }

  private static func differences(_ first: Int64, _ differences: [Int64], least: Int64) -> [UInt8]? {
    let above = differences.map { UInt64(bitPattern: $0 &- least) }
    let width = Planes.width(of: above)
    var raw: [UInt8] = []
    Planes.append(above, width: width, to: &raw)
    guard let frame = Zstd.compress(raw) else { return nil }
    var out: [UInt8] = [Coding.differences.rawValue]
    out.append(zigzag: first)
    out.append(zigzag: least)
    out.append(UInt8(width))
    return out + frame
  }

  private static func plain(_ values: [Int64]) -> [UInt8] {
    var out: [UInt8] = [Coding.plain.rawValue]
    out.append(words: values)
    return out
  }

  // MARK: - Decoding

  /// - Parameter count: how many were encoded.
  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(Problem) -> [Int64] {
    var reader = ByteReader(bytes, of: "A chunk of whole numbers")
    guard count >= 0, count <= ByteReader.longestColumn, let coding = Coding(rawValue: try reader.byte())
    else {
      throw reader.damage
    }
    if coding == .plain {
      let values = try reader.words(count)
      try reader.end()
      return values
    }
    var value = try reader.zigzag()
    if coding == .equalDistances {
      let distance = try reader.zigzag()
      try reader.end()
      guard count > 0 else { return [] }
      return [Int64](unsafeUninitializedCapacity: count) { values, filled in
        for index in 0..<count { values.initializeElement(at: index, to: value &+ Int64(index) &* distance) }
        filled = count
      }
    }
    // The codings that follow are of two numbers or more.
    guard count > 1 else { throw reader.damage }
    var values: [Int64] = []
    values.reserveCapacity(count)
    values.append(value)
    if coding == .secondDifferences {
      let raw = try reader.frame(lengths: (count - 1)...(10 * (count - 1)))
      try raw.withUnsafeBufferPointer { (raw) throws(Problem) in
        var varints = ByteReader(UnsafeRawBufferPointer(raw), of: "A chunk of whole numbers")
        var difference: Int64 = 0
        for _ in 1..<count {
          difference &+= try varints.zigzag()
          value &+= difference
          values.append(value)
        }
        try varints.end()
      }
    } else {
      let least = try reader.zigzag()
      let width = Int(try reader.byte())
      guard (1...8).contains(width) else { throw reader.damage }
      let raw = try reader.frame(lengths: (width * (count - 1))...(width * (count - 1)))
      for above in raw.withUnsafeBytes({ Planes.words($0, width: width, count: count - 1) }) {
        value &+= least &+ Int64(bitPattern: above)
        values.append(value)
      }
    }
    return values
  }
}

extension ByteReader {
  /// Values in one column, at most: what a damaged count may ask for.
  static let longestColumn = 1 << 20

  /// What is left, as a zstd frame.
  mutating func frame(lengths: ClosedRange<Int>) throws(Problem) -> [UInt8] {
    guard let bytes = Zstd.decompress(try slice(left), lengths: lengths) else { throw damage }
    return bytes
  }
}
