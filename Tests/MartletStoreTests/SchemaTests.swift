// The schema, version 1: sound after whatever happened, and the hot queries find their indexes.

import GRDB
import MartletModel
import Synchronization
import Testing

@testable import MartletStore

@Suite struct SchemaTests {
  @Test(arguments: 1...3)
  func isSoundAfterARandomHistory(seed: UInt64) async throws {
    var bench = try await Bench()
    let me = bench.me
    var dice = Dice(state: seed)
    var runs: [PublicID] = []
    var next: [PublicID: Int64] = [:]
    for _ in 0..<90 {
      let kind = Int.random(in: 0..<10, using: &dice)
      if runs.isEmpty || kind == 0 {
        runs.append(try await bench.run("run-\(runs.count)", in: "project-\(runs.count % 3)"))
        continue
      }
      if kind == 1 {
        runs.append(try await bench.executed())
        continue
      }
      let run = try #require(runs.randomElement(using: &dice))
      let known = next[run, default: 0]
      do {
        switch kind {
        case 2:
          let state = try #require(AttemptState.allCases.randomElement(using: &dice))
          try await bench.store.write { try $0.setAttemptState(of: run, number: 1, state, by: me, now: noon) }
        case 3:
          try await bench.append([row(known + 5, ["x": 1])], to: run)
        case 4:
          var patch = RunPatch()
          patch.config = ["a": ["\(known)": .int(known)]]
          let change = patch
          try await bench.store.write { try $0.patchRun(run, change, now: noon) }
        case 5:
          let hash = (0..<32).map { _ in UInt8.random(in: 0...255, using: &dice) }
          _ = try await bench.store.createToken(
            name: "t", kind: .token, hash: hash, scopes: [.read], project: "project-0", run: run,
            expiresAt: nil,
            by: me, now: noon)
        default:
          let rows = (0..<Int64.random(in: 1...9, using: &dice)).map { offset in
            row(known + offset, ["x": dice.value(), "y\(offset)": dice.value()], others: ["note": "n"])
          }
          try await bench.append(rows, to: run)
          next[run] = known + Int64(rows.count)
        }
      } catch is Problem {
        // Refused, as some of these must be: then nothing of it may be left.
      }
    }
    for _ in 0..<2 {
      try await bench.store.read { reader in
        #expect(try String.fetchAll(reader.db, sql: "PRAGMA integrity_check") == ["ok"])
        #expect(try Row.fetchAll(reader.db, sql: "PRAGMA foreign_key_check").isEmpty)
        #expect(
          try String.fetchAll(reader.db, sql: "SELECT identifier FROM grdb_migrations") == [
            "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13",
          ])
        let points = try Int64.fetchOne(reader.db, sql: "SELECT coalesce(sum(count), 0) FROM metric_summary")
        #expect(try Int64.fetchOne(reader.db, sql: "SELECT sum(points) FROM run") == points)
        let rows = try Int64.fetchOne(reader.db, sql: "SELECT coalesce(sum(rows), 0) FROM run")
        #expect(try Int64.fetchOne(reader.db, sql: "SELECT sum(next_seq) FROM client") == rows)
      }
      #expect(try await bench.store.integrity(deep: true) == [])
      bench = try bench.reopened()
    }
  }

  @Test func hotQueriesUseIndexes() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append([row(0, ["loss": 1], others: ["note": "x"])], to: run)
    _ = try await bench.store.createToken(
      name: "t", kind: .token, hash: TokenSecret.hash("secret"), scopes: [.read], project: nil, run: nil,
      expiresAt: nil, by: bench.me, now: noon)

    let series = try await plans(bench) { _ = try await bench.series(run) }
    #expect(series.contains { $0.contains("SEARCH row_block USING INDEX row_block_by_run (run_id=?)") })
    let byProject = try await plans(bench) {
      _ = try await bench.store.read { try $0.runs(RunQuery(project: "digits"), PageRequest()) }
    }
    #expect(byProject.contains { $0.contains("SEARCH run USING INDEX run_by_project (project_id=?)") })
    let byHash = try await plans(bench) {
      _ = try await bench.store.access(tokenHash: TokenSecret.hash("secret"), now: noon)
    }
    #expect(byHash.contains { $0.contains("SEARCH token USING INDEX sqlite_autoindex_token_2 (hash=?)") })
    let silent = try await plans(bench) {
      _ = try await bench.store.read { try $0.silentRuns(state: .running, before: noon) }
    }
    #expect(silent.contains { $0.contains("SEARCH run USING INDEX run_alive (state=?)") })
    let place = try await plans(bench) { _ = try await bench.store.read { try $0.place(of: run) } }
    #expect(place.contains { $0.contains("SEARCH run USING INDEX sqlite_autoindex_run_1 (public_id=?)") })
    let one = try await plans(bench) { _ = try await bench.show(run) }
    try await bench.append((1..<9_000).map { row($0, ["loss": 1]) }, to: run)
    try await bench.store.settle(idle: true)
    let sealed = try await plans(bench) {
      _ = try await bench.series(run, buckets: 10)
      _ = try await bench.series(run, ["loss"])
    }
    for index in [
      "row_chunk USING COVERING INDEX row_chunk_by_run (run_id=? AND first_row>?)",
      "series_chunk USING COVERING INDEX series_chunk_by_run (run_id=? AND key_id=? AND kind=? AND first_row>? AND first_row<?)",
      "series_level USING INDEX series_level_by_run (run_id=? AND key_id=? AND level=? AND first_row>? AND first_row<?)",
    ] {
      #expect(sealed.contains { $0.contains(index) }, "\(index): \(sealed)")
    }
    let history = try await plans(bench) {
      _ = try await bench.store.read {
        try $0.history(run: run, keys: nil, fromStep: nil, toStep: nil, after: nil, limit: 10)
      }
    }
    #expect(
      history.contains {
        $0.contains("series_chunk USING INDEX series_chunk_by_row (run_id=? AND first_row=?)")
      })
    // What json_each makes of an array is no table.
    let lines = series + byProject + byHash + silent + place + one + sealed + history
    for line in lines where !line.contains("VIRTUAL TABLE") {
      #expect(!line.hasPrefix("SCAN"), "a table is read whole: \(line)")
    }
  }

  /// The plans of the very statements that `body` runs on a reader.
  private func plans(_ bench: Bench, _ body: () async throws -> Void) async throws -> [String] {
    let seen = Recorder()
    // One test, one reader at a time: the pool hands out the same connection again.
    try await bench.store.read { reader in
      reader.db.trace { event in
        if case .statement(let statement) = event { seen.add(statement.expandedSQL) }
      }
    }
    try await body()
    try await bench.store.read { $0.db.trace(nil) }
    let queries = seen.all.filter { $0.hasPrefix("SELECT") }
    #expect(!queries.isEmpty)
    return try await bench.store.read { reader in
      try queries.flatMap {
        try Row.fetchAll(reader.db, sql: "EXPLAIN QUERY PLAN \($0)").map { $0["detail"] }
      }
    }
  }

  private final class Recorder: Sendable {
    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }
    func add(_ sql: String) { list.withLock { $0.append(sql) } }
  }
}
