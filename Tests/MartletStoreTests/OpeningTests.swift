// A new file that several open at once.

import Foundation
import GRDB
import MartletModel
import MartletSeries
import MartletTestSupport
import Testing

@testable import MartletStore

@Suite struct OpeningTests {
  private func checkOpened(_ path: String) async throws {
    let store = try Store(path: path)
    let health = try await store.health()
    #expect((health.pageSize, health.autoVacuum, health.journalMode) == (4096, 2, "wal"))
    let versions = try await store.read {
      try String.fetchAll($0.db, sql: "SELECT identifier FROM grdb_migrations ORDER BY identifier")
    }
    #expect(versions == ["1", "2", "3", "4", "5", "6", "7"])
    #expect(try await store.integrity(deep: false) == [])
    try store.close()
  }

  @Test(arguments: 1...5)
  func byThreads(round: Int) async throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/martlet.db"
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<8 {
        group.addTask {
          let store = try Store(path: path)
          _ = try await store.write {
            try $0.createPrincipal(kind: .token, name: "thread \(index)", now: noon)
          }
          try store.close()
        }
      }
      try await group.waitForAll()
    }
    try await checkOpened(path)
    let store = try Store(path: path)
    #expect(try await store.read { try Int.fetchOne($0.db, sql: "SELECT count(*) FROM principal") } == 8)
    try store.close()
  }

  @Test func byProcesses() async throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/martlet.db"
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          await #expect(processExitsWith: .success) { [path = path as String] in
            let store = try Store(path: path)
            _ = try await store.write { try $0.createPrincipal(kind: .token, name: "process", now: noon) }
            try store.close()
          }
        }
      }
    }
    try await checkOpened(path)
  }

  /// Another process's points are seen: nothing that was remembered hides them.
  @Test func whatIsRememberedGivesWayToOthersWrites() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    try await bench.append([row(0, ["x": 1])], to: run)
    let other = try Store(path: bench.path)
    let rows = try RowBatch([row(1, ["x": 7]), row(2, ["y": 8])])
    _ = try await other.write {
      try $0.append(rows, to: run, client: "client-a", keyLimit: 9, now: noon)
    }
    let receipt = try await bench.append([row(2, ["y": 8]), row(3, ["x": 3])], to: run)
    #expect(receipt == AppendReceipt(accepted: 1, duplicates: 1, nextSequence: 4))
    let shown = try await bench.show(run)
    #expect(shown.metric("x")?.count == 3)
    #expect((shown.metric("x")?.max, shown.points, shown.lastStep) == (7, 4, 3))
    #expect(try await bench.series(run).map(\.values) == [[1, 7, 3], [8]])
    try other.close()
  }
}
