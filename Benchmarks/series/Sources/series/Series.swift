// What the codecs of series cost: CPU time of this thread, the best of several rounds.
//
//   swift run -c release --package-path Benchmarks/series series

import Glibc
import MartletModel
import MartletSeries

/// xorshift64*: the same numbers in every run.
struct Numbers: RandomNumberGenerator {
  var state: UInt64 = 88_172_645_463_325_252

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }

  /// Standard normal, by the polar method (Marsaglia and Bray, 1964).
  mutating func normal() -> Double {
    while true {
      let u = Double.random(in: -1...1, using: &self)
      let v = Double.random(in: -1...1, using: &self)
      let s = u * u + v * v
      if s > 0, s < 1 { return u * (-2 * log(s) / s).squareRoot() }
    }
  }
}

/// CPU seconds of the fastest of `rounds` calls.
func fastest(of rounds: Int = 7, _ body: () throws -> Void) rethrows -> Double {
  func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
  var best = Double.infinity
  for _ in 0..<rounds {
    let start = now()
    try body()
    best = min(best, now() - start)
  }
  return best
}

func shown(_ value: Double, _ digits: Int = 1) -> String {
  withVaList([value]) { list in
    var text = [CChar](repeating: 0, count: 64)
    let length = vsnprintf(&text, text.count, "%.\(digits)f", list)
    return String(decoding: text.prefix(Int(max(0, length))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// Noisy losses that fall: 10 names a row.
func losses(rows: Int, asFloat32: Bool) -> [[Double]] {
  var numbers = Numbers()
  return (0..<10).map { name in
    (0..<rows).map { row in
      let value =
        2 * exp(-Double(row) / Double(rows) * 3) * (1 + 0.05 * numbers.normal()) + 0.1 * Double(name)
      return asFloat32 ? Double(Float(value)) : value
    }
  }
}

let start: Int64 = 1_790_000_000_000_000

@main struct Main {
  static func main() throws {
    try decoding()
    try records()
  }

  static func records() throws {
    let rows = 20_000
    let columns = losses(rows: rows, asFloat32: false)
    var body: [UInt8] = []
    func add(_ kind: UInt8, _ row: Int, _ payload: [UInt8]) {
      var record: [UInt8] = []
      for value in [Int64(row), Int64(row), start + Int64(row) * 20_000] { append(value, to: &record) }
      record.append(kind)
      record += payload
      append(UInt32(record.count), to: &body)
      append(record.withUnsafeBytes { CRC32.checksum($0) }, to: &body)
      body += record
    }
    let names = (0..<10).map { "\"train/loss_\($0)\":\($0)" }.joined(separator: ",")
    add(1, 0, Array("{\"names\":{\(names)}}".utf8))
    for row in 0..<rows {
      var payload: [UInt8] = []
      for id in 0..<UInt32(10) { append(id, to: &payload) }
      for column in columns { append(column[row].bitPattern, to: &payload) }
      add(0, row, payload)
    }
    let seconds = try fastest { _ = try LogRecords.decode(body) }
    report("decode records, 10 numbers a row", bytes: body.count, points: rows * 10, seconds)
    let sum = fastest { _ = body.withUnsafeBytes { CRC32.checksum($0) } }
    print("CRC-32: \(shown(Double(body.count) / sum / 1e6, 0)) MB/s")
  }

  static func append<Word: FixedWidthInteger>(_ word: Word, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: word.littleEndian) { bytes += $0 }
  }

  static func decoding() throws {
    let rows = 20_000
    for asFloat32 in [false, true] {
      let columns = losses(rows: rows, asFloat32: asFloat32)
      var body: [UInt8] = []
      for row in 0..<rows {
        body += "{\"seq\":\(row),\"step\":\(row),\"time\":\(start + Int64(row) * 20_000),\"values\":{".utf8
        for (name, column) in columns.enumerated() {
          body += "\(name > 0 ? "," : "")\"train/loss_\(name)\":\(column[row])".utf8
        }
        body += "}}\n".utf8
      }
      try lines("JSON lines, 10 \(asFloat32 ? "widened floats" : "doubles") a row", body, points: rows * 10)
    }
    var numbers = Numbers()
    var body: [UInt8] = []
    for row in 0..<rows {
      body += "{\"seq\": \(row), \"step\": \(row), \"values\": {\"loss\": \(numbers.normal())".utf8
      if row % 2 == 0 { body += ", \"accuracy\": 0.5, \"lr\": 1e-3".utf8 }
      body += ", \"epoch\": \(row / 100)}}\n".utf8
    }
    try lines("JSON lines, two shapes in turn", body, points: rows * 3)
  }

  static func lines(_ title: String, _ body: [UInt8], points: Int) throws {
    let seconds = try fastest { _ = try LogLines.decode(body, now: Timestamp(microseconds: start)) }
    report("decode \(title)", bytes: body.count, points: points, seconds)
  }

  static func report(_ title: String, bytes: Int, points: Int, _ seconds: Double) {
    print(
      "\(title): \(shown(Double(bytes) / seconds / 1e6, 0)) MB/s, \(shown(Double(points) / seconds / 1e6)) M points/s, "
        + "\(shown(seconds / Double(points) * 1e9)) ns a point")
  }
}
