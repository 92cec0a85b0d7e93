// Whole numbers in as many bytes as they need: seven bits a byte, the lowest first, the highest bit set in all but the last.

import MartletModel

extension [UInt8] {
  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(rest))
  }

  /// Small numbers of both signs take few bytes: 0, -1, 1, -2, … as 0, 1, 2, 3, …
  mutating func append(zigzag value: Int64) {
    append(varint: UInt64(bitPattern: value &<< 1 ^ value &>> 63))
  }
}

extension ByteReader {
  mutating func varint() throws(Problem) -> UInt64 {
    // Most are small. Read in place: a level has thousands of them.
    guard left > 0 else { throw damage }
    let first = bytes[at]
    if first < 0x80 {
      skip(1)
      return UInt64(first)
    }
    var value = UInt64(first & 0x7F)
    var (shift, length): (UInt64, Int) = (7, 1)
    while length < left {
      let byte = bytes[at + length]
      // The tenth byte has one bit left.
      if shift == 63, byte > 1 { throw damage }
      value |= UInt64(byte & 0x7F) &<< shift
      length += 1
      if byte < 0x80 {
        skip(length)
        return value
      }
      shift += 7
    }
    throw damage
  }

  mutating func zigzag() throws(Problem) -> Int64 {
    let word = try varint()
    return Int64(bitPattern: word >> 1) ^ -Int64(bitPattern: word & 1)
  }
}
