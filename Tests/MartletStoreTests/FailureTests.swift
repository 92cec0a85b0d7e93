// Transactions that fail anywhere: nothing of them is there, nothing of them is remembered, and nothing else is lost.

import Foundation
import GRDB
import GRDBSQLite
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct FailureTests {
  /// Lets the file grow by so many pages, and no more; those it holds free are given back before.
  private func limit(_ bench: Bench, to extra: Int?) async throws {
    try await bench.store.pool.writeWithoutTransaction { db in
      try db.execute(sql: "PRAGMA incremental_vacuum")
      let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      _ = try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(extra.map { pages + $0 } ?? 1_073_741_823)")
    }
  }

  /// Batches whose transactions run out of pages at random places, and are sent again.
  @Test(arguments: 1...6)
  func aFullDiskLosesNothing(seed: UInt64) async throws {
    let bench = try await Bench(sealing: .manual)
    var dice = Dice(state: seed &* 7_907)
    var runs: [NaiveRun] = []
    for index in 0..<3 { runs.append(NaiveRun(id: try await bench.run("run-\(index)"))) }
    var refused = 0
    for round in 0..<60 {
      // Page for page, where things lie depends on names that chance gave; every sixth batch cannot but fail.
      let isTooLarge = round % 6 == 5
      let index = Int.random(in: 0..<3, using: &dice)
      let client = Bool.random(using: &dice) ? "client-a" : "client-b"
      let next = runs[index].next[client, default: 0]
      let rows = Int64.random(in: isTooLarge ? 300...400 : 1...400, using: &dice)
      let batch = (0..<rows).map { offset in
        row(
          next + offset, step: Bool.random(using: &dice) ? nil : Int64.random(in: 0...500, using: &dice),
          ["x": dice.value(), "round \(round % 7)": 1], others: offset % 50 == 0 ? ["note": "n"] : [:])
      }
      try await limit(bench, to: isTooLarge ? 0 : Int.random(in: 0...12, using: &dice))
      do {
        try await bench.append(batch, to: runs[index].id, client: client)
        runs[index].append(batch, client: client)
      } catch let problem as Problem {
        #expect(problem.code == .unavailable)
        #expect(problem.message.contains("full"))
        refused += 1
        try await limit(bench, to: nil)
        if Bool.random(using: &dice) {
          let receipt = try await bench.append(batch, to: runs[index].id, client: client)
          #expect(receipt.accepted == batch.count)
          runs[index].append(batch, client: client)
        }
      }
      try await limit(bench, to: Int.random(in: 0...6, using: &dice))
      if Int.random(in: 0..<4, using: &dice) == 0 {
        do {
          try await bench.store.settle(idle: true)
        } catch let problem as Problem {
          #expect(problem.code == .unavailable)
        }
      }
      try await limit(bench, to: nil)
      try await runs[index].checkSummary(bench.store)
      // Each look is at all points so far.
      if round % 6 == 5 { try await runs[index].check(bench.store, SeriesWindow(buckets: 20_000)) }
    }
    #expect((10..<60).contains(refused), "\(refused)")
    try await bench.store.settle(idle: true)
    for run in runs {
      try await run.checkSummary(bench.store)
      try await run.checkHistory(bench.store, keys: nil, limit: 10_000)
    }
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  /// SQLite gives up after so many of its steps, in whatever statement that is.
  @Test(arguments: 1...4)
  func aTransactionThatIsInterruptedAnywhereIsNotThere(seed: UInt64) async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    var dice = Dice(state: seed &* 6_007)
    var run = NaiveRun(id: try await bench.run())
    var (refused, kept) = (0, 0)
    // How many steps a statement takes is SQLite's affair: so it goes on until there were some of both.
    for round in 0..<1_000 {
      if round >= 50, refused >= 5, kept >= 5 { break }
      let next = run.next["client-a", default: 0]
      let rows = (0..<Int64.random(in: 1...300, using: &dice)).map {
        row(next + $0, step: next + $0, ["a": dice.value(), "b": dice.value()], others: ["t": "x"])
      }
      let batch = try RowBatch(rows)
      let id = run.id
      let back: Int64? = Int.random(in: 0..<6, using: &dice) == 0 ? max(0, next - 40) : nil
      let steps = Int.random(in: 1...900, using: &dice)
      do {
        try await bench.store.write { writer in
          Interruption.after(steps, writer.db)
          defer { Interruption.never(writer.db) }
          _ = try writer.append(batch, to: id, client: "client-a", keyLimit: 9, now: noon)
          if let back { try writer.rewind(id, to: back, by: me, now: noon) }
        }
        run.append(rows, client: "client-a")
        if let back { run.rewind(to: back) }
        kept += 1
      } catch is Problem {
        refused += 1
      }
      try await run.checkSummary(bench.store)
      try await run.check(bench.store, SeriesWindow(buckets: 20_000))
    }
    #expect(refused >= 5 && kept >= 5, "\(refused) refused, \(kept) kept")
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  /// In one transaction, what a savepoint undid is not remembered by those that follow.
  @Test func aSavepointThatFailsIsForgotten() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    let first = try RowBatch([row(0, ["a": 1]), row(1, ["a": 9])])
    let tooMany = try RowBatch([row(2, ["b": 1, "c": 1, "d": 1])])
    let other = try RowBatch([row(0, ["a": 2, "b": 5])])
    let receipts = try await bench.store.write { writer in
      let undone = try writer.attempt {
        _ = try writer.append(first, to: run, client: "client-a", keyLimit: 3, now: noon)
        return try writer.append(tooMany, to: run, client: "client-a", keyLimit: 3, now: noon).receipt
      }
      guard case .failure = undone else { return [AppendReceipt]() }
      return [
        try writer.append(other, to: run, client: "client-b", keyLimit: 3, now: noon).receipt,
        try writer.append(first, to: run, client: "client-a", keyLimit: 3, now: noon).receipt,
      ]
    }
    #expect(receipts.map(\.nextSequence) == [1, 2])
    let shown = try await bench.show(run)
    #expect(shown.metrics.map(\.name) == ["a", "b"])
    #expect((shown.metric("a")?.count, shown.metric("a")?.max, shown.points) == (3, 9, 4))
    #expect(try await bench.store.integrity(deep: true) == [])
  }
}

/// SQLite's progress handler, which gives up after some steps of its machine.
private enum Interruption {
  static func after(_ steps: Int, _ db: Database) {
    sqlite3_progress_handler(db.sqliteConnection, Int32(steps), { _ in 1 }, nil)
  }

  static func never(_ db: Database) { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
}
