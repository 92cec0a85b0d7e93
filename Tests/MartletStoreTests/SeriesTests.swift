// Series and summaries against a computation that is as plain as can be.

import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct SeriesTests {
  private struct Point {
    var step: Int64
    var value: Double
    var time: Int64
  }

  /// Random batches of one metric with repeated and unordered steps, gaps, and runs of NaN.
  private func history(_ dice: inout Dice) -> [[LogRow]] {
    var sequence: Int64 = 0
    var onlyNaN = false
    return (0..<Int.random(in: 1...8, using: &dice)).map { _ in
      (0..<Int.random(in: 1...60, using: &dice)).map { _ in
        defer { sequence += 1 }
        if Int.random(in: 0..<15, using: &dice) == 0 { onlyNaN.toggle() }
        let step =
          Int.random(in: 0..<3, using: &dice) == 0
          ? Int64.random(in: -50...700, using: &dice) : sequence * 2
        return row(sequence, step: step, ["x": onlyNaN ? .nan : dice.value()])
      }
    }
  }

  /// By step, later arrivals over earlier ones, within the window.
  private func expected(_ batches: [[LogRow]], from: Int64?, to: Int64?) -> [Point] {
    var points: [Int64: Point] = [:]
    for row in batches.joined() {
      guard let step = row.step, step >= from ?? .min, step <= to ?? .max else { continue }
      points[step] = Point(step: step, value: row.numbers[0].value, time: row.time.microseconds)
    }
    return points.values.sorted { $0.step < $1.step }
  }

  @Test(arguments: 1...12)
  func bucketsLoseNoMinimumAndNoMaximum(seed: UInt64) async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    var dice = Dice(state: seed)
    let batches = history(&dice)
    for batch in batches { try await bench.append(batch, to: run) }
    let windows: [(Int64?, Int64?)] = [(nil, nil), (40, nil), (nil, 200), (37, 201), (5, 5), (300, 100)]
    for (from, to) in windows {
      let points = expected(batches, from: from, to: to)
      for buckets in [1, 2, 3, 7, 50, 199, 1_000] {
        let series = try await bench.series(run, buckets: buckets, from: from, to: to)
        guard !points.isEmpty else {
          #expect(series.isEmpty)
          continue
        }
        let one = try #require(series.first)
        #expect(one.count == points.count)
        try compare(one, with: points, buckets: buckets)
      }
    }
  }

  private func compare(_ series: Series, with points: [Point], buckets: Int) throws {
    guard case .buckets(let first, let last, let min, let max, let mean, let counts, let nans) = series.points
    else {
      #expect(points.count <= buckets)
      #expect(series.steps == points.map(\.step))
      #expect(series.times == points.map(\.time))
      #expect(series.values?.map(\.bitPattern) == points.map(\.value.bitPattern))
      return
    }
    #expect(points.count > buckets)
    #expect(counts.count <= buckets)
    #expect(counts.reduce(0, +) == Int64(points.count))
    let width = Double(points[points.count - 1].step - points[0].step + 1) / Double(buckets)
    var rest = points[...]
    for (index, count) in counts.enumerated() {
      try #require(count > 0 && count <= rest.count)
      let part = rest.prefix(Int(count))
      rest = rest.dropFirst(Int(count))
      let numbers = part.map(\.value).filter { !$0.isNaN }
      #expect(series.steps[index] == part.first?.step)
      #expect(series.times[index] == part.first?.time)
      #expect(first[index].bitPattern == part.first?.value.bitPattern)
      #expect(last[index].bitPattern == part.last?.value.bitPattern)
      #expect(nans[index] == count - Int64(numbers.count))
      #expect(numbers.isEmpty ? min[index].isNaN : min[index] == numbers.min())
      #expect(numbers.isEmpty ? max[index].isNaN : max[index] == numbers.max())
      let average = numbers.reduce(0, +) / Double(numbers.count)
      #expect(isNear(mean[index], average))
      // Equal widths: no bucket spans more, and the next one begins in a width of its own.
      if let low = part.first?.step, let high = part.last?.step { #expect(Double(high - low) < width + 1e-6) }
    }
  }

  @Test(arguments: 1...12)
  func summariesGrowToWhatARecomputationGives(seed: UInt64) async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    var dice = Dice(state: seed &* 7919)
    var points: OrderedDictionary<String, [Point]> = [:]
    var next: [String: Int64] = [:]
    for _ in 0..<12 {
      let client = ["client-a", "client-b"][Int.random(in: 0...1, using: &dice)]
      let rows = (0..<Int64.random(in: 1...20, using: &dice)).map { offset in
        let step = Int64.random(in: -20...60, using: &dice)
        let names = ["a", "b", "c"].filter { _ in Bool.random(using: &dice) }
        return LogRow(
          sequence: next[client, default: 0] + offset, step: step,
          time: noon + Double(Int.random(in: 0...999, using: &dice)),
          numbers: names.map { ($0, dice.value()) },
          others: [])
      }
      next[client, default: 0] += Int64(rows.count)
      try await bench.append(rows, to: run, client: client)
      for row in rows {
        for (name, value) in row.numbers {
          points[name, default: []].append(
            Point(step: row.step ?? 0, value: value, time: row.time.microseconds))
        }
      }
      let shown = try await bench.show(run)
      #expect(shown.metrics.map(\.name) == points.keys.sorted())
      #expect(shown.points == Int64(points.values.map(\.count).reduce(0, +)))
      for metric in shown.metrics { check(metric, against: points[metric.name] ?? []) }
    }
  }

  private func check(_ metric: MetricSummary, against points: [Point]) {
    let numbers = points.filter { !$0.value.isNaN }
    let highest = points.map(\.step).max()
    let last = points.last { $0.step == highest }
    #expect(metric.count == Int64(points.count))
    #expect(metric.nanCount == Int64(points.count - numbers.count))
    #expect(metric.lastStep == highest)
    #expect(metric.lastTime.microseconds == last?.time)
    #expect(metric.last == last?.value || (metric.last.isNaN && last?.value.isNaN == true))
    let (low, high) = (numbers.map(\.value).min(), numbers.map(\.value).max())
    #expect(metric.min == low)
    #expect(metric.minStep == numbers.first { $0.value == low }?.step)
    #expect(metric.max == high)
    #expect(metric.maxStep == numbers.first { $0.value == high }?.step)
    let sum = numbers.reduce(0) { $0 + $1.value }
    #expect(metric.sum == sum || (metric.sum.isNaN && sum.isNaN))
  }

  /// Blocks that cannot be decoded stand outside of the window: who reads them fails.
  @Test func blocksOutsideTheWindowAreNotRead() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    let steps: [[Int64]] = [[.min, 3], [20, 10, 15], [25], [30, .max]]
    var sequence: Int64 = 0
    for block in steps {
      let rows = block.enumerated().map { row(sequence + Int64($0.offset), step: $0.element, ["x": 1]) }
      try await bench.append(rows, to: run)
      sequence += Int64(block.count)
    }
    try await bench.damageBlocks(butAtRow: 2)
    for (from, to) in [(4, 24), (4, 20), (10, 24), (12, 14)] as [(Int64, Int64)] {
      let found = try await bench.series(run, from: from, to: to).first?.steps ?? []
      #expect(found == [10, 15, 20].filter { (from...to).contains($0) })
    }
    for (from, to) in [(3, 20), (20, 25), (nil, 20), (10, nil), (nil, nil)] as [(Int64?, Int64?)] {
      _ = try await problem(.internal) { _ = try await bench.series(run, from: from, to: to) }
    }
  }

  @Test func onlyTheKeysThatWereAskedFor() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append([row(0, ["loss": 1, "acc": 2, "lr": 3], others: ["note": "x"])], to: run)
    #expect(try await bench.series(run).map(\.key) == ["acc", "loss", "lr"])
    #expect(try await bench.series(run, ["lr", "loss", "nothing", "note"]).map(\.key) == ["loss", "lr"])
    #expect(try await bench.series(run, []).isEmpty)
  }
}
