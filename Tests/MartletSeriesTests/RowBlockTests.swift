// Blocks of rows: given back as they came, and never a crash over damaged bytes.

import MartletModel
import MartletSeries
import MartletTestSupport
import Testing

@Suite struct RowBlockTests {
  private func random(_ dice: inout SeededNumbers) -> RowBlock {
    let count = Int.random(in: 0..<4, using: &dice) == 0 ? 300 : Int.random(in: 0...40, using: &dice)
    var block = RowBlock()
    for _ in 0..<count {
      block.steps.append(Int64.random(in: .min ... .max, using: &dice))
      block.times.append(Int64.random(in: .min ... .max, using: &dice))
    }
    for key in 0..<Int64.random(in: 0...5, using: &dice) {
      // Few rows of many are named one by one.
      let share = Int.random(in: 0..<3, using: &dice) == 0 ? 0.01 : 0.5
      let rows = (0..<Int32(count)).filter { _ in Double.random(in: 0..<1, using: &dice) < share }
      let values: RowBlock.Values =
        Bool.random(using: &dice)
        ? .numbers(rows.map { _ in Double(bitPattern: dice.next()) })
        : .texts(
          rows.map { _ in
            (0..<Int.random(in: 0...9, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
          })
      block.columns.append(
        RowBlock.Column(key: key * 1_000_003, rows: RowBatch.Rows(rows, of: count), values: values))
    }
    return block
  }

  private func decode(_ bytes: [UInt8], keys: Set<Int64>? = nil) throws -> RowBlock {
    try withGuard(bytes) { try RowBlock.decode($0, keys: keys) }
  }

  private func expectSame(_ a: RowBlock.Column, _ b: RowBlock.Column) {
    #expect(a.key == b.key)
    #expect(a.rows == b.rows)
    switch (a.values, b.values) {
    case (.numbers(let a), .numbers(let b)): #expect(a.map(\.bitPattern) == b.map(\.bitPattern))
    case (.texts(let a), .texts(let b)): #expect(a == b)
    default: Issue.record("another kind of column")
    }
  }

  @Test(arguments: 1...100)
  func givesBackWhatItGot(seed: UInt64) throws {
    var dice = SeededNumbers(seed: seed)
    let block = random(&dice)
    let copy = try decode(block.encoded())
    #expect(copy.steps == block.steps)
    #expect(copy.times == block.times)
    #expect(copy.columns.count == block.columns.count)
    for (a, b) in zip(copy.columns, block.columns) { expectSame(a, b) }
    for column in block.columns {
      let one = try decode(block.encoded(), keys: [column.key])
      #expect(one.columns.count == 1)
      if let read = one.columns.first { expectSame(read, column) }
    }
  }

  /// Version 1 is in databases: its bytes never change.
  @Test func theBytesOfVersion1() {
    let block = RowBlock(
      steps: [1, -2], times: [3, 4],
      columns: [
        RowBlock.Column(key: 5, rows: .some([1]), values: .numbers([0.5])),
        RowBlock.Column(key: 6, rows: .all, values: .texts([[], Array("\"a\"".utf8)])),
      ])
    #expect(
      block.encoded() == [
        1, 2, 0, 0, 0, 2, 0, 0, 0,
        1, 0, 0, 0, 0, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0,
        5, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F,
        6, 0, 0, 0, 1, 12, 0, 0, 0, 3, 0, 0, 0, 0, 3, 0, 0, 0, 0x22, 0x61, 0x22,
      ])
  }

  @Test func theBytesOfVersion2() {
    let block = RowBlock(
      steps: Array(repeating: 0, count: 100), times: Array(repeating: 0, count: 100),
      columns: [
        RowBlock.Column(key: 5, rows: .some([99]), values: .numbers([0.5])),
        RowBlock.Column(key: 6, rows: .some([1, 2]), values: .texts([[], [0x31]])),
        RowBlock.Column(key: 7, rows: .some([1, 2, 3]), values: .numbers([0, 0, 0])),
      ])
    let bytes = block.encoded()
    #expect(bytes.prefix(9) == [2, 100, 0, 0, 0, 3, 0, 0, 0])
    #expect(
      bytes[1609...].prefix(46) == [
        5, 0, 0, 0, 2, 16, 0, 0, 0, 1, 0, 0, 0, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F,
        6, 0, 0, 0, 3, 21, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0,
      ])
    // Three rows take more than a bitmap of 13 bytes.
    #expect(bytes.suffix(9 + 13 + 24).prefix(10) == [7, 0, 0, 0, 0, 37, 0, 0, 0, 0x0E])
  }

  @Test func aBatchAsABlock() throws {
    let batch = try RowBatch([
      LogRow(sequence: 4, step: 1, time: noon, numbers: [("a", 1)], others: []),
      LogRow(sequence: 5, step: 2, time: noon, numbers: [("a", 2), ("b", -0.0)], others: [("c", nil)]),
    ])
    let block = try decode(RowBlock(batch, numberKeys: [7, 8], textKeys: [9]).encoded())
    #expect(block.steps == [1, 2])
    #expect(block.times == [noon.microseconds, noon.microseconds])
    #expect(block.columns.map(\.key) == [7, 8, 9])
    #expect(block.columns.map(\.rows) == [.all, .some([1]), .some([1])])
    guard case .texts(let texts) = block.columns[2].values else { throw Unexpected("no texts") }
    #expect(texts == [Array("null".utf8)])
  }

  @Test func damageIsNoCrash() throws {
    var dice = SeededNumbers(seed: 11)
    var block = random(&dice)
    while !(9...40).contains(block.steps.count) || block.columns.count < 3 { block = random(&dice) }
    try expectNoCrash(block)
    let sparse = RowBlock(
      steps: Array(repeating: 1, count: 99), times: Array(repeating: 2, count: 99),
      columns: [
        RowBlock.Column(key: 5, rows: .some([7, 98]), values: .numbers([0.5, 1])),
        RowBlock.Column(key: 6, rows: .some([1]), values: .texts([[0x31]])),
      ])
    try expectNoCrash(sparse)
  }

  private func expectNoCrash(_ block: RowBlock) throws {
    let whole = block.encoded()
    for length in whole.indices {
      #expect(throws: Problem.self) { try decode(Array(whole.prefix(length))) }
    }
    for position in whole.indices {
      for value in [0x00, 0x01, 0x7F, 0x80, 0xFF, whole[position] ^ 1, whole[position] ^ 0x80] as [UInt8] {
        var bytes = whole
        bytes[position] = value
        do {
          // Most damage to values cannot be seen: then the shape must still hold.
          let read = try decode(bytes)
          #expect(read.steps.count == read.times.count)
          for column in read.columns {
            #expect(column.rows.indices(of: read.steps.count).allSatisfy { Int($0) < read.steps.count })
          }
        } catch {
          #expect((error as? Problem)?.code == .internal)
        }
      }
    }
  }

  @Test(arguments: [0, 3, 255] as [UInt8])
  func anotherVersionIsRefused(version: UInt8) {
    #expect(throws: Problem.self) { try decode([version] + [UInt8](repeating: 0, count: 8)) }
  }
}
