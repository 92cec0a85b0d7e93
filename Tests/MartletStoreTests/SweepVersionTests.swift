// The versions of sweep files: each is kept, and trials know theirs.

import GRDB
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct SweepVersionTests {
  private func change(
    _ sweep: Int64, to source: String, _ writer: StoreWriter, by me: Principal, now: Timestamp
  ) throws {
    try writer.setSpace(
      ofSweep: sweep, source: source, parameters: [], spaceSize: nil, budget: nil, search: [:], by: me,
      now: now)
  }

  /// Two changes with a trial before, between and after.
  private func changed(_ bench: Bench) async throws -> PublicID {
    let me = bench.me
    return try await bench.store.write { writer in
      let made = try writer.madeSweep(source: "first", state: .paused, by: me)
      try writer.makeTrial(0, of: made.row, by: me, now: noon + 1)
      try change(made.row, to: "second", writer, by: me, now: noon + 2)
      try writer.makeTrial(1, of: made.row, by: me, now: noon + 3)
      try change(made.row, to: "third", writer, by: me, now: noon + 4)
      try writer.makeTrial(2, of: made.row, by: me, now: noon + 5)
      return made.id
    }
  }

  @Test func allAreKept() async throws {
    let bench = try await Bench(sealing: .manual)
    let id = try await changed(bench)
    let (versions, trials) = try await bench.store.read {
      (try $0.versions(ofSweep: id), try $0.trials(of: id))
    }
    #expect(versions.map(\.source) == ["first", "second", "third"])
    #expect(versions.map(\.version) == [1, 2, 3])
    #expect(versions.map(\.since) == [noon, noon + 2, noon + 4])
    #expect(versions.allSatisfy { $0.by == bench.me.name })
    #expect(trials.map(\.spaceVersion) == [1, 2, 3])
    await #expect(throws: Problem.self) {
      try await bench.store.read { try $0.versions(ofSweep: PublicID(rawValue: "zzzzzzzz") ?? id) }
    }
  }

  /// Of older stores the first text and the newest are there, and events tell which trials came when.
  @Test func thoseOfOlderStoresAreFoundAsFarAsTheyWereKept() async throws {
    let bench = try await Bench(sealing: .manual)
    let id = try await changed(bench)
    try await bench.store.write { writer in
      try writer.db.execute(sql: "DROP TABLE sweep_version")
      try writer.db.execute(sql: "ALTER TABLE trial DROP COLUMN space_version")
      try writer.db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = '13'")
    }
    let again = try bench.reopened(sealing: .manual)
    let (versions, trials) = try await again.store.read {
      (try $0.versions(ofSweep: id), try $0.trials(of: id))
    }
    #expect(versions.map(\.source) == ["first", "third"])
    #expect(versions.map(\.version) == [1, 3])
    #expect(trials.map(\.spaceVersion) == [1, 2, 3])
  }
}
