// Records of `log.idx`: when which output reached which size (docs/supervisor.md).

import MartletModel

/// One record: 17 bytes, little endian.
struct LogIndexRecord: Sendable, Hashable {
  static let length = 17

  /// Microseconds since 1970.
  var time: Int64
  var stream: LogStream
  /// Bytes that the stream had reached.
  var size: Int

  init(time: Int64, stream: LogStream, size: Int) {
    (self.time, self.stream, self.size) = (time, stream, size)
  }

  /// - Parameter bytes: at least `length` of them. Nil: no stream is meant, or no size.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.length,
      let stream = [1: LogStream.stdout, 2: LogStream.stderr][bytes[8]],
      let size = Int(exactly: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 9, as: UInt64.self)))
    else { return nil }
    time = Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: Int64.self))
    self.stream = stream
    self.size = size
  }

  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    withUnsafeBytes(of: time.littleEndian) { bytes += $0 }
    bytes.append(stream == .stdout ? 1 : 2)
    withUnsafeBytes(of: UInt64(size).littleEndian) { bytes += $0 }
    return bytes
  }
}
