// What one request may cost, and what it may not touch.

import Foundation
import GRDB
import GRDBSQLite
import MartletModel
import MartletSeries
import MartletTestSupport
import Testing

@testable import MartletStore

@Suite struct StoreBoundsTests {
  @Test(arguments: [Int64.min, -2, -1, 0, 3, 4, 5, 1 << 40, .max - 1, .max])
  func aHistoryAfterAnyRow(after: Int64) async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append((0..<5).map { row($0, step: $0, ["x": 1]) }, to: run)
    for isSealed in [false, true] {
      if isSealed { try await bench.store.settle(idle: true) }
      try await bench.append([row(isSealed ? 6 : 5, step: 9, ["x": 2])], to: run)
      let page = try await bench.store.read {
        try $0.history(run: run, keys: nil, fromStep: nil, toStep: nil, after: after, limit: 100)
      }
      let all = (0..<Int64(isSealed ? 7 : 6))
      #expect(page.rows.map(\.row) == all.filter { $0 > after })
      #expect(page.next == nil)
    }
  }

  /// SQLite gives a purged run's number to the next one.
  @Test func aPurgedRunsPointsGoToNobody() async throws {
    let bench = try await Bench(sealing: .manual)
    let first = try await bench.run("first")
    try await bench.append([row(0, ["x": 1])], to: first)
    let number = try await bench.store.read { try $0.requireRunRow(first) }
    try await bench.store.purge(first, by: bench.me, now: noon)
    try await bench.store.settle(idle: true)
    try await bench.store.write { try $0.endPurge(of: [first]) }
    let second = try await bench.run("second")
    #expect(try await bench.store.read { try $0.requireRunRow(second) } == number)
    try await bench.append([row(0, ["y": 1])], to: second)
    _ = try await problem(.notFound) { try await bench.append([row(1, ["x": 2])], to: first) }
    _ = try await problem(.notFound) { try await bench.append([row(0, ["x": 2])], to: first) }
    let shown = try await bench.show(second)
    #expect(shown.metrics.map(\.name) == ["y"])
    #expect(shown.points == 1)
    #expect(try await bench.append([row(1, ["y": 2])], to: second).accepted == 1)
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  /// Many rows with a name each take space as their values do, not as rows times names.
  @Test func aBlockOfManyNamesIsSmall() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    let count: Int64 = 5_000
    let rows = (0..<count).map {
      LogRow(
        sequence: $0, step: $0, time: noon, numbers: [("n\($0)", Double($0))],
        others: [("t\($0)", .string("word"))])
    }
    #expect(try await bench.append(rows, to: run).accepted == Int(count))
    let bytes = try await bench.store.read {
      try Int.fetchOne($0.db, sql: "SELECT length(payload) FROM row_block") ?? 0
    }
    #expect((1...500_000).contains(bytes), "\(bytes)")
    func expectAll() async throws {
      let page = try await bench.store.read {
        try $0.history(run: run, keys: nil, fromStep: nil, toStep: nil, after: nil, limit: 10_000)
      }
      #expect(page.rows.count == Int(count))
      for (index, row) in page.rows.enumerated() {
        #expect(row.numbers.map(\.0) == ["n\(index)"] && row.numbers.map(\.1) == [Double(index)])
        #expect(row.texts.map(\.0) == ["t\(index)"])
      }
    }
    try await expectAll()
    try await bench.store.settle(idle: true)
    try await expectAll()
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  @Test func namesOfTextsAreCountedToo() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    func append(_ sequence: Int64, _ names: [String]) async throws {
      try await bench.append(
        [LogRow(sequence: sequence, step: nil, time: noon, numbers: [], others: names.map { ($0, "word") })],
        to: run, keyLimit: 3)
    }
    try await append(0, ["a", "b"])
    let refusal = try await problem(.unprocessable) { try await append(1, ["b", "c", "d"]) }
    #expect(refusal.message.contains("4 names of texts"))
    try await append(1, ["b", "c"])
    try await append(2, ["a", "b", "c"])
    // Counted from the database as from memory.
    let again = try bench.reopened(sealing: .manual)
    _ = try await problem(.unprocessable) {
      try await again.append([row(3, [:], others: ["d": "x"])], to: run, keyLimit: 3)
    }
    #expect(try await again.append([row(3, [:], others: ["a": "x"])], to: run, keyLimit: 3).accepted == 1)
  }

  /// What SQLite does not take fails alone: others of the same transaction are stored.
  @Test func aValueThatIsTooLargeFailsAlone() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    let large = try RowBatch([row(0, [:], others: ["t": .string(String(repeating: "x", count: 50_000))])])
    let small = try RowBatch([row(0, ["x": 1])])
    let results = try await bench.store.write { writer in
      let before = sqlite3_limit(writer.db.sqliteConnection, SQLITE_LIMIT_LENGTH, 20_000)
      defer { _ = sqlite3_limit(writer.db.sqliteConnection, SQLITE_LIMIT_LENGTH, before) }
      return try [("client-a", large), ("client-b", small)].map { client, batch in
        try writer.attempt {
          try writer.append(batch, to: run, client: client, keyLimit: 9, now: noon).receipt.accepted
        }
      }
    }
    guard case .failure(let error) = results[0], case .success(1) = results[1] else {
      Issue.record("\(results)")
      return
    }
    #expect((error as? Problem)?.code == .unprocessable)
    #expect(try await bench.show(run).metrics.map(\.name) == ["x"])
    #expect(try await bench.store.integrity(deep: true) == [])
  }

  @Test func aPageOfLargeTextsEndsBeforeItsLimit() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    let text = String(repeating: "a", count: 1 << 20)
    for index in 0..<40 {
      try await bench.append([row(Int64(index), ["x": Double(index)], others: ["t": .string(text)])], to: run)
    }
    for isSealed in [false, true] {
      if isSealed { try await bench.store.settle(idle: true) }
      for keys in [nil, ["t"]] as [[String]?] {
        var (rows, pages, next): ([Int64], Int, Int64?) = ([], 0, nil)
        repeat {
          let after = next
          let page = try await bench.store.read {
            try $0.history(run: run, keys: keys, fromStep: nil, toStep: nil, after: after, limit: 1_000)
          }
          #expect((1...17).contains(page.rows.count))
          #expect(page.rows.allSatisfy { $0.texts.map(\.1.count) == [text.utf8.count + 2] })
          rows += page.rows.map(\.row)
          pages += 1
          next = page.next
        } while next != nil
        #expect(rows == Array(0..<40))
        #expect(pages == 3)
      }
    }
  }

  @Test func seriesAreRefusedWhereTheAnswerWouldBeTooLarge() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append((0..<100).map { row($0, step: $0, ["a": 1, "b": 2, "c": 3]) }, to: run)
    func points(_ limit: Int, buckets: Int) async throws -> Int {
      try await bench.store.read {
        try $0.series(run: run, SeriesWindow(buckets: buckets), limit: limit).reduce(0) {
          $0 + $1.steps.count
        }
      }
    }
    #expect(try await points(300, buckets: 100) == 300)
    #expect(try await points(30, buckets: 10) == 30)
    let refusal = try await problem(.unprocessable) { _ = try await points(299, buckets: 100) }
    #expect(refusal.hint?.contains("fewer") == true)
  }

  @Test func aListLeavesLargeValuesOut() async throws {
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    let large = JSONValue.string(String(repeating: "ü", count: 20_000))
    try await bench.append([row(0, ["x": 1], others: ["large": large, "small": "word"])], to: run)
    #expect(try await bench.show(run).values.map(\.name) == ["large", "small"])
    let listed = try await bench.store.read { try $0.runs(RunQuery(), PageRequest()) }
    #expect(listed.items.first?.values.map(\.name) == ["small"])
    #expect(listed.items.first?.metrics.map(\.name) == ["x"])
  }

  @Test func aListGoesOnWhereItsLastRunWasPurged() async throws {
    let bench = try await Bench(sealing: .manual)
    var runs: [PublicID] = []
    for index in 0..<5 { runs.append(try await bench.run("run-\(index)")) }
    func page(_ cursor: String?) async throws -> Page<Run> {
      try await bench.store.read { try $0.runs(RunQuery(), PageRequest(limit: 2, cursor: cursor)) }
    }
    let first = try await page(nil)
    #expect(first.items.map(\.id) == [runs[4], runs[3]])
    for run in first.items { try await bench.store.purge(run.id, by: bench.me, now: noon) }
    try await bench.store.settle(idle: true)
    try await bench.store.write { try $0.endPurge(of: first.items.map(\.id)) }
    let second = try await page(first.next)
    #expect(second.items.map(\.id) == [runs[2], runs[1]])
    #expect(try await page(second.next).items.map(\.id) == [runs[0]])
    _ = try await problem(.badRequest) { _ = try await page("rx") }
    _ = try await problem(.badRequest) { _ = try await page("r-1") }
  }
}
