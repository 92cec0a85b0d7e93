// Derived metrics in the store: series, aggregates, who keeps them, what becomes of them.

import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

extension Bench {
  @discardableResult
  func derive(
    _ name: String, _ expression: String, goal: Objective.Goal? = nil, in project: String = "digits"
  )
    async throws -> [String]
  {
    let me = me
    return try await store.write {
      try $0.defineDerived(
        NewDerivedMetric(name: name, expression: expression, goal: goal), inProject: project, by: me,
        now: noon
      ).notes
    }
  }
}

@Suite struct DerivedTests {
  /// The same points from a chunk, from the tail, and from both.
  private func rows(_ count: Int, _ dice: inout Dice) -> [LogRow] {
    (0..<count).map { index in
      let sequence = Int64(index)
      switch Int.random(in: 0..<4, using: &dice) {
      case 0: return row(sequence, step: sequence * 3, ["a": dice.value(), "b": dice.value()])
      case 1: return row(sequence, step: sequence * 3, ["b": dice.value()])
      default: return row(sequence, step: sequence * 3, ["a": dice.value()])
      }
    }
  }

  private struct Point {
    var step: Int64
    var value: Double
  }

  /// a − b where both are.
  private func gap(_ rows: [LogRow]) -> [Point] {
    rows.compactMap { row in
      let values = Dictionary(uniqueKeysWithValues: row.numbers.map { ($0.name, $0.value) })
      guard let a = values["a"], let b = values["b"], let step = row.step else { return nil }
      return Point(step: step, value: a - b)
    }
  }

  private func check(_ series: Series, _ points: [Point], buckets: Int) throws {
    #expect(series.count == points.count)
    switch series.points {
    case .raw(let values):
      #expect(points.count <= buckets)
      #expect(series.steps == points.map(\.step))
      #expect(zip(values, points).allSatisfy { isAlike($0, $1.value) })
    case .buckets(let first, let last, let min, let max, let mean, let counts, let nans):
      #expect(points.count > buckets)
      try #require(counts.reduce(0, +) == Int64(points.count))
      var at = 0
      for (index, count) in counts.enumerated() {
        let part = points[at..<(at + Int(count))]
        at += Int(count)
        let numbers = part.map(\.value).filter { !$0.isNaN }
        #expect(series.steps[index] == part.first?.step)
        #expect(isAlike(first[index], part.first?.value ?? 0))
        #expect(isAlike(last[index], part.last?.value ?? 0))
        #expect(isAlike(min[index], numbers.min() ?? .nan))
        #expect(isAlike(max[index], numbers.max() ?? .nan))
        #expect(nans[index] == count - Int64(numbers.count))
        let average = numbers.isEmpty ? .nan : numbers.reduce(0, +) / Double(numbers.count)
        #expect(isNear(mean[index], average))
      }
    }
  }

