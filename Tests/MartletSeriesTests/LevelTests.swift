// Blocks, levels and buckets beside the plainest way to compute them.

import Foundation
import MartletModel
import MartletSeries
import MartletTestSupport
import Testing

private typealias Dice = SeededNumbers

/// Points of one series, steps strictly increasing.
private struct Points {
  var steps: [Int64] = []
  var times: [Int64] = []
  var values: [Double] = []

  init(count: Int, kind: Int, _ dice: inout Dice) {
    var step: Int64 = kind == 1 ? .min : Int64.random(in: -1_000...1_000, using: &dice)
    for index in 0..<count {
      if index > 0 {
        switch kind {
        case 1: step += Int64.max / Int64(max(count, 2)) * 2
        case 2: step += dice.chance(1, in: 50) ? Int64.random(in: 1...100_000, using: &dice) : 1
        default: step += 1
        }
      }
      steps.append(step)
      times.append(1_790_000_000_000_000 + Int64(index) * 20_000 + Int64.random(in: 0...9_000, using: &dice))
      values.append(kind == 3 ? .nan : kind == 4 ? dice.double() : Double.random(in: -1...1, using: &dice))
    }
    if kind == 1, let last = steps.indices.last { steps[last] = .max }
  }

  func slice(_ range: Range<Int>) -> (steps: [Int64], times: [Int64], values: [Double]) {
    (Array(steps[range]), Array(times[range]), Array(values[range]))
  }

  /// One by one.
  func summary(_ range: Range<Int>) -> PointBlock? {
    Levels.merged(range.map { PointBlock(step: steps[$0], time: times[$0], value: values[$0]) })
  }
}

private func expectSame(
  _ a: PointBlock?, _ b: PointBlock?, sourceLocation: SourceLocation = #_sourceLocation
) {
  func near(_ a: Double, _ b: Double) -> Bool {
    a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 1e-9 * max(1, abs(a))
  }
  guard let a, let b else {
    #expect(a == nil && b == nil, sourceLocation: sourceLocation)
    return
  }
  #expect(
    a.firstStep == b.firstStep && a.firstTime == b.firstTime && a.lastStep == b.lastStep
      && a.first.bitPattern == b.first.bitPattern && a.last.bitPattern == b.last.bitPattern,
    sourceLocation: sourceLocation)
  #expect(a.count == b.count && a.nanCount == b.nanCount, sourceLocation: sourceLocation)
  #expect(a.min == b.min || (a.min.isNaN && b.min.isNaN), sourceLocation: sourceLocation)
  #expect(a.max == b.max || (a.max.isNaN && b.max.isNaN), sourceLocation: sourceLocation)
  #expect(a.minStep == b.minStep && a.maxStep == b.maxStep, sourceLocation: sourceLocation)
  #expect(near(a.sum, b.sum), "\(a.sum) \(b.sum)", sourceLocation: sourceLocation)
}

@Suite struct LevelTests {
  @Test(arguments: 0...4)
  func blocksAreTheSumOfTheirPoints(kind: Int) {
    var dice = Dice(seed: UInt64(kind))
    for _ in 0..<60 {
      let points = Points(count: Int.random(in: 1...40, using: &dice), kind: kind, &dice)
      let from = Int.random(in: 0..<points.steps.count, using: &dice)
      let range = from..<Int.random(in: from...points.steps.count, using: &dice)
      let block = PointBlock(steps: points.steps, times: points.times, values: points.values, range: range)
      expectSame(block, points.summary(range))
    }
  }

