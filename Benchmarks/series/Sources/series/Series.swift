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
    try chunks()
    try buckets()
  }

  static let chunk = 4_096

  /// A chunk of 10 noisy losses, its steps and its times.
  static func chunks() throws {
    var numbers = Numbers()
    var time = start
    let steps = (0..<Int64(chunk)).map { $0 }
    let times = (0..<chunk).map { _ in
      time += 20_000 + Int64(abs(numbers.normal()) * 400)
      return time
    }
    let encoded = (IntegerColumn.encode(steps), IntegerColumn.encode(times))
    let shared = Double(encoded.0.count + encoded.1.count) / Double(chunk)
    print(
      "steps \(encoded.0.count) bytes a chunk, noisy times \(shown(Double(encoded.1.count) / Double(chunk), 2)) bytes each"
    )
    let timing = fastest { _ = IntegerColumn.encode(times) }
    let untiming = try fastest {
      _ = try encoded.1.withUnsafeBytes { try IntegerColumn.decode($0, count: chunk) }
    }
    print(
      "times: encode \(shown(timing / Double(chunk) * 1e9)), decode \(shown(untiming / Double(chunk) * 1e9)) ns each"
    )
    for asFloat32 in [true, false] {
      let columns = losses(rows: chunk, asFloat32: asFloat32)
      let kind = asFloat32 ? "widened floats" : "doubles"
      let points = Double(10 * chunk)
      let payloads = columns.map { NumberColumn.encode($0) }
      let blocks = columns.map { Levels.blocks(steps: steps, times: times, values: $0) }
      let levels = blocks.map { Levels.encode($0) }
      let values = Double(payloads.reduce(0) { $0 + $1.count }) / points
      let level = Double(levels.reduce(0) { $0 + $1.count }) / points
      print(
        "\(kind): \(shown(values, 2)) bytes a value, \(shown(level, 2)) of levels, \(shown(values + level + shared / 10, 2)) a point "
          + "with steps and times of 10 names, \(shown(values + level + shared, 2)) of one")
      let encode = fastest { for column in columns { _ = NumberColumn.encode(column) } }
      let decode = try fastest {
        for bytes in payloads { _ = try bytes.withUnsafeBytes { try NumberColumn.decode($0, count: chunk) } }
      }
      let block = fastest {
        for column in columns { _ = Levels.blocks(steps: steps, times: times, values: column) }
      }
      let pack = fastest { for block in blocks { _ = Levels.encode(block) } }
      print(
        "\(kind): encode \(shown(encode / points * 1e9)), decode \(shown(decode / points * 1e9)), blocks \(shown(block / points * 1e9)), "
          + "levels \(shown(pack / points * 1e9)) ns a point")
    }
  }

  /// One series of a million points.
  static func buckets() throws {
    let count = 1_000_000
    var numbers = Numbers()
    let steps = (0..<Int64(count)).map { $0 }
    let times = steps.map { start + 20_000 * $0 }
    let values = (0..<count).map { _ in Double(Float(numbers.normal())) }
    var rows: [(steps: [UInt8], times: [UInt8], values: [UInt8], level: [UInt8], count: Int)] = []
    var over: [[UInt8]] = []
    var entries: [PointBlock] = []
    let seal = fastest(of: 3) {
      rows = []
      over = []
      entries = []
      for first in stride(from: 0, to: count, by: chunk) {
        let range = first..<min(count, first + chunk)
        let (s, t, v) = (Array(steps[range]), Array(times[range]), Array(values[range]))
        let blocks = Levels.blocks(steps: s, times: t, values: v)
        rows.append(
          (
            IntegerColumn.encode(s), IntegerColumn.encode(t), NumberColumn.encode(v), Levels.encode(blocks),
            range.count
          ))
        if let entry = Levels.merged(blocks) { entries.append(entry) }
      }
      for first in stride(from: 0, to: entries.count, by: Levels.fanout) {
        over.append(Levels.encode(Array(entries[first..<min(entries.count, first + Levels.fanout)])))
      }
    }
    print("sealing 1M points: \(shown(seal * 1e3)) ms")
    for buckets in [200, 2_000] {
      var got = 0
      let levels = try fastest {
        var reduction = Reduction(window: 0...Int64(count - 1), buckets: buckets)
        for bytes in buckets > entries.count ? rows.map(\.level) : over {
          for block in try bytes.withUnsafeBytes({ try Levels.decode($0) }) { reduction.add(block) }
        }
        got = reduction.buckets.count
      }
      print("1M points to \(got) buckets from levels: \(shown(levels * 1e3, 2)) ms")
    }
    for average in [nil, MovingAverage(weight: 0.99)] {
      var got = 0
      let raw = try fastest {
        var reduction = Reduction(window: 0...Int64(count - 1), buckets: 2_000, average: average)
        for row in rows {
          reduction.add(
            steps: try row.steps.withUnsafeBytes { try IntegerColumn.decode($0, count: row.count) },
            times: try row.times.withUnsafeBytes { try IntegerColumn.decode($0, count: row.count) },
            values: try row.values.withUnsafeBytes { try NumberColumn.decode($0, count: row.count) })
        }
        got = reduction.buckets.count
      }
      print(
        "1M points to \(got) buckets from points\(average == nil ? "" : " with an average"): \(shown(raw * 1e3, 2)) ms"
      )
    }
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
