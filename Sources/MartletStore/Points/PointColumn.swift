// Points of one series as they are read.

import MartletModel
import MartletSeries

/// One metric's points in a window, in the order of their arrival.
struct PointColumn {
  var steps: [Int64] = []
  var times: [Int64] = []
  var values: [Double] = []
  /// The axis at each point; empty where the series has none of its own.
  var xs: [Double] = []

  var count: Int { steps.count }

  /// Appends the points of a stretch of rows.
  ///
  /// - Parameters:
  ///   - rows: those that have the metric, and their `values`.
  ///   - allSteps, allTimes: of all rows of the stretch.
  ///   - skipped: rows at the beginning that are passed over.
  ///   - window: steps that are wanted; nil: all.
  ///   - axis: of the same stretch; points of rows without it are left out.
  mutating func append(
    rows: RowBatch.Rows, values new: [Double], steps allSteps: [Int64], times allTimes: [Int64],
    skipping skipped: Int = 0, window: ClosedRange<Int64>?, axis: Axis? = nil
  ) {
    if case .all = rows, skipped == 0, window == nil, axis == nil {
      steps += allSteps
      times += allTimes
      values += new
      return
    }
    var index = 0
    func take(_ row: Int) {
      defer { index += 1 }
      let step = allSteps[row]
      guard row >= skipped, window?.contains(step) ?? true else { return }
      if let axis {
        guard axis.isPresent[row] else { return }
        xs.append(axis.values[row])
      }
      steps.append(step)
      times.append(allTimes[row])
      values.append(new[index])
    }
    switch rows {
    case .all: for row in new.indices { take(row) }
    case .some(let rows): for row in rows { take(Int(row)) }
    }
  }

  var isOrdered: Bool { steps.isStrictlyIncreasing }

  /// By step, and of a repeated step only the later arrival.
  consuming func ordered() -> PointColumn {
    guard !isOrdered else { return self }
    let order = steps.indices.sorted { (steps[$0], $0) < (steps[$1], $1) }
    var result = PointColumn()
    for (place, index) in order.enumerated() {
      if place + 1 < order.count, steps[order[place + 1]] == steps[index] { continue }
      result.steps.append(steps[index])
      result.times.append(times[index])
      result.values.append(values[index])
      if !xs.isEmpty { result.xs.append(xs[index]) }
    }
    return result
  }

  /// How many points at the beginning are below a step; the points are in order.
  func count(below step: Int64) -> Int {
    var (low, high) = (0, steps.count)
    while low < high {
      let middle = (low + high) / 2
      if steps[middle] < step { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The values of the axis in a stretch of rows, by row.
struct Axis {
  var isPresent: [Bool]
  var values: [Double]

  init(rows: RowBatch.Rows, values: [Double], of total: Int) {
    isPresent = Array(repeating: false, count: total)
    self.values = Array(repeating: .nan, count: total)
    for (row, value) in zip(rows.indices(of: total), values) {
      isPresent[Int(row)] = true
      self.values[Int(row)] = value
    }
  }

  /// Of a stretch whose rows all lack it.
  init(absentIn total: Int) { self.init(rows: .some([]), values: [], of: total) }
}

extension PointColumn {
  /// Appends points that arrived later.
  mutating func append(_ later: PointColumn) {
    guard count > 0 else {
      self = later
      return
    }
    steps += later.steps
    times += later.times
    values += later.values
    xs += later.xs
  }

  /// Without the first `count` points.
  func dropping(_ count: Int) -> PointColumn {
    guard count > 0 else { return self }
    var rest = PointColumn()
    rest.steps = Array(steps.dropFirst(count))
    rest.times = Array(times.dropFirst(count))
    rest.values = Array(values.dropFirst(count))
    if !xs.isEmpty { rest.xs = Array(xs.dropFirst(count)) }
    return rest
  }
}