  @Test func nothingButNaN() throws {
    let block = try #require(
      PointBlock(steps: [3, 4], times: [5, 6], values: [.nan, .nan], range: 0..<2))
    #expect(block.min.isNaN && block.max.isNaN && block.mean.isNaN)
    #expect((block.count, block.nanCount, block.sum, block.minStep) == (2, 2, 0, 3))
    // The first number behind it is the minimum and the maximum.
    var merged = block
    merged.merge(PointBlock(step: 9, time: 9, value: .infinity))
    #expect((merged.min, merged.minStep, merged.max, merged.maxStep) == (.infinity, 9, .infinity, 9))
    #expect((merged.count, merged.nanCount, merged.lastStep, merged.mean) == (3, 2, 9, .infinity))
    var other = PointBlock(step: 1, time: 1, value: -.infinity)
    other.merge(block)
    #expect((other.min, other.minStep, other.firstStep, other.lastStep) == (-.infinity, 1, 1, 4))
    #expect(other.last.isNaN)
  }

  /// Equal values: the step at which the minimum and the maximum were first reached, whatever lane they fell into.
  @Test func extremesAreFirstReached() throws {
    let values = (0..<200).map { Double($0 % 7 == 5 ? -1 : $0 % 11 == 9 ? 1 : 0) }
    let steps = (0..<200).map { Int64(10 * $0) }
    let block = try #require(PointBlock(steps: steps, times: steps, values: values, range: 0..<200))
    #expect((block.min, block.minStep, block.max, block.maxStep) == (-1, 50, 1, 90))
  }

  // MARK: - Rows of levels

  @Test(arguments: 0...4)
  func levelsComeBack(kind: Int) throws {
    var dice = Dice(seed: UInt64(kind))
    for count in [0, 1, 127, 128, 129, 1_000, 4_096] {
      let points = Points(count: count, kind: kind, &dice)
      let blocks = Levels.blocks(steps: points.steps, times: points.times, values: points.values)
      #expect(blocks.count == (count + 127) / 128)
      #expect(blocks.reduce(0) { $0 + $1.count } == Int64(count))
      let bytes = Levels.encode(blocks)
      let read = try withGuard(bytes) { try Levels.decode($0) }
      #expect(read.count == blocks.count)
      for (a, b) in zip(read, blocks) {
        expectSame(a, b)
        #expect(a.sum.bitPattern == b.sum.bitPattern)
      }
      if kind != 3, kind != 4, count == 4_096 { #expect(bytes.count < 4_096 / 2) }
      expectSame(Levels.merged(blocks), points.summary(0..<count))
    }
  }

  @Test func floatsTakeHalf() throws {
    var dice = Dice(seed: 1)
    let points = Points(count: 4_096, kind: 0, &dice)
    let floats = points.values.map { Double(Float($0)) }
    let blocks = Levels.blocks(steps: points.steps, times: points.times, values: floats)
    let bytes = Levels.encode(blocks)
    #expect(bytes.count < 4_096 / 3)
    let read = try withGuard(bytes) { try Levels.decode($0) }
    for (a, b) in zip(read, blocks) { expectSame(a, b) }
  }

  @Test func damageIsNoCrash() throws {
    var dice = Dice(seed: 6)
    for (count, kind) in [(300, 0), (256, 4), (5, 1)] {
      let points = Points(count: count, kind: kind, &dice)
      let whole = Levels.encode(
        Levels.blocks(steps: points.steps, times: points.times, values: points.values))
      var variants = whole.indices.map { Array(whole.prefix($0)) }
      for position in whole.indices {
        for value in [0, 0x7F, 0x80, 0xFF, whole[position] ^ 1] as [UInt8] {
          variants.append(whole)
          variants[variants.count - 1][position] = value
        }
      }
      for bytes in variants {
        do throws(Problem) {
          let read = try bytes.withUnsafeBufferPointer { (bytes) throws(Problem) in
            try Levels.decode(UnsafeRawBufferPointer(bytes))
          }
          #expect(read.count <= Levels.longest)
          #expect(read.allSatisfy { $0.count >= 1 && (0...$0.count).contains($0.nanCount) })
        } catch {
          #expect(error.code == .internal)
        }
      }
    }
  }

  // MARK: - Buckets

  /// The definition: bucket ⌊(step − low) · n / (high − low + 1)⌋.
  private func plainBucket(_ step: Int64, _ window: ClosedRange<Int64>, _ count: Int) -> Int {
    let offset = Int128(step) - Int128(window.lowerBound)
    return Int(offset * Int128(count) / (Int128(window.upperBound) - Int128(window.lowerBound) + 1))
  }

  @Test func bucketsAreEquallyWide() {
    var dice = Dice(seed: 2)
    for _ in 0..<2_000 {
      let a = Int64(bitPattern: dice.next()) >> Int64.random(in: 0..<64, using: &dice)
      let b = Int64(bitPattern: dice.next()) >> Int64.random(in: 0..<64, using: &dice)
      let window = dice.chance(1, in: 10) ? .min ... .max : min(a, b)...max(a, b)
      let count = dice.pick([1, 2, 3, 100, 2_000, 20_000])
      let reduction = Reduction(window: window, buckets: count)
      for step in [window.lowerBound, window.upperBound, Int64.random(in: window, using: &dice)] {
        #expect(reduction.bucket(of: step) == plainBucket(step, window, count))
      }
      #expect(reduction.bucket(of: .min) == 0)
      #expect(reduction.bucket(of: .max) == plainBucket(window.upperBound, window, count))
    }
  }

  @Test(arguments: 0...4)
  func pointsInBuckets(kind: Int) throws {
    var dice = Dice(seed: UInt64(kind + 20))
    for _ in 0..<25 {
      let count = dice.pick([1, 2, 10, 300, 1_500])
      let points = Points(count: count, kind: kind, &dice)
      let window = points.steps[0]...points.steps[count - 1]
      let buckets = dice.pick([1, 2, 7, 100, 5_000])
      let weight = dice.pick([0, 0.5, 0.99])
      var reduction = Reduction(window: window, buckets: buckets, average: MovingAverage(weight: weight))
      // In pieces, as chunks come.
      var start = 0
      while start < count {
        let end = min(count, start + dice.pick([1, 3, 128, 1_000]))
        let (steps, times, values) = points.slice(start..<end)
        reduction.add(steps: steps, times: times, values: values, xs: steps.map { Double($0) / 2 })
        start = end
      }
      let groups = Dictionary(grouping: points.steps.indices) {
        plainBucket(points.steps[$0], window, buckets)
      }
      .sorted { $0.key < $1.key }.map(\.value)
      #expect(reduction.buckets.count == groups.count)
      for (bucket, group) in zip(reduction.buckets, groups) {
        expectSame(bucket, points.summary(group[0]..<(group[group.count - 1] + 1)))
      }
      #expect(reduction.xs == groups.map { Double(points.steps[$0[0]]) / 2 })
      let averages = plainAverages(points.values, weight)
      #expect(reduction.averages.count == groups.count)
      for (average, group) in zip(reduction.averages, groups) {
        let expected = averages[group[group.count - 1]]
        #expect(
          average == expected || (average.isNaN && expected.isNaN)
            || abs(average - expected) < 1e-9 * max(1, abs(expected)))
      }
    }
  }

  /// TensorBoard's formula, its power taken anew for each value.
  private func plainAverages(_ values: [Double], _ weight: Double) -> [Double] {
    var sum = 0.0
    var count = 0
    return values.map { value in
      if value.isFinite {
        sum = sum * weight + (1 - weight) * value
        count += 1
      }
      return count == 0 ? .nan : sum / (1 - pow(weight, Double(count)))
    }
  }

  @Test(arguments: 0...4)
  func blocksInBuckets(kind: Int) throws {
    var dice = Dice(seed: UInt64(kind + 40))
    for _ in 0..<10 {
      let count = dice.pick([100, 1_000, 6_000])
      let points = Points(count: count, kind: kind, &dice)
      let window = points.steps[0]...points.steps[count - 1]
      let buckets = dice.pick([1, 3, 20, 500])
      let blocks = Levels.blocks(steps: points.steps, times: points.times, values: points.values)
      var reduction = Reduction(window: window, buckets: buckets)
      for block in blocks { reduction.add(block) }
      // Every point in one bucket, in order, buckets along borders of blocks, each where the middle of its blocks is.
      #expect(reduction.buckets.reduce(0) { $0 + $1.count } == Int64(count))
      var start = 0
      for bucket in reduction.buckets {
        let end = start + Int(bucket.count)
        #expect(end % Levels.blockLength == 0 || end == count)
        expectSame(bucket, points.summary(start..<end))
        start = end
      }
      let total = try #require(Levels.merged(blocks))
      #expect(reduction.buckets.contains { $0.min == total.min } || total.min.isNaN)
      #expect(reduction.buckets.contains { $0.max == total.max } || total.max.isNaN)
      #expect(reduction.averages.isEmpty && reduction.buckets.count <= buckets)
      if kind == 0, buckets == 3, count == 6_000 {
        // Borders lie where equal widths put them, to less than a block.
        #expect(
          reduction.buckets.map(\.firstStep).allSatisfy { step in
            (0..<3).contains { abs(step - window.lowerBound - Int64($0 * 2_000)) < 128 }
          })
      }
    }
  }

  @Test func blocksAndPointsTogether() {
    var dice = Dice(seed: 60)
    let points = Points(count: 1_000, kind: 0, &dice)
    let window = points.steps[100]...points.steps[999]
    let blocks = Levels.blocks(steps: points.steps, times: points.times, values: points.values)
    var reduction = Reduction(window: window, buckets: 4)
    // The window begins within the first block: that one is read raw.
    let (steps, times, values) = points.slice(100..<128)
    reduction.add(steps: steps, times: times, values: values)
    for block in blocks.dropFirst() { reduction.add(block) }
    #expect(reduction.buckets.count == 4)
    expectSame(Levels.merged(reduction.buckets), points.summary(100..<1_000))
  }

  @Test func averages() {
    var average = MovingAverage(weight: 0.9)
    #expect(average.value.isNaN)
    average.add(5)
    #expect(abs(average.value - 5) < 1e-12)
    average.add(.nan)
    average.add(.infinity)
    #expect(abs(average.value - 5) < 1e-12)
    for _ in 0..<1_000 { average.add(-3) }
    #expect(abs(average.value + 3) < 1e-9)
    var none = MovingAverage(weight: 0)
    for value in [1.0, -2.5] {
      none.add(value)
      #expect(none.value == value)
    }
  }
}
