// Codecs of stored columns: what goes in comes out, and damaged bytes are an error or other values, never a crash.

import MartletModel
import MartletTestSupport
import Testing

@testable import MartletSeries

private typealias Dice = SeededNumbers

@Suite struct ColumnTests {
  private func integers(_ bytes: [UInt8], _ count: Int) throws -> [Int64] {
    try withGuard(bytes) { try IntegerColumn.decode($0, count: count) }
  }

  private func numbers(_ bytes: [UInt8], _ count: Int) throws -> [Double] {
    try withGuard(bytes) { try NumberColumn.decode($0, count: count) }
  }

  private func texts(_ bytes: [UInt8], _ count: Int) throws -> [[UInt8]] {
    try withGuard(bytes) { try TextColumn.decode($0, count: count) }
  }

  // MARK: - Whole numbers

  private static func steps(_ kind: Int, _ dice: inout Dice) -> [Int64] {
    let count = dice.pick([0, 1, 2, 3, 7, 8, 9, 100, 1_000])
    var value = Int64(bitPattern: dice.next())
    return (0..<count).map { index in
      switch kind {
      case 0: return Int64(index)
      case 1: return .min &+ Int64(index) &* .max
      case 2: value &+= Int64.random(in: 19_500...20_500, using: &dice)
      case 3: value &+= dice.chance(1, in: 20) ? 1 << 40 : 1
      case 4: value = Int64(bitPattern: dice.next())
      case 5: value = dice.pick([.min, .max, 0, -1, 1])
      default: value = index % 2 == 0 ? .min : .max
      }
      return value
    }
  }

  @Test(arguments: 0...6)
  func wholeNumbersComeBack(kind: Int) throws {
    var dice = Dice(seed: UInt64(kind))
    for _ in 0..<40 {
      let values = Self.steps(kind, &dice)
      let bytes = IntegerColumn.encode(values)
      #expect(bytes.count <= max(21, 1 + 8 * values.count))
      #expect(try integers(bytes, values.count) == values)
    }
  }

  /// Regular steps and times cost next to nothing, noisy times hardly more than their noise.
  @Test func sizesOfSteps() {
    var dice = Dice(seed: 5)
    #expect(IntegerColumn.encode((0..<4_096).map { 10 * $0 }).count < 8)
    var time: Int64 = 1_790_000_000_000_000
    let times = (0..<4_096).map { _ in
      time += Int64.random(in: 19_800...20_200, using: &dice)
      return time
    }
    #expect(IntegerColumn.encode(times).count < 4_096 * 3 / 2)
  }

  // MARK: - Numbers

  private static func values(_ kind: Int, _ dice: inout Dice) -> [Double] {
    let count = dice.pick([0, 1, 2, 7, 8, 9, 128, 1_000])
    let one = dice.double()
    return (0..<count).map { index in
      switch kind {
      case 0: one
      case 1: Double(index / 10)
      case 2: Double(Float(Double.random(in: -1...1, using: &dice)))
      case 3: Double.random(in: -1...1, using: &dice)
      case 4: Double(bitPattern: dice.next())
      case 5: dice.pick([0, -0.0, 1, .nan, .infinity, -.infinity])
      case 6: Double(bitPattern: 0x7FF0_0000_0000_0001 | dice.next() & 0x800F_FFFF_FFFF_FFFF)
      case 7:
        dice.pick([0x1p53, -0x1p53, 0x1p53 - 1, 9e15, .greatestFiniteMagnitude, .leastNonzeroMagnitude])
      default: dice.double()
      }
    }
  }

  @Test(arguments: 0...8)
  func numbersComeBackBitForBit(kind: Int) throws {
    var dice = Dice(seed: UInt64(kind))
    for _ in 0..<40 {
      let values = Self.values(kind, &dice)
      let bytes = NumberColumn.encode(values)
      #expect(bytes.count <= 9 + 8 * values.count)
      #expect(try numbers(bytes, values.count).map(\.bitPattern) == values.map(\.bitPattern))
    }
  }

