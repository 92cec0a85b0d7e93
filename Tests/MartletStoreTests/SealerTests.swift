// What the store does by itself: beside appends and reads, bounded, and to the end.

import Foundation
import GRDB
import GRDBSQLite
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Synchronization
import Testing

@testable import MartletStore

@Suite struct SealerTests {
  private func count(_ store: Store, _ table: String) async throws -> Int {
    try await store.read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM \(table)") ?? -1 }
  }

  @Test func sealsWhatIsDueAndNoMore() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    let (alive, ended) = (try await bench.run("alive"), try await bench.run("ended"))
    for run in [alive, ended] {
      try await bench.append((0..<5_000).map { row($0, step: $0, ["x": Double($0)]) }, to: run)
    }
    try await bench.store.write {
      try $0.setRunState(ended, .finished, exit: nil, by: me, now: noon)
    }
    #expect(try await bench.store.health().unsealedRows == 10_000)
    try await bench.store.settle()
    #expect(try await bench.store.health().unsealedRows == 5_000 - 4_096)
    let chunks = try await bench.store.read { reader in
      try Row.fetchAll(reader.db, sql: "SELECT row_count FROM row_chunk ORDER BY run_id, first_row").map {
        $0[0] as Int
      }
    }
    #expect(chunks == [4_096, 4_096, 904])
    // Rows after the end take the last chunk up again.
    try await bench.append((5_000..<9_000).map { row($0, step: $0, ["x": Double($0)]) }, to: ended)
    try await bench.store.settle()
    let again = try await bench.store.read { reader in
      try Row.fetchAll(
        reader.db, sql: "SELECT first_row, row_count FROM row_chunk WHERE run_id = 2 ORDER BY first_row"
      ).map { [$0[0] as Int, $0[1] as Int] }
    }
    #expect(again == [[0, 4_096], [4_096, 4_096], [8_192, 808]])
    #expect(try await bench.series(ended).first?.values == (0..<9_000).map(Double.init))
  }

  @Test func worksByItself() async throws {
    let bench = try await Bench(sealing: .eager)
    let run = try await bench.run()
    for start in stride(from: Int64(0), to: 9_000, by: 500) {
      try await bench.append((start..<(start + 500)).map { row($0, step: $0, ["x": 1]) }, to: run)
    }
    try await eventually("all rows are in chunks") { try await count(bench.store, "row_block") == 0 }
    #expect(try await bench.series(run).first?.count == 9_000)
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  @Test func manySmallBlocksBecomeFew() async throws {
    let bench = try await Bench(sealing: .manual)
    var run = NaiveRun(id: try await bench.run())
    for index in 0..<700 {
      let client = index % 3 == 0 ? "client-a" : "client-b"
      let one = [
        row(run.next[client, default: 0], ["x": Double(index)], others: index % 9 == 0 ? ["t": "x"] : [:])
      ]
      try await bench.append(one, to: run.id, client: client)
      run.append(one, client: client)
      if index == 400 {
        try await bench.store.settle()
        #expect(try await count(bench.store, "row_block") == 1)
      }
    }
    try await bench.store.settle()
    #expect(try await count(bench.store, "row_block") == 2)
    try await run.checkHistory(bench.store, keys: nil, limit: 1_000)
    try await bench.store.settle(idle: true)
    try await run.checkHistory(bench.store, keys: nil, limit: 1_000)
    let origins = try await bench.store.read { reader in
      try reader.chunks(of: 1).flatMap { try reader.origins(of: $0).origins.stretches }
    }
    #expect(origins.reduce(0) { $0 + $1.count } == 700)
    #expect(Set(origins.map(\.client)) == ["client-a", "client-b"])
    #expect(origins.prefix(3).map(\.firstSequence) == [0, 0, 1])
  }

  /// Between reading a tail and writing its chunks, anything may happen to the run.
  @Test func whatWasReadOfAnotherStateIsNotWritten() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    var run = NaiveRun(id: try await bench.run())
    let id = run.id
    func append(_ range: Range<Int64>) async throws {
      let rows = range.map { row($0, step: $0, ["x": Double($0)]) }
      try await bench.append(rows, to: id)
      run.append(rows, client: "client-a")
    }
    func plan() throws -> (SealPlan, [SealedChunk]) {
      let plan = try #require(
        try bench.store.readNow { try $0.sealPlan(of: 1, isWhole: true, bytes: 1 << 20) })
      return (plan, plan.chunks())
    }
    try await append(0..<5_000)
    let (first, firstChunks) = try plan()
    let merge = try bench.store.readNow { try $0.mergePlan(of: 1) }
    #expect(merge == nil)
    // More rows change nothing of what was read.
    try await append(5_000..<5_010)
    try bench.store.writeNow { try $0.seal(firstChunks, first) }
    #expect(try await count(bench.store, "row_chunk") == 2)
    // The same again: the chunks are there.
    try bench.store.writeNow { try $0.seal(firstChunks, first) }
    #expect(try await count(bench.store, "row_chunk") == 2)
    // As many rows as before, but others.
    let (old, oldChunks) = try plan()
    try await bench.store.write { _ = try $0.rewind(id, to: -1, by: me, now: noon) }
    run.rewind(to: -1)
    try await append(5_010..<10_010)
    try await bench.store.settle(idle: true)
    try await append(10_010..<10_020)
    try bench.store.writeNow { try $0.seal(oldChunks, old) }
    try await run.check(bench.store, SeriesWindow(buckets: 20_000))
    try await run.checkHistory(bench.store, keys: nil, limit: 10_000)

    let (second, secondChunks) = try plan()
    try await bench.store.write { _ = try $0.rewind(id, to: 6_000, by: me, now: noon) }
    run.rewind(to: 6_000)
    try await append(10_020..<10_030)
    try bench.store.writeNow { try $0.seal(secondChunks, second) }
    try await run.check(bench.store, SeriesWindow(buckets: 20_000))
    try await run.checkHistory(bench.store, keys: nil, limit: 10_000)
    // Blocks that were to be brought together, and were sealed meanwhile.
    try await append(10_030..<10_031)
    let third = try #require(try bench.store.readNow { try $0.mergePlan(of: 1) })
    try await bench.store.settle(idle: true)
    try bench.store.writeNow { try $0.merge(third) }
    #expect(try await count(bench.store, "row_block") == 0)
    try await run.checkHistory(bench.store, keys: nil, limit: 10_000)
    try await bench.store.purge(id, by: bench.me, now: noon)
    try await bench.store.settle()
    try bench.store.writeNow { try $0.seal(secondChunks, second) }
    #expect(try await count(bench.store, "row_chunk") == 0)
  }

  /// Readers meet every moment of it: the same points in blocks, in chunks, or half and half.
  @Test func readersSeeTheSamePointsAtAnyMoment() async throws {
    let bench = try await Bench(sealing: .eager)
    let run = try await bench.run()
    let total: Int64 = 40_000
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for start in stride(from: Int64(0), to: total, by: 400) {
          try await bench.append(
            (start..<(start + 400)).map { row($0, step: $0, ["x": Double($0)]) }, to: run)
        }
      }
      for _ in 0..<2 {
        group.addTask {
          var seen = 0
          while seen < Int(total) {
            let (series, points) = try await bench.store.read { reader in
              (
                try reader.series(run: run, SeriesWindow(buckets: 1_000_000)).first,
                try reader.run(run)?.points ?? 0
              )
            }
            #expect(series?.count ?? 0 == Int(points))
            #expect(series?.values ?? [] == (0..<Int(points)).map(Double.init))
            #expect(Int(points) >= seen)
            seen = Int(points)
            await Task.yield()
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Texts of many bytes are sealed before a chunk is full, and read without the others.
  @Test func longTextsAreSpread() async throws {
    var policy = SealingPolicy.manual
    policy.bytes = 3 << 20
    let bench = try await Bench(sealing: policy)
    var run = NaiveRun(id: try await bench.run())
    for start in stride(from: Int64(0), to: 60, by: 4) {
      let rows = (start..<(start + 4)).map { index in
        row(
          index, step: index, ["x": Double(index)],
          others: [
            "big": .string(String(repeating: "\(index % 10)", count: 200_000)), "small": .string("s\(index)"),
          ])
      }
      try await bench.append(rows, to: run.id)
      run.append(rows, client: "client-a")
      try await bench.store.settle()
    }
    let columns = try await bench.store.read {
      try Int.fetchOne($0.db, sql: "SELECT count(*) FROM series_chunk WHERE kind = 1") ?? 0
    }
    #expect(columns >= 4, "more than one of each key")
    try await run.checkHistory(bench.store, keys: nil, limit: 7)
    try await bench.store.settle(idle: true)
    try await run.checkHistory(bench.store, keys: ["big"], from: 11, to: 50, limit: 3)
    try await run.checkSummary(bench.store)
    let me = bench.me
    let id = run.id
    _ = try await bench.store.write { try $0.rewind(id, to: 41, by: me, now: noon) }
    run.rewind(to: 41)
    try await run.checkHistory(bench.store, keys: nil, limit: 100)
    try await run.checkSummary(bench.store)
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  @Test func freePagesGoBack() async throws {
    let bench = try await Bench(sealing: .manual)
    let (kept, gone) = (try await bench.run("kept"), try await bench.run("gone"))
    var dice = Dice(state: 3)
    for run in [kept, gone] {
      for start in stride(from: Int64(0), to: 60_000, by: 5_000) {
        try await bench.append(
          (start..<(start + 5_000)).map { row($0, ["x": Double.random(in: 0...1, using: &dice)]) }, to: run)
      }
    }
    try await bench.store.settle(idle: true)
    let before = try await bench.store.health()
    try await bench.store.purge(gone, by: bench.me, now: noon)
    try await bench.store.settle()
    let after = try await bench.store.health()
    #expect(Double(after.bytes) < 0.7 * Double(before.bytes))
    #expect(after.freePages * 20 <= after.pages)
    #expect(after.walBytes == 0)
    #expect(try await bench.series(kept, buckets: 100_000).first?.count == 60_000)
  }

  /// What a start finds half done, it ends.
  @Test func purgesGoOnAfterAStart() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append((0..<9_000).map { row($0, ["x": 1], others: ["t": "x"]) }, to: run)
    try await bench.store.settle()
    try await bench.store.purge(run, by: bench.me, now: noon)
    #expect(try await bench.store.write { try $0.purgeStep() })
    #expect(try await count(bench.store, "run") == 1)
    let again = try bench.reopened(sealing: .eager)
    try await eventually("its points are gone") { try await again.store.read { try !$0.isPurging() } }
    try await again.endPurges()
    for table in [
      "run", "row_block", "row_chunk", "series_chunk", "series_level", "metric_summary", "client", "event",
    ] {
      let left = try await count(again.store, table)
      #expect(left == (table == "event" ? 2 : 0), "\(table): only the project's events")
    }
  }

  // MARK: - Many runs

  /// How often something was committed meanwhile.
  private func commits(_ store: Store, during body: () async throws -> Void) async throws -> Int {
    final class Counter: Sendable { let count = Atomic(0) }
    let counter = Counter()
    try await store.pool.writeWithoutTransaction { db in
      _ = sqlite3_wal_hook(
        db.sqliteConnection,
        { context, _, _, _ in
          guard let context else { return SQLITE_OK }
          Unmanaged<Counter>.fromOpaque(context).takeUnretainedValue().count.add(1, ordering: .relaxed)
          return SQLITE_OK
        }, Unmanaged.passUnretained(counter).toOpaque())
    }
    try await body()
    try await store.pool.writeWithoutTransaction { db in _ = sqlite3_wal_hook(db.sqliteConnection, nil, nil) }
    return counter.count.load(ordering: .relaxed)
  }

  /// Runs of a few rows each, which have ended.
  private func ended(_ count: Int, _ bench: Bench) async throws -> [NaiveRun] {
    let me = bench.me
    var runs: [NaiveRun] = []
    for index in 0..<count {
      var run = NaiveRun(id: try await bench.run("run-\(index)"))
      let id = run.id
      let rows = (0..<Int64(3 + index % 5)).map {
        row($0, ["x": Double(index), "y": .nan], others: ["t": .string("run \(index)")])
      }
      try await bench.append(rows, to: id)
      run.append(rows, client: "client-a")
      try await bench.store.write { try $0.setRunState(id, .finished, exit: nil, by: me, now: noon) }
      runs.append(run)
    }
    return runs
  }

  /// A transaction waits for the disk: runs that have little share one.
  @Test(arguments: [(1, 1 << 20, 100...110), (40, 1 << 20, 3...12), (1_000, 4_096, 5...15)])
  func littleOfManySharesATransaction(runs: Int, bytes: Int, expected: ClosedRange<Int>) async throws {
    var policy = SealingPolicy.manual
    (policy.sharedRuns, policy.sharedBytes, policy.sharedSeconds) = (runs, bytes, .infinity)
    let bench = try await Bench(sealing: policy)
    let all = try await ended(100, bench)
    let commits = try await commits(bench.store) { try await bench.store.settle() }
    #expect(expected.contains(commits), "\(commits)")
    #expect(try await count(bench.store, "row_block") == 0)
    #expect(try await count(bench.store, "row_chunk") == 100)
    for run in all {
      try await run.checkSummary(bench.store)
      try await run.checkHistory(bench.store, keys: nil, limit: 100)
    }
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  /// When its time is over before a second run is written, each has its own again.
  @Test func aSharedTransactionIsShort() async throws {
    var policy = SealingPolicy.manual
    policy.sharedSeconds = -1
    let bench = try await Bench(sealing: policy)
    let all = try await ended(20, bench)
    let commits = try await commits(bench.store) { try await bench.store.settle() }
    #expect((20...30).contains(commits), "\(commits)")
    for run in all { try await run.checkHistory(bench.store, keys: nil, limit: 100) }
  }

  /// What cannot be read or written of some runs holds up no other that would have shared their transaction.
  @Test func aRunThatFailsHoldsUpNoOther() async throws {
    let quiet = try await Bench(sealing: .manual)
    let all = try await ended(30, quiet)
    try await quiet.store.pool.writeWithoutTransaction { db in
      // One block that cannot be decoded, and one run whose chunk is refused.
      try db.execute(sql: "UPDATE row_block SET payload = x'00' WHERE run_id = 7")
      try db.execute(
        sql: """
          CREATE TRIGGER refuse BEFORE INSERT ON row_chunk WHEN NEW.run_id = 11
          BEGIN SELECT RAISE(ABORT, 'not this one'); END
          """)
    }
    let bench = try quiet.reopened(sealing: .eager)
    try await eventually("all others are in chunks") { try await count(bench.store, "row_chunk") == 28 }
    let left = try await bench.store.read {
      try Int64.fetchAll($0.db, sql: "SELECT DISTINCT run_id FROM row_block ORDER BY run_id")
    }
    #expect(left == [7, 11])
    for (index, run) in all.enumerated() where index != 6 {
      try await run.checkHistory(bench.store, keys: nil, limit: 100)
    }
  }
}