  @Test(arguments: 1...6)
  func `a chart of a derived metric loses no minimum and no maximum`(seed: UInt64) async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    var dice = Dice(state: seed)
    let all = rows(9_000, &dice)
    for start in stride(from: 0, to: all.count, by: 1_500) {
      try await bench.append(Array(all[start..<min(all.count, start + 1_500)]), to: run)
      if start == 6_000 { try await bench.store.settle() }
    }
    try await bench.derive("gap", "a - b")
    for (from, to) in [(nil, nil), (500, nil), (nil, 20_001), (12_285, 12_300), (3, 3)] as [(Int64?, Int64?)]
    {
      let points = gap(all).filter { $0.step >= from ?? .min && $0.step <= to ?? .max }
      for buckets in [1, 7, 500, 20_000] {
        let found = try await bench.series(run, ["gap"], buckets: buckets, from: from, to: to)
        try #require(found.count == (points.isEmpty ? 0 : 1))
        if let series = found.first { try check(series, points, buckets: buckets) }
      }
    }
    try await bench.store.settleDerived()
    let summary = try #require(try await bench.show(run).metric("gap"))
    let numbers = gap(all).map(\.value).filter { !$0.isNaN }
    #expect(summary.isDerived)
    #expect((summary.min, summary.max) == (numbers.min(), numbers.max()))
    #expect(summary.count == Int64(gap(all).count))
    #expect(summary.nanCount == Int64(gap(all).count - numbers.count))
    #expect(summary.lastStep == gap(all).last?.step)
  }

  @Test func `a series longer than what is kept is computed twice, to the same`() async throws {
    let bench = try await Bench(sealing: .manual)
    let id = try await bench.run()
    var dice = Dice(state: 5)
    let all = rows(6_000, &dice)
    for start in stride(from: 0, to: 6_000, by: 2_000) {
      try await bench.append(Array(all[start..<start + 2_000]), to: id)
    }
    try await bench.store.settle()
    let window = SeriesWindow(keys: ["x"], buckets: 40, fromStep: 700, ema: 0.5)
    let expression = try MetricExpression(parsing: "a - last(b)")
    let (whole, twice) = try await bench.store.read { reader in
      let run = try reader.requireRunRow(id)
      var derived = DerivedOfRun()
      for (key, name) in try reader.metricNames(of: run, only: nil) { derived.keys[name] = key }
      var reading = DerivedReading(reader: reader, run: run, derived: derived)
      let whole = try reading.series("x", expression, axis: nil, window, id: id)
      reading.keptPoints = 10
      return (whole, try reading.series("x", expression, axis: nil, window, id: id))
    }
    guard case .buckets(let first, _, let min, let max, _, let counts, _)? = whole?.points,
      case .buckets(let first2, _, let min2, let max2, _, let counts2, _)? = twice?.points
    else { throw Unexpected("no buckets") }
    #expect(whole?.steps == twice?.steps)
    #expect(counts == counts2)
    #expect(zip(first + min + max, first2 + min2 + max2).allSatisfy { isAlike($0, $1) })
    #expect(zip(whole?.averages ?? [], twice?.averages ?? []).allSatisfy { isAlike($0, $1) })
    #expect(whole?.averages?.count == counts.count)
  }

  @Test func `repeated and unordered steps: the later arrival counts, by step`() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append(
      [
        row(0, step: 5, ["a": 50]), row(1, step: 2, ["a": 20]), row(2, step: 5, ["a": 51]),
        row(3, step: 5, ["b": 1]), row(4, step: 2, ["b": 2]), row(5, step: 9, ["a": 9]),
      ], to: run)
    try await bench.derive("gap", "a - b")
    try await bench.derive("slope", "diff(a)")
    let series = try await bench.series(run, ["gap", "slope"])
    #expect(series.map(\.steps) == [[2, 5], [5, 9]])
    #expect(series.map(\.values) == [[18, 50], [31, -42]])
    #expect(series[0].times == [noon + 4, noon + 3].map(\.microseconds))
    // All of a run: with what is derived of it.
    #expect(try await bench.series(run).map(\.key) == ["a", "b", "gap", "slope"])
  }

  @Test func `what looks back does not depend on the window`() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append((0..<100).map { row($0, step: $0, ["a": Double($0)]) }, to: run)
    try await bench.derive("sum", "cumsum(a)")
    let part = try await bench.series(run, ["sum"], from: 98)
    #expect(part.first?.values == [4_851, 4_950])
  }

  @Test func `an axis may be derived, and so may what is over it`() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append(
      (0..<4).map { row($0, step: $0, ["a": Double($0), "epoch": Double($0 / 2)]) }, to: run)
    try await bench.derive("twice", "2 * a")
    func series(_ key: String, over axis: String) async throws -> [Series] {
      try await bench.store.read {
        try $0.series(run: run, SeriesWindow(keys: [key], axis: axis))
      }
    }
    #expect(try await series("twice", over: "epoch").first?.xs == [0, 0, 1, 1])
    #expect(try await series("a", over: "twice").first?.xs == [0, 2, 4, 6])
    #expect(try await series("a", over: "twice").map(\.key) == ["a"])
    #expect(try await series("twice", over: "nothing").isEmpty)
  }

  // MARK: - Aggregates

  @Test func `aggregates follow points, rewinding, configuration and definitions`() async throws {
    let bench = try await Bench(sealing: .manual)
    var details = RunPatch()
    details.config = ["model": ["width": 10]]
    let run = try await bench.run(with: details)
    try await bench.derive("cost", "a * config.model.width", goal: .minimize)
    func cost() async throws -> MetricSummary? {
      try await bench.store.settleDerived()
      return try await bench.show(run).metric("cost")
    }
    #expect(try await cost() == nil)
    try await bench.append([row(0, step: 0, ["a": 3]), row(1, step: 1, ["a": 1])], to: run)
    #expect(try await cost()?.last == 10)
    #expect(try await cost()?.best == 10)
    #expect(try await cost()?.bestStep == 1)
    try await bench.append([row(2, step: 2, ["a": 7])], to: run)
    #expect(try await cost()?.last == 70)
    let me = bench.me
    try await bench.store.write { _ = try $0.rewind(run, to: 0, by: me, now: noon) }
    #expect(try await cost()?.last == 30)
    var patch = RunPatch()
    patch.config = ["model": ["width": 2]]
    try await bench.store.write { [patch] in try $0.patchRun(run, patch, now: noon) }
    #expect(try await cost()?.last == 6)
    try await bench.derive("cost", "a + 1")
    // What was computed by another expression is not shown.
    #expect(try await bench.show(run).metric("cost") == nil)
    #expect(try await cost()?.last == 4)
    #expect(try await cost()?.goal == nil)
    let fork = try await bench.store.write { try $0.fork(run, step: nil, name: "f", by: me, now: noon) }
    try await bench.store.settleDerived()
    #expect(try await bench.show(fork).metric("cost")?.last == 4)
    try await bench.store.write { try $0.removeDerived("cost", inProject: "digits", by: me, now: noon) }
    #expect(try await cost() == nil)
    #expect(try await bench.store.integrity(deep: true).isEmpty)
  }

  @Test func `the store keeps them by itself, of all runs of a project and of one that ends`() async throws {
    let bench = try await Bench()
    var runs: [PublicID] = []
    for number in 0..<70 {
      let run = try await bench.run("run-\(number)")
      try await bench.append([row(0, step: 0, ["a": Double(number)])], to: run)
      runs.append(run)
    }
    try await bench.derive("twice", "2 * a")
    try await eventually("all runs are derived") {
      for (number, run) in runs.enumerated() {
        guard try await bench.show(run).metric("twice")?.last == Double(2 * number) else { return false }
      }
      return true
    }
    let (me, first) = (bench.me, runs[0])
    try await bench.append([row(1, step: 1, ["a": 500])], to: first)
    try await bench.store.write { try $0.setRunState(first, .finished, exit: nil, by: me, now: noon) }
    try await eventually("the run that ended is derived") {
      try await bench.show(runs[0]).metric("twice")?.last == 1_000
    }
    try await bench.append([row(1, step: 1, ["a": 600])], to: runs[1])
    try await eventually("a run that goes on is derived") {
      try await bench.show(runs[1]).metric("twice")?.last == 1_200
    }
    // A store that is opened again finds what was left undone.
    let quiet = try bench.reopened(sealing: .manual)
    try await quiet.append([row(1, step: 1, ["a": 700])], to: runs[2])
    let again = try quiet.reopened()
    try await eventually("what was left undone is derived") {
      try await again.show(runs[2]).metric("twice")?.last == 1_400
    }
  }

  @Test func `derived metrics stand in each other, and go in order`() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append([row(0, step: 0, ["a": 3, "b": 1])], to: run)
    try await bench.derive("gap", "a - b")
    try await bench.derive("square", "gap ^ 2")
    #expect(try await bench.series(run, ["square"]).first?.values == [4])
    let circle = try await problem(.unprocessable) { try await bench.derive("gap", "square + 1") }
    #expect(circle.message.contains("made of itself"))
    let me = bench.me
    let needed = try await problem(.conflict) {
      try await bench.store.write { try $0.removeDerived("gap", inProject: "digits", by: me, now: noon) }
    }
    #expect(needed.message.contains("'square'"))
    // A change of one is a change of those that are made of it.
    try await bench.store.settleDerived()
    #expect(try await bench.show(run).metric("square")?.last == 4)
    try await bench.derive("gap", "a + b")
    try await bench.store.settleDerived()
    #expect(try await bench.show(run).metric("square")?.last == 16)
  }

  @Test func `what is logged stands before what is derived`() async throws {
    let bench = try await Bench(sealing: .manual)
    let (early, late) = (try await bench.run("early"), try await bench.run("late"))
    try await bench.append([row(0, step: 0, ["loss": 2])], to: early)
    let taken = try await problem(.conflict) { try await bench.derive("loss", "2 * x") }
    #expect(taken.message.contains("logged"))
    try await bench.derive("half", "loss / 2")
    try await bench.append([row(0, step: 0, ["loss": 8, "half": 100])], to: late)
    try await bench.store.settleDerived()
    #expect(try await bench.show(early).metric("half")?.last == 1)
    let logged = try #require(try await bench.show(late).metric("half"))
    #expect((logged.last, logged.isDerived) == (100, false))
    #expect(try await bench.show(late).metrics.map(\.name) == ["half", "loss"])
    #expect(try await bench.series(late, ["half"]).first?.values == [100])
    // Whoever looks for the derived metric finds what was logged.
    let kept = try await bench.store.pool.read { db in
      try Double.fetchAll(db, sql: "SELECT last FROM derived_summary ORDER BY run_id")
    }
    #expect(kept == [1, 100])
    #expect(try await bench.derive("more", "los * 2").first?.contains("'loss'") == true)
  }

  @Test func `a deep check sees an aggregate that is not that of its points`() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append([row(0, step: 0, ["a": 3]), row(1, step: 1, ["a": .nan])], to: run)
    try await bench.derive("twice", "2 * a")
    try await bench.derive("none", "2 * b")
    #expect(try await bench.store.integrity(deep: true).isEmpty)
    try await bench.store.settleDerived()
    #expect(try await bench.store.integrity(deep: true).isEmpty)
    try await bench.store.pool.write { db in
      try db.execute(sql: "UPDATE derived_summary SET max = 7, count = 1 WHERE count > 0")
    }
    let findings = try await bench.store.integrity(deep: true)
    #expect(findings.map(\.run) == [run])
    #expect(findings.first?.message.contains("'twice'") == true)
  }

  @Test func `a run that moves is derived by its new project`() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append([row(0, step: 0, ["a": 3])], to: run)
    try await bench.derive("twice", "2 * a")
    try await bench.derive("thrice", "3 * a", in: "other")
    try await bench.store.settleDerived()
    #expect(try await bench.show(run).metrics.map(\.name) == ["a", "twice"])
    let me = bench.me
    try await bench.store.write { _ = try $0.moveRun(run, to: "other", by: me, now: noon) }
    #expect(try await bench.show(run).metrics.map(\.name) == ["a"])
    try await bench.store.settleDerived()
    #expect(try await bench.show(run).metric("thrice")?.last == 9)
    #expect(try await bench.show(run).metrics.map(\.name) == ["a", "thrice"])
  }

  @Test func `a purged run takes its aggregates along`() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append([row(0, step: 0, ["a": 3])], to: run)
    try await bench.derive("twice", "2 * a")
    try await bench.store.settleDerived()
    try await bench.store.purge(run, by: bench.me, now: noon)
    try await eventually("the aggregates are gone") {
      try await bench.store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM derived_summary") }
        == 0
    }
    try await eventually("the run is gone") {
      try await bench.endPurges()
      return try await bench.store.pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM run") } == 0
    }
    #expect(try await bench.store.integrity(deep: true).isEmpty)
  }
}
