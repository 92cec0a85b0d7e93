// The store beside a naive one, through a random life: appends, retries, seals, rewinds, forks, the trash, new starts.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct StoreHistoryTests {
  /// How the steps of a run come.
  private enum Style: CaseIterable {
    /// Up, with gaps; rows of one name each at the same step among them.
    case increasing
    /// As above, now and then from an earlier step again.
    case resumed
    /// Anywhere, the ends of Int64 too.
    case wild
    case absent
  }

  private struct Life {
    var dice: Dice
    var bench: Bench
    var runs: [NaiveRun] = []
    var styles: [PublicID: Style] = [:]

    // MARK: - Rows

    mutating func step(of run: NaiveRun, _ last: inout Int64) -> Int64? {
      switch styles[run.id] ?? .increasing {
      case .increasing:
        last += Int64.random(in: 0...3, using: &dice) == 0 ? 0 : Int64.random(in: 1...4, using: &dice)
      case .resumed:
        last += Int64.random(in: 0..<2_000, using: &dice) == 0 ? -500 : 1
      case .wild:
        switch Int.random(in: 0..<30, using: &dice) {
        case 0: return .max
        case 1: return .min
        case 2: return Int64.random(in: .min ... .max, using: &dice)
        case 3: return nil
        default: return Int64.random(in: -400...400, using: &dice)
        }
      case .absent: return Int.random(in: 0..<40, using: &dice) == 0 ? last : nil
      }
      return last
    }

    mutating func rows(_ count: Int, from sequence: Int64, of run: NaiveRun) -> [LogRow] {
      var last = run.rows.map(\.step).max() ?? -5
      if last > .max - 100_000 { last = 0 }
      return (0..<Int64(count)).map { offset in
        let step = step(of: run, &last)
        var numbers: [(String, Double)] = []
        var others: [(String, JSONValue)] = []
        if Int.random(in: 0..<50, using: &dice) > 0 { numbers.append(("loss", dice.value())) }
        if Int.random(in: 0..<3, using: &dice) == 0 {
          numbers.append(("acc", Double(Int.random(in: 0...9, using: &dice))))
        }
        if Int.random(in: 0..<300, using: &dice) == 0 { numbers.append(("rare", dice.value())) }
        if Int.random(in: 0..<9, using: &dice) > 0 { numbers.append(("epoch", Double(offset / 100))) }
        if Int.random(in: 0..<60, using: &dice) == 0 {
          others.append(("note", .string("n\(Int.random(in: 0...99, using: &dice))")))
        } else if Int.random(in: 0..<60, using: &dice) == 0 {
          numbers.append(("note", 1))
        }
        if Int.random(in: 0..<200, using: &dice) == 0 { others.append(("table", [["a": 1.0, "b": nil]])) }
        return LogRow(
          sequence: sequence + offset, step: step,
          time: Timestamp(microseconds: noon.microseconds + Int64.random(in: 0...9_999, using: &dice)),
          numbers: numbers, others: others)
      }
    }

    mutating func append(to index: Int) async throws {
      let client = ["client-a", "client-b", "client-c"][Int.random(in: 0..<3, using: &dice)]
      let next = runs[index].next[client, default: 0]
      let sizes = [1, 3, 40, 700, 3_000, 5_000]
      let size = sizes[Int.random(in: 0..<sizes.count, using: &dice)]
      let batch = rows(Int.random(in: 1...size, using: &dice), from: next, of: runs[index])
      let run = runs[index].id
      let receipt = try await bench.append(batch, to: run, client: client)
      #expect(receipt.accepted == batch.count && receipt.duplicates == 0)
      runs[index].append(batch, client: client)
      // The same again, whole or in part, alone or with more behind it.
      guard Int.random(in: 0..<3, using: &dice) == 0 else { return }
      let start = Int.random(in: 0..<batch.count, using: &dice)
      let more = rows(
        Int.random(in: 0...5, using: &dice), from: next + Int64(batch.count), of: runs[index])
      let again = Array(batch[start...]) + more
      let second = try await bench.append(again, to: run, client: client)
      #expect(second.accepted == more.count && second.duplicates == batch.count - start)
      runs[index].append(again, client: client)
    }

    /// Many rows one by one: the tail has many small blocks.
    mutating func trickle(to index: Int) async throws {
      for _ in 0..<Int.random(in: 1...150, using: &dice) {
        let client = Bool.random(using: &dice) ? "client-a" : "client-b"
        let batch = rows(1, from: runs[index].next[client, default: 0], of: runs[index])
        try await bench.append(batch, to: runs[index].id, client: client)
        runs[index].append(batch, client: client)
      }
    }

    // MARK: - Whatever else happens

    mutating func change() async throws {
      let me = bench.me
      guard let index = runs.indices.randomElement(using: &dice), Int.random(in: 0..<12, using: &dice) > 0
      else {
        let id = try await bench.run("run-\(runs.count)")
        runs.append(NaiveRun(id: id))
        styles[id] = Style.allCases.randomElement(using: &dice)
        return
      }
      let id = runs[index].id
      switch Int.random(in: 0..<20, using: &dice) {
      case 0..<8: try await append(to: index)
      case 8: try await trickle(to: index)
      case 9..<12: try await bench.store.settle(idle: false)
      case 12, 13: try await bench.store.settle(idle: true)
      case 14: bench = try bench.reopened(sealing: bench.sealing)
      case 15, 16:
        guard let step = runs[index].rows.randomElement(using: &dice)?.step else { return }
        let before = runs[index].rows.count
        runs[index].rewind(to: step)
        let kept = runs[index].rows.count
        let removed = try await bench.store.write { try $0.rewind(id, to: step, by: me, now: noon) }
        #expect(Int(removed) == before - kept)
      case 17:
        guard runs.count < 6 else { return }
        let step = runs[index].rows.randomElement(using: &dice)?.step
        var child = runs[index]
        child.next = [:]
        if let step { child.rewind(to: step) }
        child.id = try await bench.store.write { try $0.fork(id, step: step, name: "f", by: me, now: noon) }
        runs.append(child)
        styles[child.id] = styles[id]
      case 18:
        try await bench.store.write { try $0.trash(id, by: me, now: noon) }
        _ = try await problem(.notFound) { try await bench.append([row(0, ["x": 1])], to: id) }
        try await bench.store.write { try $0.restore(id, by: me, now: noon) }
      default:
        guard runs.count > 2 else { return }
        try await bench.store.purge(id, by: bench.me, now: noon)
        runs.remove(at: index)
        #expect(try await bench.store.read { try $0.run(id) } == nil)
        _ = try await problem(.notFound) { try await bench.append([row(0, ["x": 1])], to: id) }
      }
    }

    mutating func check() async throws {
      for run in runs {
        try await run.checkSummary(bench.store)
        let steps = run.rows.map(\.step)
        var window = SeriesWindow(buckets: [1, 2, 3, 17, 200, 20_000].randomElement(using: &dice) ?? 1)
        if Bool.random(using: &dice), let one = steps.randomElement(using: &dice),
          let two = steps.randomElement(using: &dice)
        {
          (window.fromStep, window.toStep) = (one, two)
          if Bool.random(using: &dice) { window.toStep = nil }
        }
        if Int.random(in: 0..<3, using: &dice) == 0 { window.keys = ["loss", "rare", "nothing"] }
        try await run.check(bench.store, window)
        switch Int.random(in: 0..<4, using: &dice) {
        case 0: window.ema = [0, 0.5, 0.99].randomElement(using: &dice)
        case 1: window.axis = ["epoch", "acc", "nothing"].randomElement(using: &dice)
        case 2: (window.ema, window.axis) = (0.9, "epoch")
        default:
          try await run.checkHistory(
            bench.store, keys: Bool.random(using: &dice) ? nil : ["note", "rare"], from: window.fromStep,
            to: window.toStep, limit: [7, 1_000, 100_000].randomElement(using: &dice) ?? 1)
          continue
        }
        try await run.check(bench.store, window)
      }
    }
  }

  @Test(arguments: 1...4)
  func isWhatANaiveStoreIs(seed: UInt64) async throws {
    var life = Life(
      dice: Dice(state: seed &* 104_729), bench: try await Bench(sealing: seed % 2 == 0 ? .manual : .eager))
    for _ in 0..<24 {
      try await life.change()
      try await life.check()
    }
    #expect(try await life.bench.store.integrity(deep: true) == [])
    try await life.bench.store.settle(idle: true)
    try await life.check()
    #expect(try await life.bench.store.integrity(deep: true) == [])
    for run in life.runs {
      try await run.checkHistory(life.bench.store, keys: nil, limit: 3_000)
      try await run.check(life.bench.store, SeriesWindow(buckets: 20_000))
    }
    let health = try await life.bench.store.health()
    #expect(health.unsealedRows == 0)
    let left = try await life.bench.store.read { reader in
      try Int.fetchOne(reader.db, sql: "SELECT count(*) FROM row_block")
    }
    #expect(left == 0)
  }
}