  @Test func sizesOfNumbers() {
    var dice = Dice(seed: 9)
    let losses = (0..<4_096).map {
      2 * (1 - Double($0) / 9_000) * Double.random(in: 0.95...1.05, using: &dice)
    }
    #expect(NumberColumn.encode(losses.map { Double(Float($0)) }).count < 4_096 * 37 / 10)
    #expect(NumberColumn.encode(losses).count < 4_096 * 72 / 10)
    #expect(NumberColumn.encode((0..<4_096).map { Double($0 / 100) }).count < 200)
    #expect(NumberColumn.encode(Array(repeating: .nan, count: 4_096)).count == 9)
  }

  // MARK: - Texts

  private static func someTexts(_ dice: inout Dice) -> [[UInt8]] {
    let kind = Int.random(in: 0..<4, using: &dice)
    let one = Array("\"the same text again\"".utf8)
    return (0..<dice.pick([0, 1, 2, 9, 60])).map { index in
      switch kind {
      case 0: one
      case 1: (0..<Int.random(in: 0...200, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
      case 2: Array("{\"path\":\"/images/sample-\(index).png\",\"size\":\(index * 17)}".utf8)
      default: []
      }
    }
  }

  @Test func textsComeBack() throws {
    var dice = Dice(seed: 2)
    for _ in 0..<200 {
      let values = Self.someTexts(&dice)
      let bytes = TextColumn.encode(values)
      #expect(bytes.count <= 1 + values.reduce(0) { $0 + $1.count + 2 })
      #expect(try texts(bytes, values.count) == values)
    }
  }

  @Test func piecesOfManyTexts() {
    #expect(TextColumn.pieces(of: []).isEmpty)
    #expect(TextColumn.pieces(of: [[], [1]]) == [0..<2])
    let half = [UInt8](repeating: 7, count: TextColumn.byteLimit / 2)
    #expect(TextColumn.pieces(of: [half, half, [1], [], half, half]) == [0..<2, 2..<5, 5..<6])
    // What is longer than the limit stands alone, however short its neighbours are.
    #expect(
      TextColumn.pieces(of: [[], [1], [1, 2, 3], [], [1, 2], [], [3, 4, 5]], ofBytes: 2) == [
        0..<2, 2..<3, 3..<6, 6..<7,
      ])
  }

  /// Beyond the limit a text comes back where it is alone, as `pieces` lays it.
  @Test func aTextBeyondTheLimit() throws {
    var long = [UInt8](repeating: 7, count: TextColumn.byteLimit + 1)
    long[5] = 8
    for range in TextColumn.pieces(of: [[1], long, []]) {
      let some = Array([[1], long, []][range])
      #expect(try texts(TextColumn.encode(some), some.count) == some)
    }
  }

  // MARK: - Rows

  @Test func rowsComeBack() throws {
    var dice = Dice(seed: 4)
    for _ in 0..<300 {
      let total = dice.pick([7, 8, 9, 63, 64, 65, 500, 4_096])
      let kind = Int.random(in: 0..<5, using: &dice)
      let rows = (0..<Int32(total)).filter { row in
        switch kind {
        case 0: row % 10 == 3
        case 1: dice.chance(1, in: 2)
        case 2: dice.chance(1, in: 100)
        case 3: row > total / 2
        default: row != total - 1
        }
      }
      let expected = RowBatch.Rows(rows, of: total)
      guard expected != .all else { continue }
      let bytes = try #require(Presence.encode(expected, of: total))
      #expect(bytes.count <= 2 + Bitmap.length(of: total))
      #expect(try withGuard(bytes) { try Presence.decode($0, of: total) } == expected)
    }
    #expect(Presence.encode(.all, of: 9) == nil)
    #expect(Presence.encode(.some(Array(0..<9)), of: 9) == nil)
    #expect(try Presence.decode(nil, of: 9) == .all)
    #expect(try #require(Presence.encode(.some((0..<409).map { 10 * $0 }), of: 4_096)).count < 9)
  }

  // MARK: - Damage

  /// Every byte of some encoded strings changed, and every piece cut off.
  private func damage(_ whole: [UInt8], _ decode: ([UInt8]) throws -> Bool) {
    for length in whole.indices { check(Array(whole.prefix(length)), decode) }
    for position in whole.indices {
      for value in [0, 0x7F, 0xFF, whole[position] ^ 1, whole[position] ^ 0x80] as [UInt8] {
        var bytes = whole
        bytes[position] = value
        check(bytes, decode)
      }
    }
    check(whole + [0], decode)
  }

  private func check(_ bytes: [UInt8], _ decode: ([UInt8]) throws -> Bool) {
    do {
      #expect(try decode(bytes))
    } catch {
      #expect((error as? Problem)?.code == .internal)
    }
  }

  @Test func damagedWholeNumbers() {
    var dice = Dice(seed: 3)
    for kind in 0...6 {
      var values = Self.steps(kind, &dice)
      while !(2...100).contains(values.count) { values = Self.steps(kind, &dice) }
      damage(IntegerColumn.encode(values)) { try integers($0, values.count).count == values.count }
    }
  }

  @Test func damagedNumbers() {
    var dice = Dice(seed: 3)
    for kind in 0...8 {
      var values = Self.values(kind, &dice)
      while !(2...128).contains(values.count) { values = Self.values(kind, &dice) }
      damage(NumberColumn.encode(values)) { try numbers($0, values.count).count == values.count }
    }
  }

  @Test func damagedTextsAndRows() {
    var dice = Dice(seed: 3)
    for _ in 0..<5 {
      let values = Self.someTexts(&dice)
      damage(TextColumn.encode(values)) { try texts($0, values.count).count == values.count }
    }
    for part in [2, 9, 50] {
      let rows = RowBatch.Rows((0..<900).filter { _ in dice.chance(1, in: part) }, of: 900)
      damage(Presence.encode(rows, of: 900) ?? []) { bytes in
        let rows = try withGuard(bytes) { try Presence.decode($0, of: 900) }.indices(of: 900)
        return zip(rows, rows.dropFirst()).allSatisfy { $0 < $1 }
          && rows.allSatisfy { (0..<900).contains($0) }
      }
    }
  }

  /// A frame that says it holds gigabytes is not believed.
  @Test func hugeContentIsRefused() throws {
    let frame = try #require(Zstd.compress([UInt8](repeating: 0, count: 1 << 20)))
    #expect(frame.count < 200)
    #expect(frame.withUnsafeBytes { Zstd.decompress($0, lengths: 0...(1 << 20)) }?.count == 1 << 20)
    #expect(frame.withUnsafeBytes { Zstd.decompress($0, lengths: 0...(1 << 19)) } == nil)
    // The size of the content stands behind magic number and descriptor; 0xC0 says it has 8 bytes.
    let huge: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0xE0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0]
    #expect(huge.withUnsafeBytes { Zstd.decompress($0, lengths: 0...Int.max) } == nil)
    for count in [-1, 1 << 21, Int.max] {
      #expect(throws: Problem.self) { try integers([0, 0, 0], count) }
      #expect(throws: Problem.self) { try numbers([0, 0, 0, 0, 0, 0, 0, 0, 0], count) }
      #expect(throws: Problem.self) { try texts([0], count) }
      #expect(throws: Problem.self) { try withGuard([1, 0]) { try Presence.decode($0, of: count) } }
    }
  }

  @Test func varints() throws {
    var dice = Dice(seed: 8)
    var words: [UInt64] = [0, 1, 127, 128, .max, .max - 1, 1 << 63]
    for _ in 0..<1_000 { words.append(dice.next() >> UInt64.random(in: 0..<64, using: &dice)) }
    var bytes: [UInt8] = []
    for word in words { bytes.append(varint: word) }
    for word in words { bytes.append(zigzag: Int64(bitPattern: word)) }
    try withGuard(bytes) { raw in
      var reader = ByteReader(raw, of: "A test")
      for word in words { #expect(try reader.varint() == word) }
      for word in words { #expect(try reader.zigzag() == Int64(bitPattern: word)) }
      try reader.end()
    }
    #expect(throws: Problem.self) {
      try withGuard([UInt8](repeating: 0xFF, count: 9) + [2]) { raw in
        var reader = ByteReader(raw, of: "A test")
        _ = try reader.varint()
      }
    }
  }
}
