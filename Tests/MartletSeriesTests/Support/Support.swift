// What the tests of series share.

import Foundation
import MartletModel
import MartletSeries
import MartletTestSupport

let noon = Timestamp(microseconds: 1_790_000_000_000_000)

/// Calls `body` with bytes behind which no memory lies: whoever reads beyond their end crashes.
func withGuard<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws -> Result) throws -> Result {
  let page = Int(sysconf(Int32(_SC_PAGESIZE)))
  let pages = (bytes.count + page - 1) / page
  let length = (pages + 1) * page
  guard let map = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
    map != MAP_FAILED
  else { throw Unexpected("no memory") }
  defer { munmap(map, length) }
  guard mprotect(map + pages * page, page, PROT_NONE) == 0 else { throw Unexpected("no guard") }
  let start = map + (pages * page - bytes.count)
  bytes.withUnsafeBytes { if let from = $0.baseAddress { start.copyMemory(from: from, byteCount: $0.count) } }
  return try body(UnsafeRawBufferPointer(start: start, count: bytes.count))
}

extension SeededNumbers {
  mutating func pick<Items: RandomAccessCollection>(_ items: Items) -> Items.Element {
    items[items.index(items.startIndex, offsetBy: Int.random(in: 0..<items.count, using: &self))]
  }

  mutating func chance(_ part: Int, in whole: Int) -> Bool { Int.random(in: 0..<whole, using: &self) < part }

  /// A double of any kind: bits at random, special ones, short decimals.
  mutating func double() -> Double {
    switch Int.random(in: 0..<6, using: &self) {
    case 0: Double(bitPattern: next())
    case 1:
      pick([0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 1e308, -.leastNormalMagnitude / 3])
    case 2: Double(Float(Double.random(in: -2...2, using: &self)))
    case 3: Double(Int.random(in: -1_000...1_000, using: &self))
    case 4: Double(bitPattern: 0x7FF0_0000_0000_0000 | next() & 0x800F_FFFF_FFFF_FFFF)
    default: Double.random(in: -1...1, using: &self)
    }
  }
}

/// Changes a few bytes, cuts, doubles or joins pieces.
func damaged(_ bytes: [UInt8], _ dice: inout SeededNumbers) -> [UInt8] {
  var bytes = bytes
  for _ in 0..<Int.random(in: 1...3, using: &dice) where !bytes.isEmpty {
    let at = Int.random(in: 0..<bytes.count, using: &dice)
    switch Int.random(in: 0..<6, using: &dice) {
    case 0: bytes[at] = UInt8.random(in: 0...255, using: &dice)
    case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
    case 2: bytes.removeSubrange(at...)
    case 3: bytes.remove(at: at)
    case 4: bytes.insert(dice.pick(Array("\"\\{}[]:,0-.eEuN \n\r\t".utf8)), at: at)
    default:
      let end = min(bytes.count, at + Int.random(in: 1...16, using: &dice))
      bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &dice))
    }
  }
  return bytes
}

/// Rows in a form to compare: numbers and others by name.
func sorted(_ rows: [LogRow]) -> [LogRow] {
  rows.map { row in
    var row = row
    row.numbers.sort { $0.name < $1.name }
    row.others.sort { $0.name < $1.name }
    return row
  }
}
