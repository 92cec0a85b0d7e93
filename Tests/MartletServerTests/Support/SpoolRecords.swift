// Records of a spool, as docs/spool.md has them.

import MartletSeries

struct SpoolRecords {
  var bytes: [UInt8] = []

  mutating func add(_ kind: UInt8, sequence: Int64, step: Int64 = 0, time: Int64 = 5, _ payload: [UInt8]) {
    var body: [UInt8] = []
    for value in [sequence, step, time] { withUnsafeBytes(of: value.littleEndian) { body += $0 } }
    body.append(kind)
    body += payload
    withUnsafeBytes(of: UInt32(body.count).littleEndian) { bytes += $0 }
    let checksum = body.withUnsafeBytes { CRC32.checksum($0) }
    withUnsafeBytes(of: checksum.littleEndian) { bytes += $0 }
    bytes += body
  }

  mutating func info(_ json: String) { add(1, sequence: 0, Array(json.utf8)) }

  mutating func points(_ sequence: Int64, step: Int64, _ values: [(id: UInt32, value: Double)]) {
    var payload: [UInt8] = []
    for (id, _) in values { withUnsafeBytes(of: id.littleEndian) { payload += $0 } }
    for (_, value) in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { payload += $0 } }
    add(0, sequence: sequence, step: step, payload)
  }
}
