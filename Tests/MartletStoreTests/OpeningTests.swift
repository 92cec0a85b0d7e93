// A new file that several open at once.

import Dispatch
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
    #expect(versions == ["1", "10", "11", "12", "13", "2", "3", "4", "5", "6", "7", "8", "9"])
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

  /// Whoever closes the last connection to a file has it for itself for a while: all connections of a store that opens wait
  /// for that.
  @Test func whoeverHoldsTheFileIsWaitedFor() async throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/martlet.db"
    let holder = try DatabaseQueue(path: path)
    let (held, release) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    let hasEnded = Flag()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await onThread {
          try holder.inDatabase { db in
            try db.inTransaction(.exclusive) {
              try db.execute(sql: "CREATE TABLE t (x)")
              held.signal()
              release.wait()
              return .commit
            }
          }
        }
      }
      group.addTask {
        try await onThread {
          held.wait()
          defer { hasEnded.raise() }
          try Checkpointer(path: path).stop()
        }
      }
      // One that gives up does so at once; one that waits is given the file after a while.
      _ = try await eventually(within: 0.5) { hasEnded.isUp }
      release.signal()
      try await group.waitForAll()
    }
    try holder.close()
  }

  /// Runs `body` on a thread that may wait.
  private func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result(catching: body)) }
    }
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
