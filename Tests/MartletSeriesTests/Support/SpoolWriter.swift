// Writes records as docs/spool.md has them.

import MartletSeries

struct SpoolWriter {
  var bytes: [UInt8] = []
  /// Where each record ends.
  var ends: [Int] = []

  mutating func add(
    _ kind: UInt8, sequence: UInt64, step: Int64 = 0, time: Int64 = 5, _ payload: [UInt8] = []
  ) {
    var body: [UInt8] = []
    withUnsafeBytes(of: sequence.littleEndian) { body += $0 }
    for value in [step, time] { withUnsafeBytes(of: value.littleEndian) { body += $0 } }
    body.append(kind)
    body += payload
    withUnsafeBytes(of: UInt32(body.count).littleEndian) { bytes += $0 }
    let checksum = body.withUnsafeBytes { CRC32.checksum($0) }
    withUnsafeBytes(of: checksum.littleEndian) { bytes += $0 }
    bytes += body
    ends.append(bytes.count)
  }

  mutating func info(_ json: String, sequence: UInt64 = 0) { add(1, sequence: sequence, Array(json.utf8)) }

  mutating func row(_ sequence: UInt64, step: Int64 = 0, _ json: String) {
    add(3, sequence: sequence, step: step, Array(json.utf8))
  }

  mutating func points(_ sequence: UInt64, step: Int64 = 0, _ values: [(id: UInt32, value: Double)]) {
    var payload: [UInt8] = []
    for (id, _) in values { withUnsafeBytes(of: id.littleEndian) { payload += $0 } }
    for (_, value) in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { payload += $0 } }
    add(0, sequence: sequence, step: step, payload)
  }
}
