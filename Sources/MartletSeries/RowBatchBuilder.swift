// Rows to columns.

import MartletModel

/// Gathers rows into a batch.
struct RowBatchBuilder {
  private struct Column<Value> {
    var name: String
    var rows: [Int32] = []
    var values: [Value] = []
  }

  private var firstSequence: Int64 = 0
  private var steps: [Int64] = []
  private var stepless: [Int32] = []
  private var times: [Int64] = []
  private var numbers: [Column<Double>] = []
  private var texts: [Column<[UInt8]>] = []
  private var numberSlots: [String: Int] = [:]
  private var textSlots: [String: Int] = [:]

  var count: Int { steps.count }
  var nextSequence: Int64 { firstSequence + Int64(steps.count) }

  /// - Throws: `Problem.unprocessable`, and nothing is added.
  mutating func add(_ row: LogRow) throws(Problem) {
    guard steps.isEmpty || row.sequence == nextSequence else {
      throw Problem(
        .unprocessable, "Row \(row.sequence) follows row \(nextSequence - 1) in one batch.",
        hint: "Rows are numbered without gaps.")
    }
    for name in row.numbers.map(\.name) + row.others.map(\.name) {
      if let fault = MetricName.fault(of: name.inNormalForm) {
        throw Problem(.unprocessable, "Row \(row.sequence) \(fault).")
      }
    }
    if steps.isEmpty { firstSequence = row.sequence }
    let index = Int32(steps.count)
    if row.step == nil { stepless.append(index) }
    steps.append(row.step ?? 0)
    times.append(row.time.microseconds)
    for (name, value) in row.numbers {
      Self.put(value, name.inNormalForm, index, &numbers, &numberSlots)
    }
    for (name, value) in row.others {
      Self.put(value.bytes(), name.inNormalForm, index, &texts, &textSlots)
    }
  }

  private static func put<Value>(
    _ value: Value, _ name: String, _ row: Int32, _ columns: inout [Column<Value>],
    _ slots: inout [String: Int]
  ) {
    let slot: Int
    if let known = slots[name] {
      slot = known
    } else {
      slot = columns.count
      slots[name] = slot
      columns.append(Column(name: name))
    }
    if columns[slot].rows.last == row {
      columns[slot].values[columns[slot].values.count - 1] = value
    } else {
      columns[slot].rows.append(row)
      columns[slot].values.append(value)
    }
  }

  consuming func finish() -> RowBatch {
    let count = steps.count
    return RowBatch(
      firstSequence: firstSequence, steps: steps, stepless: stepless, times: times,
      numbers: numbers.map {
        RowBatch.Numbers(name: $0.name, rows: .init($0.rows, of: count), values: $0.values)
      },
      texts: texts.map { RowBatch.Texts(name: $0.name, rows: .init($0.rows, of: count), values: $0.values) })
  }
}
