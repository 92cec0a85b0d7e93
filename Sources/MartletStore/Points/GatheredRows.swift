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
      for column in block.columns { take(column, of: block.steps.count, from: start - skipped, all) }
      return
    }
    let kept = all.filter { isKept(block.steps[$0]) }
    var places = [Int32](repeating: -1, count: block.steps.count)
    for (offset, row) in kept.enumerated() { places[row] = Int32(start + offset) }
    steps += kept.map { block.steps[$0] }
    times += kept.map { block.times[$0] }
    self.origins.append(origins.picked(kept))
    for column in block.columns { take(column, of: block.steps.count, places) }
  }

  /// Takes a column's rows in `range`, whose places are their indices and `offset`.
  private mutating func take(_ column: RowBlock.Column, of total: Int, from offset: Int, _ range: Range<Int>)
  {
    func append<Value>(_ values: [Value], to target: inout Column<Value>) {
      switch column.rows {
      case .all:
        target.rows.append(contentsOf: Int32(offset + range.lowerBound)..<Int32(offset + range.upperBound))
        target.values += values[range]
      case .some(let rows):
        let low = rows.partition { $0 < range.lowerBound }
        target.rows.append(contentsOf: rows[low...].lazy.map { $0 + Int32(offset) })
        target.values += values[low...]
      }
    }
    switch column.values {
    case .numbers(let values): append(values, to: &numbers[column.key, default: Column()])
    case .texts(let values): append(values, to: &texts[column.key, default: Column()])
    }
  }

  /// Takes a column's rows that have a place.
  private mutating func take(_ column: RowBlock.Column, of total: Int, _ places: [Int32]) {
    func append<Value>(_ values: [Value], to target: inout Column<Value>) {
      for (row, value) in zip(column.rows.indices(of: total), values) where places[Int(row)] >= 0 {
        target.rows.append(places[Int(row)])
        target.values.append(value)
      }
    }
    switch column.values {
    case .numbers(let values): append(values, to: &numbers[column.key, default: Column()])
    case .texts(let values): append(values, to: &texts[column.key, default: Column()])
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
    for (key, column) in numbers.sorted(by: { $0.key < $1.key }) where !column.rows.isEmpty {
      block.columns.append(
        RowBlock.Column(
          key: key, rows: RowBatch.Rows(column.rows, of: count), values: .numbers(column.values)))
    }
    for (key, column) in texts.sorted(by: { $0.key < $1.key }) where !column.rows.isEmpty {
      block.columns.append(
        RowBlock.Column(
          key: key, rows: RowBatch.Rows(column.rows, of: count), values: .texts(column.values)))
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
