// Numbers of one name in a chunk.

public import MartletModel

/// Numbers of a chunk as bytes; bit patterns come back as they were.
///
/// The first byte is the coding; of those that hold the numbers, the smallest is taken.
///
/// | | |
/// |---|---|
/// | 0 | all alike: the 8 bytes of one |
/// | 1 | whole numbers below 2^53: an `IntegerColumn` |
/// | 2 | widened 32-bit floats: planes of their 4 bytes, zstd |
/// | 3 | planes of 8 bytes, zstd |
/// | 4 | as they are, 8 bytes each |
public enum NumberColumn {
  private enum Coding: UInt8 {
    case alike = 0
    case whole = 1
    case floats = 2
    case doubles = 3
    case plain = 4
  }

  /// - Parameter values: at most 2^20.
  public static func encode(_ values: [Double]) -> [UInt8] {
    guard let first = values.first else { return [Coding.plain.rawValue] }
    if values.allSatisfy({ $0.bitPattern == first.bitPattern }) {
      var out: [UInt8] = [Coding.alike.rawValue]
      out.append(word: first.bitPattern)
      return out
    }
    let plain = 1 + 8 * values.count
    let planes =
      if let bits = floatBits(values) {
        Self.planes(bits, width: 4, .floats)
      } else {
        Self.planes(values.map(\.bitPattern), width: 8, .doubles)
      }
    let whole = wholeNumbers(values).map { [Coding.whole.rawValue] + IntegerColumn.encode($0) }
    if let best = [whole, planes].compactMap({ $0 }).min(by: { $0.count < $1.count }), best.count < plain {
      return best
    }
    var out: [UInt8] = [Coding.plain.rawValue]
    out.append(doubles: values)
    return out
  }

  private static func planes(_ bits: [UInt64], width: Int, _ coding: Coding) -> [UInt8]? {
    var raw: [UInt8] = []
    Planes.append(bits, width: width, to: &raw)
    return Zstd.compress(raw).map { [coding.rawValue] + $0 }
  }

  /// Nil when one of them is no whole number below 2^53, or a zero with a sign.
  private static func wholeNumbers(_ values: [Double]) -> [Int64]? {
    var whole: [Int64] = []
    for value in values {
      guard abs(value) < 0x1p53, case let number = Int64(value), Double(number).bitPattern == value.bitPattern
      else { return nil }
      whole.append(number)
    }
    return whole
  }

  /// The bits of 32-bit floats; nil when one of the values is another one then.
  static func floatBits(_ values: [Double]) -> [UInt64]? {
    var bits: [UInt64] = []
    bits.reserveCapacity(values.count)
    for value in values {
      let float = Float(value)
      guard Double(float).bitPattern == value.bitPattern else { return nil }
      bits.append(UInt64(float.bitPattern))
    }
    return bits
  }

  // MARK: - Decoding

  /// - Parameter count: how many were encoded.
  /// - Throws: `Problem.internal` when the bytes are damaged, as far as that can be seen.
  public static func decode(_ bytes: UnsafeRawBufferPointer, count: Int) throws(Problem) -> [Double] {
    var reader = ByteReader(bytes, of: "A chunk of numbers")
    guard count >= 0, count <= ByteReader.longestColumn, let coding = Coding(rawValue: try reader.byte())
    else {
      throw reader.damage
    }
    switch coding {
    case .plain:
      let values = try reader.doubles(count)
      try reader.end()
      return values
    case .alike:
      let value = try reader.doubles(1)[0]
      try reader.end()
      return Array(repeating: value, count: count)
    case .whole: return try IntegerColumn.decode(reader.slice(reader.left), count: count).map { Double($0) }
    case .floats:
      return try words(&reader, width: 4, count).map { Double(Float(bitPattern: UInt32($0))) }
    case .doubles: return try words(&reader, width: 8, count).map { Double(bitPattern: $0) }
    }
  }

  private static func words(
    _ reader: inout ByteReader, width: Int, _ count: Int
  ) throws(Problem) -> [UInt64] {
    let raw = try reader.frame(lengths: (width * count)...(width * count))
    return raw.withUnsafeBytes { Planes.words($0, width: width, count: count) }
  }
}
