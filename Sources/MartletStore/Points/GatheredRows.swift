// Rows of a run brought together from blocks and chunks, to be laid into chunks anew.

import MartletModel
import MartletSeries

/// Consecutive rows of one run, as columns by key.
struct GatheredRows {
  struct Column<Value> {
    /// Indices into the gathered rows, ascending.
    var rows: [Int32] = []
    var values: [Value] = []

    /// What lies in `range`, with indices from its begin.
    func slice(_ range: Range<Int>) -> Column {
      let low = rows.partition { $0 < range.lowerBound }
      let high = rows.partition { $0 < range.upperBound }
      return Column(
        rows: rows[low..<high].map { $0 - Int32(range.lowerBound) }, values: Array(values[low..<high]))
    }
  }

  /// Of the first row, in the run.
  var firstRow: Int64
  var steps: [Int64] = []
  var times: [Int64] = []
  var origins = Origins()
  /// When the last of them came, by the server's clock.
  var receivedAt: Int64 = 0
  var numbers: [Int64: Column<Double>] = [:]
  var texts: [Int64: Column<[UInt8]>] = [:]

  init(firstRow: Int64) { self.firstRow = firstRow }

  var count: Int { steps.count }

  /// Appends a block, but for `skipped` rows at its beginning and those that `isKept` refuses.
  ///
  /// - Parameter origins: of all rows of the block.
  mutating func append(
    _ block: RowBlock, origins: Origins, receivedAt: Int64, skipping skipped: Int = 0,
    where isKept: ((_ step: Int64) -> Bool)? = nil
  ) {
    self.receivedAt = max(self.receivedAt, receivedAt)
    let start = count
    let all = skipped..<block.steps.count
    guard let isKept, block.steps[all].contains(where: { !isKept($0) }) else {
      steps += block.steps[all]
      times += block.times[all]
      self.origins.append(skipped == 0 ? origins : origins.slice(all))
      for column in block.columns {
        take(column) { row in
          Int(row) < skipped ? nil : Int32(start + Int(row) - skipped)
        }
      }
      return
    }
    let kept = all.filter { isKept(block.steps[$0]) }
    var places = [Int32](repeating: -1, count: block.steps.count)
    for (offset, row) in kept.enumerated() { places[row] = Int32(start + offset) }
    steps += kept.map { block.steps[$0] }
    times += kept.map { block.times[$0] }
    self.origins.append(origins.picked(kept))
    for column in block.columns {
      take(column) { row in
        places[Int(row)] >= 0 ? places[Int(row)] : nil
      }
    }
  }

  private mutating func take(_ column: RowBlock.Column, place: (Int32) -> Int32?) {
    switch column.values {
    case .numbers(let values):
      Self.take(column.rows, values, into: &numbers[column.key, default: Column()], place)
    case .texts(let values):
      Self.take(column.rows, values, into: &texts[column.key, default: Column()], place)
    }
  }

  private static func take<Value>(
    _ rows: [Int32], _ values: [Value], into target: inout Column<Value>, _ place: (Int32) -> Int32?
  ) {
    target.rows.reserveCapacity(target.rows.count + rows.count)
    target.values.reserveCapacity(target.values.count + rows.count)
    for (row, value) in zip(rows, values) {
      guard let place = place(row) else { continue }
      target.rows.append(place)
      target.values.append(value)
    }
  }

  /// Some of these rows.
  func slice(_ range: Range<Int>) -> GatheredRows {
    var slice = GatheredRows(firstRow: firstRow + Int64(range.lowerBound))
    slice.steps = Array(steps[range])
    slice.times = Array(times[range])
    slice.origins = origins.slice(range)
    slice.receivedAt = receivedAt
    slice.numbers = numbers.mapValues { $0.slice(range) }.filter { !$0.value.rows.isEmpty }
    slice.texts = texts.mapValues { $0.slice(range) }.filter { !$0.value.rows.isEmpty }
    return slice
  }

  /// All rows as one block of the tail.
  func block() -> RowBlock {
    var block = RowBlock(steps: steps, times: times)
    for (key, column) in numbers.sorted(by: { $0.key < $1.key }) {
      block.columns.append(
        RowBlock.Column(key: key, rows: column.rows, values: .numbers(column.values)))
    }
    for (key, column) in texts.sorted(by: { $0.key < $1.key }) {
      block.columns.append(RowBlock.Column(key: key, rows: column.rows, values: .texts(column.values)))
    }
    return block
  }
}

extension [Int32] {
  /// How many items at the beginning fulfil a condition that no later one fulfils.
  fileprivate func partition(_ isBefore: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(Int(self[middle])) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
