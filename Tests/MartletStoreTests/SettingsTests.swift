// The settings of the file that cannot be changed later, and its checkpoints.

import Foundation
import GRDB
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct SettingsTests {
  @Test func areAsPromisedAlsoAfterReopening() async throws {
    var bench = try await Bench()
    for _ in 0..<2 {
      let health = try await bench.store.health()
      #expect(health.synchronous == 2)
      #expect(health.journalMode == "wal")
      #expect(health.pageSize == 4096)
      #expect(health.autoVacuum == 2)
      #expect(health.foreignKeys)
      #expect(health.bytes > 0)
      bench = try bench.reopened()
    }
    // What the file itself says to a stranger.
    try bench.store.close()
    try await DatabaseQueue(path: bench.path).read { db throws in
      #expect(try Int.fetchOne(db, sql: "PRAGMA page_size") == 4096)
      #expect(try Int.fetchOne(db, sql: "PRAGMA auto_vacuum") == 2)
      #expect(try String.fetchOne(db, sql: "PRAGMA journal_mode") == "wal")
    }
  }

  @Test func foreignKeysAreEnforced() async throws {
    let bench = try await Bench()
    let me = bench.me
    _ = try await problem(.internal) {
      _ = try await bench.store.write {
        try $0.createTrial(
          ofSweep: 99, number: 0, parameters: [:], run: try $0.executed("a", by: me), by: me, now: noon)
      }
    }
    #expect(try await bench.store.read { try $0.runs(RunQuery(), PageRequest()) }.items.isEmpty)
  }

  @Test func healthCounts() async throws {
    let bench = try await Bench()
    let first = try await bench.run(in: "digits")
    _ = try await bench.run(in: "letters")
    try await bench.append([row(0, ["a": 1, "b": 2]), row(1, ["a": 3])], to: first)
    let counts = try await bench.store.health().counts
    #expect(counts == (projects: 2, runs: 2, sweeps: 0, points: 3))
  }

  /// A full or read-only disk refuses transactions of the writer, as a stranger's does here.
  @Test func healthNeedsNoTransactionOfTheWriter() async throws {
    let bench = try await Bench()
    _ = try await bench.run()
    var configuration = Configuration()
    configuration.allowsUnsafeTransactions = true
    let stranger = try DatabaseQueue(path: bench.path, configuration: configuration)
    try await stranger.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
    // A transaction of the writer would end its wait for the stranger, who stays, with an error.
    #expect(try await bench.store.health().counts.runs == 1)
    try await stranger.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
  }

  @Test func whatIsNoDatabaseIsRefusedInWords() throws {
    let scratch = Scratch()
    let path = "\(scratch.path)/martlet.db"
    try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: Problem.self) { try Store(path: path) }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains(path) == true)
    #expect(error?.hint?.contains("backup") == true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(repeating: 0x41, count: 8192))
  }

  /// Each round waits until the log begins anew, which it does at the first write after a whole checkpoint.
  @Test func theCheckpointerKeepsTheLogBounded() async throws {
    let bench = try await Bench()
    let run = try await bench.run()
    let log = "\(bench.path)-wal"
    /// What changes when the log begins anew: the checkpoint number and the salts, bytes 12 to 23 of its header.
    func beginnings() throws -> Data {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: log))
      defer { try? file.close() }
      return try (file.read(upToCount: 24) ?? Data()).suffix(12)
    }
    let piece = 2 << 20
    for round in 1...3 {
      let before = try beginnings()
      try await bench.store.write { writer in
        try writer.db.execute(
          sql: """
            INSERT INTO row_block (run_id, first_row, row_count, client, first_seq, min_step, max_step, received_at,
              payload) VALUES (?, 0, 0, '', 0, 0, 0, 0, zeroblob(?))
            """, arguments: [try writer.requireRunRow(run), piece])
      }
      var pause = Duration.milliseconds(200)
      try await eventually("the log begins anew in round \(round)", within: 120) {
        // Commits that follow each other at once leave a slow disk no moment in which all of the log is checkpointed:
        // the longer it takes, the longer are the pauses.
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .seconds(5))
        try await bench.store.write { try $0.db.execute(sql: "UPDATE run SET notes = notes || '.'") }
        return try beginnings() != before
      }
    }
  }
}
