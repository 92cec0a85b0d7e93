// Copies while writing goes on, and damage that is found.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct BackupTests {
  @Test func aCopyIsOfOneMoment() async throws {
    let bench = try await Bench(sealing: .eager)
    let run = try await bench.run()
    let copies = (0..<4).map { "\(bench.directory.path)/copy-\($0).db" }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for start in stride(from: Int64(0), to: 20_000, by: 100) {
          try await bench.append(
            (start..<(start + 100)).map { row($0, step: $0, ["x": Double($0)]) }, to: run)
        }
      }
      group.addTask {
        for (index, copy) in copies.enumerated() {
          // Within the server, and as another process does it.
          if index % 2 == 0 {
            try await bench.store.backup(to: copy)
          } else {
            try Store.backup(of: bench.path, to: copy)
          }
        }
      }
      try await group.waitForAll()
    }
    var last = 0
    for path in copies {
      #expect(!FileManager.default.fileExists(atPath: "\(path).partial"))
      let copy = try Store(path: path, sealing: .manual)
      #expect(try await copy.integrity(deep: true) == [])
      let points = try await copy.read { try $0.run(run) }?.points ?? 0
      let series = try await copy.read { try $0.series(run: run, SeriesWindow(buckets: 100_000)) }
      #expect(series.first?.values ?? [] == (0..<Int(points)).map(Double.init))
      #expect(Int(points) >= last && points % 100 == 0)
      last = Int(points)
      // It goes on as the store would: exactly once.
      let next = try RowBatch([row(points, step: points, ["x": 1])])
      let receipt = try await copy.write {
        try $0.append(next, to: run, client: "client-a", keyLimit: 9, now: noon).receipt
      }
      #expect(receipt.accepted == 1)
      try copy.close()
    }
  }

  @Test func aCopyOverwritesNothing() async throws {
    let bench = try await Bench()
    let copy = "\(bench.directory.path)/copy.db"
    try Data("mine".utf8).write(to: URL(fileURLWithPath: copy))
    _ = try await problem(.conflict) { try await bench.store.backup(to: copy) }
    #expect(try Data(contentsOf: URL(fileURLWithPath: copy)) == Data("mine".utf8))
    _ = try await problem(.unavailable) { try await bench.store.backup(to: "/proc/nowhere/copy.db") }
    _ = try await problem(.notFound) {
      try Store.backup(of: "\(bench.directory.path)/none.db", to: "\(bench.directory.path)/second.db")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(bench.directory.path)/second.db"))
  }
}

@Suite struct IntegrityTests {
  /// A way to harm a store, and whether only a deep look finds it.
  private static let harms: [(sql: String, isDeep: Bool)] = [
    ("UPDATE series_chunk SET payload = x'FF' WHERE kind = 0 AND first_row = 0", false),
    ("UPDATE series_chunk SET payload = x'FF' WHERE kind = 1", false),
    ("UPDATE row_chunk SET steps = x'00' WHERE first_row = 4096", false),
    ("UPDATE row_chunk SET max_step = max_step + 1 WHERE first_row = 0", false),
    ("UPDATE row_chunk SET origins = x'' WHERE first_row = 0", false),
    ("DELETE FROM row_chunk WHERE first_row = 0", false),
    (
      "UPDATE series_level SET payload = (SELECT payload FROM series_level WHERE first_row = 4096 LIMIT 1)",
      false
    ),
    ("DELETE FROM series_level WHERE first_row = 0", false),
    ("UPDATE row_block SET payload = x'01'", false),
    ("DELETE FROM row_block", false),
    ("UPDATE row_block SET first_row = first_row + 1", false),
    ("UPDATE run SET rows = rows + 1", false),
    ("PRAGMA foreign_keys = OFF; UPDATE row_block SET run_id = 99", false),
    ("UPDATE metric_summary SET max = max + 1", true),
    ("UPDATE metric_summary SET last_step = last_step + 1", true),
    ("UPDATE metric_summary SET sum = sum * 1.001", true),
    ("UPDATE run SET points = points - 1", true),
    ("DELETE FROM metric_summary", true),
  ]

  @Test(arguments: 0..<harms.count)
  func damageIsFound(index: Int) async throws {
    let (sql, isDeep) = Self.harms[index]
    let bench = try await Bench(sealing: .manual)
    let run = try await bench.run()
    try await bench.append(
      (0..<9_000).map { row($0, step: $0, ["x": Double($0)], others: $0 == 77 ? ["t": "x"] : [:]) }, to: run)
    try await bench.store.settle()
    #expect(try await bench.store.integrity(deep: true) == [])
    try await bench.store.pool.writeWithoutTransaction { try $0.execute(sql: sql) }
    let quick = try await bench.store.integrity(deep: false)
    #expect(quick.isEmpty == isDeep, "\(sql): \(quick)")
    #expect(try await !bench.store.integrity(deep: true).isEmpty, "\(sql)")
  }
}
