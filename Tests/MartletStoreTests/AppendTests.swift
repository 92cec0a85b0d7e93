// Points on their way in: once, whole or not at all, and as they were.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct AppendTests {
  @Test(arguments: 1...3)
  func rowsSentAgainCountOnce(seed: UInt64) async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    var dice = Dice(state: seed)
    var next: [String: Int64] = ["client-a": 0, "client-b": 0, "client-c": 0]
    while let client = next.filter({ $0.value < 60 }).keys.sorted().randomElement(using: &dice) {
      let known = next[client] ?? 0
      let start = Int64.random(in: max(0, known - 9)...known, using: &dice)
      let end = Int64.random(in: known...(known + 9), using: &dice)
      let rows = (start..<end).map { row($0, step: $0, ["\(client)/x": Double($0)]) }
      let receipt = try await bench.append(rows, to: run, client: client)
      #expect(
        receipt
          == AppendReceipt(accepted: Int(end - known), duplicates: Int(known - start), nextSequence: end))
      next[client] = end
    }
    let series = try await bench.series(run)
    #expect(series.map(\.key) == ["client-a/x", "client-b/x", "client-c/x"])
    for one in series {
      let count = try #require(next[String(one.key.dropLast(2))])
      #expect(one.steps == Array(0..<count))
      #expect(one.values == (0..<count).map(Double.init))
      #expect(one.times == (0..<count).map { (noon + Double($0)).microseconds })
    }
    let shown = try await bench.show(run)
    #expect(shown.points == next.values.reduce(0, +))
    #expect(shown.metrics.map(\.count) == series.map { Int64($0.count) })
  }

  @Test func aGapIsRefusedAndNothingStored() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append([row(0, ["a": 1]), row(1, ["a": 2])], to: run)
    let before = try await bench.show(run)
    let refused = try await problem(.conflict) {
      try await bench.append([row(3, ["a": 4, "new": 1])], to: run)
    }
    #expect(refused.details == ["next_seq": 2])
    let other = try await problem(.conflict) {
      try await bench.append([row(1, ["a": 4])], to: run, client: "client-b")
    }
    #expect(other.details == ["next_seq": 0])
    #expect(try await bench.show(run) == before)
    #expect(try await bench.series(run).map(\.values) == [[1, 2]])
    #expect(try await bench.append([row(2, ["a": 3])], to: run).nextSequence == 3)
  }

  @Test func everyNumberKeepsItsBits() async throws {
    var bench = try await Bench()
    let run = try await bench.run()
    let values: [Double] = [
      0, -0.0, .nan, Double(bitPattern: 0x7FF8_0000_DEAD_BEEF), Double(bitPattern: 0xFFF8_0000_0000_0001),
      .infinity, -.infinity, 1e308, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude,
      .ulpOfOne, 0.1,
    ]
    let steps: [Int64] = [
      .min, .min + 1, -9_007_199_254_740_993, -1, 0, 1, 2, 4_294_967_296, 9_007_199_254_740_993,
      9_007_199_254_740_994, .max - 2, .max - 1, .max,
    ]
    let rows = zip(values, steps).enumerated().map { row(Int64($0), step: $1.1, ["x": $1.0]) }
    try await bench.append(rows, to: run)
    bench = try bench.reopened()
    let series = try #require(try await bench.series(run).first)
    #expect(series.values?.map(\.bitPattern) == values.map(\.bitPattern))
    #expect(series.steps == steps)
    #expect(try await bench.series(run, from: .max, to: .max).first?.steps == [.max])
    // A window over all of Int64, in few buckets.
    let coarse = try #require(try await bench.series(run, buckets: 3).first)
    guard case .buckets(_, _, let minima, let maxima, _, let counts, let nanCounts) = coarse.points else {
      Issue.record("13 points in 3 buckets are not raw")
      return
    }
    #expect(counts.reduce(0, +) == 13)
    #expect(nanCounts.reduce(0, +) == 3)
    #expect(minima.min() == -.infinity)
    #expect(maxima.max() == .infinity)
  }

  @Test func aRepeatedStepShowsTheLaterArrival() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append(
      [row(0, step: 5, ["a": 1]), row(1, step: 6, ["a": 2]), row(2, step: 5, ["a": 3])], to: run)
    #expect(try await bench.series(run).map(\.values) == [[3, 2]])
    try await bench.append([row(0, step: 6, ["a": 9, "b": 1])], to: run, client: "client-b")
    let series = try await bench.series(run)
    #expect(series.map(\.values) == [[3, 9], [1]])
    #expect(series.first?.count == 2)
    let metric = try #require(try await bench.show(run).metric("a"))
    // Summaries are of the raw history: both points count, the later is the last.
    #expect((metric.last, metric.lastStep, metric.count, metric.min) == (9, 6, 4, 1))
  }

  @Test func aMissingStepIsOneMoreThanTheRunsLast() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append([row(0, ["a": 0]), row(1, ["a": 1])], to: run)
    try await bench.append(
      [row(0, step: 10, ["b": 0]), row(1, step: 4, ["b": 1])], to: run, client: "client-b")
    try await bench.append([row(2, ["a": 2])], to: run)
    try await bench.append([row(2, step: .max, ["b": 2]), row(3, ["b": 3])], to: run, client: "client-b")
    let series = try await bench.series(run)
    #expect(series.first?.steps == [0, 1, 11])
    #expect(series.last?.steps == [4, 10, .max])
    #expect(series.last?.values == [1, 0, 3])
    #expect(try await bench.show(run).lastStep == .max)
  }

  @Test func whatIsNoNumberIsKeptAsItIs() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    let nested: JSONValue = ["z": [1, 1.0, "1", nil, true], "a": ["b": 9_223_372_036_854_775_807]]
    try await bench.append(
      [
        row(0, step: 7, ["x": 1], others: ["note": "first", "deep": nested]),
        row(1, step: 3, [:], others: ["note": "older"]),
      ],
      to: run)
    #expect(
      try await bench.show(run).values == [
        LoggedValue(name: "deep", value: nested, lastStep: 7),
        LoggedValue(name: "note", value: "first", lastStep: 7),
      ])
    try await bench.append([row(2, step: 7, [:], others: ["note": nil])], to: run)
    #expect(try await bench.show(run).values.last == LoggedValue(name: "note", value: nil, lastStep: 7))
    // The history has all of them, in their rows.
    let texts = try await bench.store.read { reader in
      try Data.fetchAll(reader.db, sql: "SELECT payload FROM row_block ORDER BY id").flatMap { data in
        try data.withUnsafeBytes { try RowBlock.decode($0) }.columns.flatMap { column -> [String] in
          guard case .texts(let texts) = column.values else { return [] }
          return texts.map { String(decoding: $0, as: UTF8.self) }
        }
      }
    }
    #expect(texts.sorted() == [nested.text, #""first""#, #""older""#, "null"].sorted())
  }

  @Test func tooManyMetricsAreRefusedWhole() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append([row(0, ["a": 1, "b": 1])], to: run, keyLimit: 3)
    let before = try await bench.show(run)
    let refused = try await problem(.unprocessable) {
      try await bench.append([row(1, ["a": 2]), row(2, ["c": 1, "d": 1])], to: run, keyLimit: 3)
    }
    #expect(refused.message.contains("4 metrics; at most 3"))
    #expect(try await bench.show(run) == before)
    #expect(try await bench.append([row(1, ["a": 2, "c": 1])], to: run, keyLimit: 3).accepted == 1)
    // Names of other runs do not count.
    #expect(try await bench.append([row(0, ["d": 1])], to: try await bench.run(), keyLimit: 1).accepted == 1)
  }

  @Test func anUnknownRunHasNoPoints() async throws {
    let bench = try await Bench()
    let nobody = PublicID.random()
    _ = try await problem(.notFound) { try await bench.append([row(0, ["a": 1])], to: nobody) }
    _ = try await problem(.notFound) { _ = try await bench.series(nobody) }
    let run = try await bench.run()
    #expect(try await bench.series(run).isEmpty)
    #expect(try await bench.append([], to: run) == AppendReceipt(accepted: 0, duplicates: 0, nextSequence: 0))
  }

  @Test func aBadBatchAmongGoodOnesFailsAlone() async throws {
    let bench = try await Bench()
    let runs = [
      try await bench.run("a"), PublicID.random(), try await bench.run("c"), try await bench.run("d"),
    ]
    let outcomes = try await bench.store.write { writer in
      try runs.enumerated().map { index, run -> Problem.Code? in
        let result = try writer.attempt {
          // The third one has laid down its summaries before its metrics are counted.
          try writer.append(
            try RowBatch([row(0, ["x": 1, "y": 2])]), to: run, client: "client-a",
            keyLimit: index == 2 ? 1 : 10, now: noon)
        }
        guard case .failure(let error) = result else { return nil }
        return (error as? Problem)?.code
      }
    }
    #expect(outcomes == [nil, .notFound, .unprocessable, nil])
    #expect(try await bench.series(runs[0]).count == 2)
    #expect(try await bench.show(runs[2]).metrics.isEmpty)
    #expect(try await bench.series(runs[2]).isEmpty)
    #expect(try await bench.series(runs[3]).count == 2)
  }
}
