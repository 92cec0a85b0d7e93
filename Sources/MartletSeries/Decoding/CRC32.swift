// The checksum of spool records.

/// CRC-32 of ISO 3309 (the one of zlib, gzip and PNG).
public enum CRC32 {
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
  }

  public static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    ~table.withUnsafeBufferPointer { table in
      bytes.reduce(~0) { crc, byte in table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8 }
    }
  }
}
