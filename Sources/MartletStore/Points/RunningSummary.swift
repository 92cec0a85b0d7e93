// The aggregates of one metric of one run while points come in.

import MartletModel
import MartletSeries

/// What `metric_summary` holds of a metric, in memory.
struct RunningSummary: Equatable {
  /// Which columns of the row have to be written.
  struct Changes: OptionSet {
    let rawValue: Int
    static let last = Changes(rawValue: 1)
    static let min = Changes(rawValue: 2)
    static let max = Changes(rawValue: 4)
    /// Follows `min` or `max` where the metric has a goal.
    static let best = Changes(rawValue: 8)
  }

  var last = Double.nan
  var lastStep = Int64.min
  var lastTime: Int64 = 0
  /// Of numbers; has a meaning where `count` is above `nanCount`.
  var min = Double.infinity
  var minStep: Int64 = 0
  var max = -Double.infinity
  var maxStep: Int64 = 0
  var sum = 0.0
  var count: Int64 = 0
  var nanCount: Int64 = 0

  var hasNumbers: Bool { count > nanCount }

  /// NaN without a goal or numbers.
  func best(_ goal: Objective.Goal?) -> Double {
    guard hasNumbers, let goal else { return .nan }
    return goal == .minimize ? min : max
  }

  /// Takes in one more point. The last value is that of the highest step; of equal steps, the later arrival.
  @inline(__always)
  mutating func add(_ value: Double, step: Int64, time: Int64) -> Changes {
    var changes: Changes = []
    if count == 0 || step >= lastStep {
      (last, lastStep, lastTime) = (value, step, time)
      changes.insert(.last)
    }
    count += 1
    if value.isNaN {
      nanCount += 1
      return changes
    }
    sum += value
    let isFirst = count - nanCount == 1
    if value < min || isFirst {
      (min, minStep) = (value, step)
      changes.insert(.min)
    }
    if value > max || isFirst {
      (max, maxStep) = (value, step)
      changes.insert(.max)
    }
    return changes
  }

  /// Takes in a column of a batch, whose steps and times are `steps` and `times`.
  mutating func add(_ column: RowBatch.Numbers, steps: [Int64], times: [Int64]) -> Changes {
    var changes: Changes = []
    switch column.rows {
    case .all:
      for (index, value) in column.values.enumerated() {
        changes.formUnion(add(value, step: steps[index], time: times[index]))
      }
    case .some(let rows):
      for (row, value) in zip(rows, column.values) {
        changes.formUnion(add(value, step: steps[Int(row)], time: times[Int(row)]))
      }
    }
    return changes
  }

  /// Takes in points that arrived later, but for the last value, which a block does not have whole.
  mutating func addAggregates(of block: PointBlock) {
    let hadNumbers = hasNumbers
    count += block.count
    nanCount += block.nanCount
    sum += block.sum
    guard block.count > block.nanCount else { return }
    if block.min < min || !hadNumbers { (min, minStep) = (block.min, block.minStep) }
    if block.max > max || !hadNumbers { (max, maxStep) = (block.max, block.maxStep) }
  }
}
