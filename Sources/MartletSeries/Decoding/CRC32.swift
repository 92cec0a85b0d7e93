// The checksum of spool records.

/// CRC-32 of ISO 3309 (the one of zlib, gzip and PNG), sixteen bytes at a time: "slicing" (Kounavis and Berry, "A systematic
/// approach to building high performance, software-based, CRC generators", 2005).
public enum CRC32 {
  private static let slices = 16

  /// `tables[256 · k + b]`: what byte b does to the sum when k more bytes follow it.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = []
    for byte in 0..<UInt32(256) {
      var sum = byte
      for _ in 0..<8 { sum = sum & 1 == 1 ? 0xEDB8_8320 ^ (sum >> 1) : sum >> 1 }
      tables.append(sum)
    }
    for place in 256..<(256 * slices) {
      let before = tables[place - 256]
      tables.append(tables[Int(before & 0xFF)] ^ (before >> 8))
    }
    return tables
  }()

  public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var sum = ~UInt32(0)
      var at = 0
      // Indices are 256 · slice + byte, which the tables always have.
      func slice(_ index: Int, _ byte: UInt64) -> UInt32 { tables[256 &* index &+ Int(byte & 0xFF)] }
      while bytes.count &- at >= 16 {
        let low =
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) ^ UInt64(sum)
        let high = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at &+ 8, as: UInt64.self))
        let first = slice(15, low) ^ slice(14, low >> 8) ^ slice(13, low >> 16) ^ slice(12, low >> 24)
        let second = slice(11, low >> 32) ^ slice(10, low >> 40) ^ slice(9, low >> 48) ^ slice(8, low >> 56)
        let third = slice(7, high) ^ slice(6, high >> 8) ^ slice(5, high >> 16) ^ slice(4, high >> 24)
        let fourth = slice(3, high >> 32) ^ slice(2, high >> 40) ^ slice(1, high >> 48) ^ slice(0, high >> 56)
        sum = first ^ second ^ third ^ fourth
        at &+= 16
      }
      for byte in bytes[at...] { sum = tables[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
      return ~sum
    }
  }
}
