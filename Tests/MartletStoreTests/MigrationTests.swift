// Stores of earlier versions, opened by this one: nothing is lost, nothing reads otherwise.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct MigrationTests {
  /// A copy of a store that an earlier version made, and what that version answered of it.
  private struct Fixture {
    var directory = Scratch()
    var answers: JSONValue

    var path: String { "\(directory.path)/martlet.db" }

    init(version: Int = 1) throws {
      let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
      let text = try Data(contentsOf: fixtures.appending(path: "store-\(version).json"))
      answers = try JSONValue.parse(Array(text))
      try FileManager.default.copyItem(
        atPath: fixtures.appending(path: "store-\(version).db").path, toPath: path)
    }

    var runs: [JSONValue] { answers["runs"]?.array ?? [] }
    var series: [JSONValue] { answers["series"]?.array ?? [] }
  }

  /// Whether all of `old` is in `new`; numbers may differ in rounding.
  private func isKept(_ old: JSONValue, in new: JSONValue) -> Bool {
    switch (old, new) {
    case (.object(let old), .object(let new)):
      old.allSatisfy { name, value in new[name].map { isKept(value, in: $0) } ?? false }
    case (.array(let old), .array(let new)):
      old.count == new.count && zip(old, new).allSatisfy { isKept($0, in: $1) }
    case (.double, _), (_, .double): isNear(old.double ?? 0, new.double ?? .nan)
    default: old == new
    }
  }

  private func check(_ store: Store, _ fixture: Fixture, _ place: SourceLocation = #_sourceLocation)
    async throws
  {
    let runs = try await store.read { try $0.runs(RunQuery(), PageRequest()) }.items
    #expect(runs.map { $0.json["id"] } == fixture.runs.map { $0["id"] }, sourceLocation: place)
    for (run, old) in zip(runs, fixture.runs) {
      #expect(isKept(old, in: run.json), "\(run.name)", sourceLocation: place)
    }
    for old in fixture.series {
      let id = try #require(old["run"]?.string.flatMap(PublicID.init(rawValue:)))
      let key = try #require(old["key"]?.string)
      let series = try await store.read { try $0.series(run: id, SeriesWindow(keys: [key], buckets: 200)) }
      var text: [UInt8] = []
      try #require(series.first).write(to: &text)
      #expect(isKept(old, in: try JSONValue.parse(text)), "\(key)", sourceLocation: place)
    }
  }

  private struct Raw: Equatable {
    var series: [[UInt64]]
    var history: [String]
  }

  /// Every point and every row of every run, bit for bit.
  private func raw(_ store: Store) async throws -> [Raw] {
    try await store.read { reader in
      try reader.runs(RunQuery(), PageRequest()).items.map { run in
        let series = try reader.series(run: run.id, SeriesWindow(buckets: 20_000))
        let history = try reader.history(
          run: run.id, keys: nil, fromStep: nil, toStep: nil, after: nil, limit: 100_000)
        return Raw(
          series: series.map { one in
            (one.values ?? []).map(\.bitPattern) + one.steps.map(UInt64.init(bitPattern:))
              + one.times.map(UInt64.init(bitPattern:))
          },
          history: history.rows.map { row in
            let names = row.numbers.map { "\($0.name)=\($0.value.bitPattern)" }
            let texts = row.texts.map { "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))" }
            return "\(row.row) \(row.step) \(row.time) \((names + texts).sorted())"
          })
      }
    }
  }

  @Test func versionOneReadsTheSameBeforeAndAfterSealing() async throws {
    let fixture = try Fixture()
    let store = try Store(path: fixture.path, sealing: .manual)
    try await check(store, fixture)
    let before = try await raw(store)
    #expect(before.map { $0.history.count }.reduce(0, +) == 5_006)
    try await store.settle()
    // The run that has not ended keeps its tail.
    let blocks = try await store.read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM row_block") }
    #expect(blocks == 2)
    try await check(store, fixture)
    #expect(try await raw(store) == before)
    try await store.settle(idle: true)
    try store.close()

    let again = try Store(path: fixture.path, sealing: .manual)
    try await check(again, fixture)
    #expect(try await raw(again) == before)
    #expect(try await again.integrity(deep: true) == [])
    let health = try await again.health()
    #expect((health.unsealedRows, health.pageSize, health.autoVacuum) == (0, 4096, 2))
    #expect(health.levels == 2, "one full chunk of two series")
    try again.close()
  }

  /// What filters read is laid out for the runs that there are, and later changes are, too.
  @Test func versionTwoIsFiltered() async throws {
    let fixture = try Fixture(version: 2)
    let store = try Store(path: fixture.path, sealing: .manual)
    try await check(store, fixture)
    func names(_ filter: String, _ sort: String = "name") async throws -> [String] {
      var query = RunQuery(order: try #require(RunQuery.Order(sort)))
      query.filter = try ParsedFilter(filter).expression
      let asked = query
      return try await store.read { try $0.runs(asked, PageRequest()) }.items.map(\.name)
    }
    #expect(try await names("lr < 0.5") == ["run-0"])
    #expect(try await names("lr = \"0.1\"") == ["run-2"])
    #expect(try await names("seed = 1234567890123456789") == ["run-0"])
    #expect(try await names("optimizer.name in (adamw, lion)") == ["run-0", "run-1"])
    #expect(try await names("größe = é or nan = nan") == ["run-1", "run-2"])
    #expect(try await names("tag:ablation") == ["run-1", "run-2", "run-3"])
    #expect(try await names("top > 0.5 words = x") == ["run-1"])
    // Minimum by the wildcard, maximum by the name; of the sweep's metric by the sweep.
    #expect(try await names("val/loss.best exists", "val/loss.best") == ["run-0", "run-1"])
    #expect(try await names("val/acc.best = 0.2") == ["run-0"])
    #expect(try await names("loss.best exists", "loss.best").count == 2)
    let best = try await store.read { reader in
      try reader.runs(RunQuery(), PageRequest()).items.flatMap(\.metrics).compactMap(\.best).sorted()
    }
    let kept = try await store.read {
      try Double.fetchAll($0.db, sql: "SELECT best FROM metric_summary WHERE best IS NOT NULL ORDER BY best")
    }
    #expect(kept == best && best.count == 5)
    let fields = try await store.read { try $0.fields(project: "digits", search: nil, limit: 100) }
    #expect(fields.config.first { $0.name == "lr" }?.runs == 3)
    #expect(fields.metrics.first { $0.name == "loss" }?.goal == .minimize)
    #expect(try await store.integrity(deep: true) == [])
    try store.close()
  }

  /// Whoever starts the server is told why that takes long; of a new store there is nothing to tell.
  @Test func conversionIsTold() throws {
    let fixture = try Fixture(version: 2)
    var told: [String] = []
    let old = try Store(path: fixture.path, sealing: .manual) { told.append($0) }
    try old.close()
    #expect(told.count == 2 && told[0].contains("from version 2 to version "), "\(told)")
    told = []
    let again = try Store(path: fixture.path, sealing: .manual) { told.append($0) }
    try again.close()
    let scratch = Scratch()
    let new = try Store(path: "\(scratch.path)/new.db", sealing: .manual) { told.append($0) }
    try new.close()
    #expect(told == [])
  }

  /// What runs had of files before these had names stays theirs, whatever becomes of names.
  @Test func filesOfVersionTwoStayThoseOfLoggedValues() async throws {
    let fixture = try Fixture(version: 2)
    let hash = SHA256.hash([1, 2, 3])
    let ids = fixture.runs.compactMap { $0["id"]?.string.flatMap(PublicID.init(rawValue:)) }
    let (run, other) = (try #require(ids.first), try #require(ids.last))
    let old = try DatabaseQueue(path: fixture.path)
    try await old.write { db in
      try db.execute(
        sql: "INSERT INTO blob (hash, size, created_at) VALUES (?, 3, 1)", arguments: [Data(hash)])
      try db.execute(
        sql: """
          INSERT INTO run_blob (run_id, blob_id, created_at) SELECT run.id, blob.id, 1 FROM run, blob
          WHERE run.public_id = ?
          """, arguments: [run.rawValue])
    }
    try old.close()
    let store = try Store(path: fixture.path, sealing: .manual)
    try await check(store, fixture)
    let me = try await store.write { try $0.createPrincipal(kind: .token, name: "tester", now: noon) }
    #expect(try await store.read { try $0.ownBlob(hash, run: run, isNamed: false, since: noon) } == 3)
    #expect(try await store.read { try $0.ownBlob(hash, run: other, isNamed: true, since: noon) } == nil)
    #expect(try await store.read { try $0.files(of: run, prefix: "", PageRequest()) }.items == [])
    try await store.write { writer in
      try writer.setFile("a", hash, mediaType: nil, of: run, limit: 9, by: me, now: noon)
      try writer.deleteFile("a", of: run, by: me, now: noon)
    }
    #expect(try await store.read { try $0.blob(hash, run: run) } == 3)
    #expect(try await store.read { try !$0.isAnyBlobUnnamed(since: noon + 1e9) })
    #expect(try await store.integrity(deep: true) == [])
    try store.close()
  }

  /// Until version 6 bytes for a name were not told from those that have one.
  @Test func bytesOfVersionSixThatGotNoNameAreFound() async throws {
    let bench = try await Bench(sealing: .manual)
    let (run, me) = (try await bench.run(), bench.me)
    let (named, unnamed, logged) = (SHA256.hash([1]), SHA256.hash([2]), SHA256.hash([3]))
    try await bench.store.write { writer in
      for (hash, isNamed) in [(named, true), (unnamed, true), (logged, false)] {
        try writer.noteBlob(hash, size: 1, run: run, isNamed: isNamed, now: noon)
      }
      try writer.setFile("a", named, mediaType: nil, of: run, limit: 9, by: me, now: noon)
      try writer.db.execute(sql: "UPDATE run_blob SET is_named = 1 WHERE is_named = 2")
      try writer.db.execute(sql: "DROP INDEX run_blob_unnamed")
      try writer.db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = '8'")
    }
    let again = try bench.reopened(sealing: .manual)
    #expect(try await again.store.read { try !$0.isAnyBlobUnnamed(since: noon) })
    #expect(try await again.store.read { try $0.isAnyBlobUnnamed(since: noon + 1) })
    try await again.store.write { try $0.dropUnnamedBlobs(since: noon + 1) }
    let left = try await again.store.read { reader in
      try [named, unnamed, logged].map { try reader.blob($0, run: run) }
    }
    #expect(left == [1, nil, 1])
  }

  /// The sealer takes up an old store by itself, and points go on where they were.
  @Test func versionOneGoesOn() async throws {
    let fixture = try Fixture()
    let store = try Store(path: fixture.path, sealing: .eager)
    try await eventually("the old rows are sealed") {
      try await store.read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM row_block") } == 0
    }
    try await check(store, fixture)
    let id = try #require(fixture.series[0]["run"]?.string.flatMap(PublicID.init(rawValue:)))
    let rows = try RowBatch([row(4_999, step: 4_999, ["loss": 1]), row(5_000, ["loss": 2])])
    let receipt = try await store.write {
      try $0.append(rows, to: id, client: "aaaaaaaaaa", keyLimit: 10, now: noon).receipt
    }
    #expect(receipt == AppendReceipt(accepted: 1, duplicates: 1, nextSequence: 5_001))
    #expect(try await store.read { try $0.run(id) }?.lastStep == 5_000)
    try store.close()
  }
}
