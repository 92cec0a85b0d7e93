// Rows as columns and back.

import MartletModel
import MartletSeries
import MartletTestSupport
import Testing

@Suite struct RowBatchTests {
  private func random(_ dice: inout SeededNumbers) -> [LogRow] {
    let first = Int64.random(in: 0...100, using: &dice)
    return (0..<Int64.random(in: 1...30, using: &dice)).map { index in
      var row = LogRow(
        sequence: first + index, step: dice.chance(1, in: 4) ? nil : Int64(bitPattern: dice.next()),
        time: Timestamp(microseconds: Int64(bitPattern: dice.next())), numbers: [], others: [])
      for name in ["a", "b", "c", "d", "é"] where dice.chance(2, in: 3) {
        if dice.chance(3, in: 4) {
          row.numbers.append((name, dice.double()))
        } else {
          row.others.append((name, dice.pick([nil, true, "text", [1, 1.0], ["k": ["deep": -3]]])))
        }
      }
      return row
    }
  }

  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func rowsComeBack(seed: UInt64) throws {
    var dice = SeededNumbers(seed: seed)
    let rows = random(&dice)
    let batch = try RowBatch(rows)
    #expect(sorted(batch.rows()) == sorted(rows))
    #expect(batch.points == rows.reduce(0) { $0 + $1.numbers.count })
    #expect(
      batch.numbers.allSatisfy { !$0.values.isEmpty && $0.rows.count(of: batch.count) == $0.values.count })
    for column in batch.numbers where column.values.count == batch.count { #expect(column.rows == .all) }
    for count in 0...rows.count {
      var rest = batch
      rest.removeFirst(count)
      #expect(sorted(rest.rows()) == sorted(Array(rows.dropFirst(count))))
      #expect(rest.nextSequence == batch.nextSequence)
      #expect(rest.numbers.allSatisfy { !$0.values.isEmpty })
      for column in rest.numbers where column.values.count == rest.count { #expect(column.rows == .all) }
    }
  }

  @Test func namesInOneForm() throws {
    let row = LogRow(
      sequence: 0, step: 1, time: noon, numbers: [("e\u{301}", 1), ("a", 1), ("\u{E9}", 2)],
      others: [("a", "text")])
    let batch = try RowBatch([row])
    #expect(batch.numbers.map { Array($0.name.utf8) } == [[0xC3, 0xA9]])
    #expect(batch.numbers.map(\.values) == [[2]])
    #expect(batch.texts.map(\.name) == ["a"])
  }

  @Test func rowsThatAreNoBatch() {
    func row(_ sequence: Int64, _ name: String = "a") -> LogRow {
      LogRow(sequence: sequence, step: nil, time: noon, numbers: [(name, 1)], others: [])
    }
    for rows in [[row(0), row(2)], [row(0), row(0)], [row(-1)], [row(.max)], [row(0, "")], [row(0, "a\n")]] {
      let error = #expect(throws: Problem.self) { try RowBatch(rows) }
      #expect(error?.code == .unprocessable)
    }
    #expect((try? RowBatch([]))?.isEmpty == true)
  }

  @Test func columnsPicked() {
    let steps: [Int64] = [5, 6, 7]
    #expect(RowBatch.Rows.all.picked(from: steps) == steps)
    #expect(RowBatch.Rows.some([0, 2]).picked(from: steps) == [5, 7])
    #expect(RowBatch.Rows([0, 1, 2], of: 3) == .all)
    #expect(RowBatch.Rows.all.indices(of: 3) == [0, 1, 2])
  }
}
