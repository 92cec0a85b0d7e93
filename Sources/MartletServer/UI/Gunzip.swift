// Unpacks gzip for the rare client that cannot (curl without --compressed): RFC 1951 and 1952.

/// Why bytes are no gzip.
struct GzipError: Error, CustomStringConvertible {
  var description: String { "these bytes are no whole gzip file" }
}

/// The contents of a gzip file of one member.
func gunzip(_ bytes: [UInt8]) throws(GzipError) -> [UInt8] {
  var inflater = try Inflater(gzip: bytes)
  return try inflater.run()
}

private struct Inflater {
  private let bytes: [UInt8]
  private var at: Int
  private var bits: UInt32 = 0
  private var bitCount = 0
  private var out: [UInt8] = []

  /// Skips the header (RFC 1952 §2.3).
  init(gzip bytes: [UInt8]) throws(GzipError) {
    guard bytes.count >= 18, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 else { throw GzipError() }
    let flags = bytes[3]
    var at = 10
    if flags & 4 != 0 { at += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
    for flag in [8, 16] as [UInt8] where flags & flag != 0 {
      guard at < bytes.count, let end = bytes[at...].firstIndex(of: 0) else { throw GzipError() }
      at = end + 1
    }
    if flags & 2 != 0 { at += 2 }
    self.bytes = bytes
    self.at = at
  }

  mutating func run() throws(GzipError) -> [UInt8] {
    var isLast = false
    while !isLast {
      isLast = try read(1) == 1
      switch try read(2) {
      case 0: try stored()
      case 1: try compressed(literals: .fixedLiterals, distances: .fixedDistances)
      case 2:
        let (literals, distances) = try dynamicCodes()
        try compressed(literals: literals, distances: distances)
      default: throw GzipError()
      }
    }
    return out
  }

  private mutating func read(_ count: Int) throws(GzipError) -> Int {
    while bitCount < count {
      guard at < bytes.count else { throw GzipError() }
      bits |= UInt32(bytes[at]) << UInt32(bitCount)
      at += 1
      bitCount += 8
    }
    let value = bits & (1 << UInt32(count) - 1)
    bits >>= UInt32(count)
    bitCount -= count
    return Int(value)
  }

  /// RFC 1951 §3.2.4.
  private mutating func stored() throws(GzipError) {
    at -= bitCount / 8
    (bits, bitCount) = (0, 0)
    let (length, check) = (try read(16), try read(16))
    guard length == check ^ 0xFFFF, bytes.count - at >= length else { throw GzipError() }
    out += bytes[at..<(at + length)]
    at += length
  }

  /// RFC 1951 §3.2.5.
  private mutating func compressed(literals: Code, distances: Code) throws(GzipError) {
    while true {
      let symbol = try decode(literals)
      if symbol < 256 {
        out.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol <= 285 else { throw GzipError() }
      let length = lengthBases[symbol - 257] + (try read(lengthExtra[symbol - 257]))
      let code = try decode(distances)
      guard code < 30 else { throw GzipError() }
      let extra = max(0, code / 2 - 1)
      let distance = (code < 4 ? code + 1 : 1 + (2 + code & 1) << extra) + (try read(extra))
      guard distance <= out.count else { throw GzipError() }
      for _ in 0..<length { out.append(out[out.count - distance]) }
    }
  }

  /// RFC 1951 §3.2.7.
  private mutating func dynamicCodes() throws(GzipError) -> (literals: Code, distances: Code) {
    let (literals, distances, codes) = (try read(5) + 257, try read(5) + 1, try read(4) + 4)
    var lengths = [Int](repeating: 0, count: 19)
    for index in 0..<codes { lengths[codeLengthOrder[index]] = try read(3) }
    let code = Code(lengths: lengths)
    lengths = []
    while lengths.count < literals + distances {
      let symbol = try decode(code)
      switch symbol {
      case 16:
        guard let last = lengths.last else { throw GzipError() }
        lengths += Array(repeating: last, count: 3 + (try read(2)))
      case 17: lengths += Array(repeating: 0, count: 3 + (try read(3)))
      case 18: lengths += Array(repeating: 0, count: 11 + (try read(7)))
      default: lengths.append(symbol)
      }
    }
    guard lengths.count == literals + distances else { throw GzipError() }
    return (Code(lengths: Array(lengths[..<literals])), Code(lengths: Array(lengths[literals...])))
  }

  /// Bit by bit, comparing with the first code of each length.
  private mutating func decode(_ code: Code) throws(GzipError) -> Int {
    var (value, first, index) = (0, 0, 0)
    for length in 1...15 {
      value |= try read(1)
      let count = code.counts[length]
      if value - count < first { return code.symbols[index + value - first] }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw GzipError()
  }
}

/// A canonical Huffman code (RFC 1951 §3.2.2): how many symbols have each length, and the symbols in order.
private struct Code {
  let counts: [Int]
  let symbols: [Int]

  init(lengths: [Int]) {
    var counts = [Int](repeating: 0, count: 16)
    for length in lengths where length > 0 { counts[length] += 1 }
    self.counts = counts
    symbols = lengths.indices.filter { lengths[$0] > 0 }.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
  }

  static let fixedLiterals = Code(
    lengths: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  static let fixedDistances = Code(lengths: Array(repeating: 5, count: 30))
}

private let codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
private let lengthBases = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
]
private let lengthExtra = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]
