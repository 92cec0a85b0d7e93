// The head of a piece that is sent: the names by which its rows call their numbers.

import MartletModel
import MartletSeries
import OrderedCollections

enum SpoolNames {
  /// Info records that tell all of `names`. One is enough unless a name has two numbers, as only a broken client's has.
  ///
  /// - Parameter sequence: that of the row which follows.
  static func lead(_ names: [UInt32: String], before sequence: UInt64) -> [UInt8] {
    var left = names.sorted { $0.key < $1.key }
    var out: [UInt8] = []
    while !left.isEmpty {
      var told: JSONObject = [:]
      left = left.filter { number, name in
        guard told[name] == nil else { return true }
        told[name] = .int(Int64(number))
        return false
      }
      out += info(["names": .object(told)], sequence: sequence)
    }
    return out
  }

  /// One info record (docs/spool.md).
  private static func info(_ content: JSONValue, sequence: UInt64) -> [UInt8] {
    var body: [UInt8] = []
    append(sequence, to: &body)
    append(Int64(0), to: &body)
    append(Int64(0), to: &body)
    body.append(LogRecord.Kind.info.rawValue)
    body += content.bytes()
    var record: [UInt8] = []
    append(UInt32(body.count), to: &record)
    append(body.withUnsafeBytes { CRC32.checksum($0) }, to: &record)
    return record + body
  }

  private static func append(_ value: some FixedWidthInteger, to out: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { out += $0 }
  }
}
