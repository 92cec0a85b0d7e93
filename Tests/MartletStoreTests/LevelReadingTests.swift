// Long series: read from levels, they are what their points are.

import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct LevelReadingTests {
  /// 45 chunks: a row of level 1 and some more.
  private static let rows = 45 * 4_096 + 1_000

  /// How a series' points lie in the run's rows, and how its steps go on.
  enum Shape: CaseIterable {
    case dense
    /// Now and then a point.
    case sparse
    /// The first half's steps are narrow, the second half's a thousand times as wide.
    case stretched
    /// A metric that begins late and ends early.
    case middle
    /// Steps that doubles cannot tell apart. The second half's are sixteen times as wide as the first's, and lie so that
    /// the difference of doubles makes half of each block's span.
    case far
  }

  private func history(_ shape: Shape) -> (batches: [RowBatch], run: [(step: Int64, value: Double?)]) {
    var dice = Dice(state: 5)
    let middle = 22 * 4_096
    var step: Int64 = 0
    var plain: [(step: Int64, value: Double?)] = []
    var batches: [RowBatch] = []
    for start in stride(from: 0, to: Self.rows, by: 10_000) {
      let count = min(10_000, Self.rows - start)
      var (steps, rows, values): ([Int64], [Int32], [Double]) = ([], [], [])
      for index in 0..<count {
        let row = start + index
        switch shape {
        case .stretched where row > Self.rows / 2: step += 1_000
        case .far: step = (1 << 62) + Int64(row < middle ? row : middle + 520 + 16 * (row - middle))
        case .dense, .sparse, .stretched, .middle: step += Int64.random(in: 1...2, using: &dice)
        }
        steps.append(step)
        let isThere =
          switch shape {
          case .dense, .stretched, .far: true
          case .sparse: Int.random(in: 0..<40, using: &dice) == 0
          case .middle: (60_000..<120_000).contains(row)
          }
        let value: Double? = isThere ? dice.value() : nil
        if let value {
          rows.append(Int32(index))
          values.append(value)
        }
        plain.append((step, value))
      }
      var numbers = [RowBatch.Numbers(name: "every", rows: .all, values: steps.map { Double($0 % 100) })]
      if !values.isEmpty {
        numbers.append(RowBatch.Numbers(name: "x", rows: RowBatch.Rows(rows, of: count), values: values))
      }
      batches.append(
        RowBatch(
          firstSequence: Int64(start), steps: steps, times: steps.map { $0 &* 1_000 }, numbers: numbers))
    }
    return (batches, plain)
  }

  @Test(arguments: Shape.allCases)
  func isWhatItsPointsAre(shape: Shape) async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    let (batches, plain) = history(shape)
    var run = NaiveRun(id: try await bench.run())
    let id = run.id
    for batch in batches {
      _ = try await bench.store.write {
        try $0.append(batch, to: id, client: "client-a", keyLimit: 9, now: noon)
      }
    }
    run.rows = plain.map { step, value in
      NaiveRow(
        step: step, time: step &* 1_000,
        numbers: [("every", Double(step % 100))] + (value.map { [("x", $0)] } ?? []), texts: [])
    }
    try await bench.store.settle()
    let (first, last) = (plain[0].step, plain[plain.count - 1].step)
    var dice = Dice(state: 11)
    func check(_ store: Store) async throws {
      var window = SeriesWindow(keys: ["x"])
      for buckets in [1, 40, 300, 700, 2_000] {
        window.buckets = buckets
        (window.fromStep, window.toStep) = (nil, nil)
        try await run.check(store, window)
        guard buckets != 40 else { continue }
        let from = Int64.random(in: first...last, using: &dice)
        (window.fromStep, window.toStep) = (from, from + Int64.random(in: 0...(last - first), using: &dice))
        try await run.check(store, window)
      }
    }
    try await check(bench.store)
    let levels = try await bench.store.read {
      try Int.fetchAll($0.db, sql: "SELECT count(*) FROM series_level GROUP BY level")
    }
    #expect(levels.count == 2 && levels[1] == 2)
    // A fork has the same levels; a rewound run keeps those below the step.
    let middle = plain[34 * 4_096 + 77].step
    var child = run
    child.id = try await bench.store.write { try $0.fork(id, step: middle, name: "f", by: me, now: noon) }
    child.rewind(to: middle)
    _ = try await bench.store.write { try $0.rewind(id, to: plain[30 * 4_096].step, by: me, now: noon) }
    run.rewind(to: plain[30 * 4_096].step)
    try await check(bench.store)
    run = child
    try await check(bench.store)
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  /// Points of full chunks that cannot be decoded: who reads them, instead of levels, fails.
  @Test func aLongSeriesIsReadWithoutItsPoints() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    for batch in history(.dense).batches {
      _ = try await bench.store.write {
        try $0.append(batch, to: run, client: "client-a", keyLimit: 9, now: noon)
      }
    }
    try await bench.store.settle()
    let whole = try await bench.series(run, ["every"], buckets: 500)
    let coarse = try await bench.series(run, ["every"], buckets: 5)
    try await bench.damageChunks()
    #expect(try await bench.series(run, ["every"], buckets: 500).map(\.steps) == whole.map(\.steps))
    _ = try await problem(.internal) { _ = try await bench.series(run, ["every"], buckets: 20_000) }
    _ = try await problem(.internal) { _ = try await bench.series(run, ["every"], buckets: 500, from: 777) }
    // In very few buckets even the level of single chunks is not read where the one above it covers them.
    try await bench.damageLevels(below: 1, upToChunk: 31)
    _ = try await problem(.internal) { _ = try await bench.series(run, ["every"], buckets: 500) }
    #expect(try await bench.series(run, ["every"], buckets: 5).map(\.steps) == coarse.map(\.steps))
  }
}
