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
      let value = 2 * exp(-Double(row) / Double(rows) * 3) * (1 + 0.05 * numbers.normal()) + 0.1 * Double(name)
      return asFloat32 ? Double(Float(value)) : value
    }
  }
}

let start: Int64 = 1_790_000_000_000_000

@main struct Main {
  static func main() throws {
    try decoding()
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
