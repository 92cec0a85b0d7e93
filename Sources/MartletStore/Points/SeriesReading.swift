// Series read back: raw where they are short, in buckets where they are long.

import Foundation
import GRDB
package import MartletModel
import MartletSeries

extension StoreReader {
  /// The series of one run, by name.
  ///
  /// Of a repeated step the later arrival is shown. Buckets are equal widths of steps over the window, empty ones left
  /// out; no minimum or maximum is lost.
  package func series(
    run: PublicID, keys: [String]?, buckets: Int, fromStep: Int64?, toStep: Int64?
  ) throws -> [Series] {
    let row = try requireRunRow(run)
    var names: [Int64: String] = [:]
    let known = try Row.fetchAll(
      db,
      sql: """
        SELECT metric_key.id, metric_key.name FROM metric_summary
          JOIN metric_key ON metric_key.id = metric_summary.key_id WHERE run_id = ?
        """, arguments: [row])
    for row in known {
      let name: String = row["name"]
      if keys?.contains(name) ?? true { names[row["id"]] = name }
    }
    guard !names.isEmpty else { return [] }
    let wanted = Set(names.keys)
    var columns: [Int64: PointColumn] = [:]
    let blocks = try Row.fetchCursor(
      db,
      sql: """
        SELECT payload FROM row_block WHERE run_id = ? AND max_step >= ? AND min_step <= ? ORDER BY first_row
        """, arguments: [row, fromStep ?? .min, toStep ?? .max])
    while let row = try blocks.next() {
      let block = try row.withUnsafeData(named: "payload") { data in
        try (data ?? Data()).withUnsafeBytes { try RowBlock.decode($0, keys: wanted) }
      }
      for column in block.columns {
        guard case .numbers(let values) = column.values else { continue }
        columns[column.key, default: PointColumn()].append(
          rows: column.rows.indices(of: block.steps.count), values: values, steps: block.steps,
          times: block.times, from: fromStep,
          to: toStep)
      }
    }
    return names.sorted { $0.value < $1.value }.compactMap { key, name in
      columns[key]?.series(run: run, key: name, buckets: buckets)
    }
  }
}

/// One metric's points in order of arrival.
private struct PointColumn {
  var steps: [Int64] = []
  var times: [Int64] = []
  var values: [Double] = []

  mutating func append(
    rows: [Int32], values new: [Double], steps allSteps: [Int64], times allTimes: [Int64], from: Int64?,
    to: Int64?
  ) {
    for (row, value) in zip(rows, new) {
      let step = allSteps[Int(row)]
      if let from, step < from { continue }
      if let to, step > to { continue }
      steps.append(step)
      times.append(allTimes[Int(row)])
      values.append(value)
    }
  }

  /// By step, and of a repeated step only the later arrival.
  func ordered() -> PointColumn {
    if zip(steps, steps.dropFirst()).allSatisfy({ $0 < $1 }) { return self }
    var result = PointColumn()
    let order = steps.indices.sorted { (steps[$0], $0) < (steps[$1], $1) }
    for (place, index) in order.enumerated() {
      if place + 1 < order.count, steps[order[place + 1]] == steps[index] { continue }
      result.steps.append(steps[index])
      result.times.append(times[index])
      result.values.append(values[index])
    }
    return result
  }

  func series(run: PublicID, key: String, buckets: Int) -> Series? {
    guard !steps.isEmpty else { return nil }
    let points = ordered()
    guard points.steps.count > buckets, let low = points.steps.first, let high = points.steps.last else {
      return Series(
        run: run, key: key, count: points.steps.count, steps: points.steps, times: points.times,
        points: .raw(values: points.values))
    }
    return points.bucketed(run: run, key: key, buckets: buckets, low: low, high: high)
  }

  private func bucketed(run: PublicID, key: String, buckets: Int, low: Int64, high: Int64) -> Series {
    // Widths in Double: a window may span all of Int64.
    let width = (Double(high) - Double(low) + 1) / Double(buckets)
    var result = PointColumn()
    var (first, last, minima, maxima, means): ([Double], [Double], [Double], [Double], [Double]) = (
      [], [], [], [], []
    )
    var (counts, nanCounts): ([Int64], [Int64]) = ([], [])
    var sum = 0.0
    var current = -1
    func close() {
      guard let count = counts.last, let nans = nanCounts.last else { return }
      means.append(count > nans ? sum / Double(count - nans) : .nan)
    }
    for (index, step) in steps.enumerated() {
      let bucket = min(buckets - 1, Int((Double(step) - Double(low)) / width))
      let value = values[index]
      if bucket != current {
        close()
        current = bucket
        sum = 0
        result.steps.append(step)
        result.times.append(times[index])
        first.append(value)
        last.append(value)
        minima.append(.nan)
        maxima.append(.nan)
        counts.append(0)
        nanCounts.append(0)
      }
      let at = counts.count - 1
      counts[at] += 1
      last[at] = value
      if value.isNaN {
        nanCounts[at] += 1
      } else {
        sum += value
        // The first comparison with NaN is false, so a bucket's first number is always taken.
        minima[at] = minima[at] <= value ? minima[at] : value
        maxima[at] = maxima[at] >= value ? maxima[at] : value
      }
    }
    close()
    return Series(
      run: run, key: key, count: steps.count, steps: result.steps, times: result.times,
      points: .buckets(
        first: first, last: last, min: minima, max: maxima, mean: means, counts: counts, nanCounts: nanCounts)
    )
  }
}
