// What a sweep looks for is derived: it is computed at a trial's end, and again when it changed meanwhile.

import GRDB
import MartletModel
import MartletSeries
import MartletStore
import MartletTestSupport
import MartletTracking
import OrderedCollections
import Testing

@testable import MartletOrchestration

@Suite struct DerivedObjectiveTests {
  private static let sweep = """
    program: train.py
    name: gaps
    project: digits
    method: grid
    metric: {name: gap, goal: minimize}
    parameters:
      x: {values: [1]}

    """

  private func define(_ shop: Workshop) async throws {
    _ = try await shop.engine.tracking.defineDerived(
      NewDerivedMetric(json: ["name": "gap", "expression": "a - b"]), inProject: "digits",
      access: shop.access)
    try shop.write("train.py", Programs.python("log(0, a=5, b=2)\nlog(1, a=4, b=2)\nwait('gate')"))
  }

  /// From now on so many results that are written are out of date at once, as if somebody had logged in between.
  private func outdate(_ times: Int, _ shop: Workshop) async throws {
    let database = try DatabaseQueue(path: "\(shop.data)/martlet.db")
    try await database.write { db in
      try db.execute(sql: "CREATE TABLE meanwhile (times INTEGER)")
      try db.execute(sql: "INSERT INTO meanwhile VALUES (?)", arguments: [times])
      for event in ["INSERT", "UPDATE"] {
        try db.execute(
          sql: """
            CREATE TRIGGER meanwhile_\(event) AFTER \(event) ON derived_summary
            WHEN (SELECT times FROM meanwhile) > 0 AND NEW.rows > 0
            BEGIN
              UPDATE derived_summary SET rows = -1 WHERE run_id = NEW.run_id AND derived_id = NEW.derived_id;
              UPDATE meanwhile SET times = times - 1;
            END
            """)
      }
    }
    try database.close()
  }

  @Test func `a trial ends with what is derived of all its points`() async throws {
    try await Workshop.with { shop in
      try await define(shop)
      try shop.write("gate", "")
      let sweep = try await shop.ended(try await shop.submit(Self.sweep).id)
      #expect(sweep.state == .finished)
      #expect(try await shop.trials(sweep.id).map(\.objective) == [2])
    }
  }

  @Test func `what was logged in between is looked at too`() async throws {
    try await Workshop.with { shop in
      try await define(shop)
      let sweep = try await shop.submit(Self.sweep)
      #expect(try await shop.running(sweep.id, count: 1))
      let trial = try #require(try await shop.trials(sweep.id).first)
      // What decides waits, while the trial ends and its objective is computed.
      let (conductor, store) = (try shop.engine.conductor, try shop.engine.store)
      let gate = AsyncStream.makeStream(of: Void.self)
      // Nobody waits for it for ever, however this ends.
      defer { gate.continuation.finish() }
      let holding = Task {
        try await conductor.queue.run { for await _ in gate.stream {} }
      }
      try shop.write("gate", "")
      try await eventually("its objective is known") {
        try await store.read { reader in
          try !reader.isObjectiveOutdated(of: trial.run)
            && reader.run(trial.run)?.metric("gap")?.count == 2
        }
      }
      let rows = try RowBatch([
        LogRow(
          sequence: 0, step: 2, time: Timestamp(microseconds: 1), numbers: [("a", 3), ("b", 2.5)], others: [])
      ])
      _ = try await shop.engine.tracking.append(rows, to: trial.run, client: "somebody-else")
      gate.continuation.finish()
      try await holding.value
      #expect(try await shop.ended(sweep.id).state == .finished)
      #expect(try await shop.trials(sweep.id).map(\.objective) == [0.5])
    }
  }

  @Test func `what changes a few times while it is computed is computed again`() async throws {
    try await Workshop.with { shop in
      try await define(shop)
      try await outdate(3, shop)
      try shop.write("gate", "")
      let sweep = try await shop.ended(try await shop.submit(Self.sweep).id)
      #expect(try await shop.trials(sweep.id).map(\.objective) == [2])
    }
  }

  @Test func `what never stops changing fails its trial, and holds up nothing`() async throws {
    try await Workshop.with { shop in
      try await define(shop)
      try await outdate(1_000, shop)
      try shop.write("gate", "")
      let sweep = try await shop.ended(try await shop.submit(Self.sweep).id)
      let trials = try await shop.trials(sweep.id)
      #expect(trials.map(\.state) == [.failed])
      #expect(trials.first?.reason?.contains("go on changing") == true, "\(trials)")
    }
  }
}

/// What decides waits for nobody who reads rows for a watcher.
@Suite struct TellingTests {
  @Test func `a sweep goes on and ends while a watcher's snapshot is being read`() async throws {
    try await Workshop.with { shop in
      let feed = try shop.engine.tracking.feed
      let subscription = feed.subscribe { _, _ in }
      let gate = AsyncStream.makeStream(of: Void.self)
      // Nobody waits for it for ever, however this ends.
      defer { gate.continuation.finish() }
      let snapshot = Task { try await feed.inOrder { for await _ in gate.stream {} } }
      let sweep = try await shop.submit(
        "command: [/bin/true]\nmethod: grid\nname: s\nparameters: {x: {values: [1, 2, 3]}}\n")
      #expect(try await shop.ended(sweep.id).state == .finished)
      gate.continuation.finish()
      try await snapshot.value
      subscription.cancel()
    }
  }
}
