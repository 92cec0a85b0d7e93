// How many trials of a sweep are in which state: kept, and always what counting them would say.

import GRDB
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletStore

@Suite struct TrialCountTests {
  private static let states: [TrialState] = [.running, .paused, .waiting, .complete, .pruned, .failed]

  @Test(arguments: UInt64(1)...3)
  func areThoseOfTheTrials(seed: UInt64) async throws {
    var dice = Dice(state: seed)
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    let (one, other) = try await bench.store.write { (try $0.madeSweep(by: me), try $0.madeSweep(by: me)) }
    var known: [PublicID: [TrialState]] = [one.id: [], other.id: []]
    for _ in 0..<60 {
      let (row, id) = Bool.random(using: &dice) ? one : other
      let count = known[id]?.count ?? 0
      if count == 0 || Int.random(in: 0..<3, using: &dice) == 0 {
        try await bench.store.write { try $0.makeTrial(count, of: row, by: me) }
        known[id]?.append(.waiting)
      } else {
        let number = Int.random(in: 0..<count, using: &dice)
        let state = Self.states.randomElement(using: &dice) ?? .running
        try await bench.store.write {
          try $0.setTrialState(ofSweep: row, number: number, state, by: me, now: noon)
        }
        known[id]?[number] = state
      }
    }
    // What fails leaves no trace.
    await #expect(throws: (any Error).self) {
      try await bench.store.write { writer in
        try writer.setTrialState(ofSweep: one.row, number: 0, .failed, by: me, now: noon)
        try writer.makeTrial(0, of: one.row, by: me)
      }
    }
    for (id, states) in known {
      let counts = try await bench.store.read { try $0.sweep(id) }?.counts
      let expected = Dictionary(states.map { ($0, 1) }, uniquingKeysWith: +)
      #expect(counts.map { Dictionary(uniqueKeysWithValues: Array($0)) } == expected)
    }
    #expect(try await bench.store.integrity(deep: false) == [])
    // A stranger who changes the file is found out.
    try await bench.store.write { try $0.db.execute(sql: "UPDATE trial_count SET trials = trials + 1") }
    #expect(try await bench.store.integrity(deep: false).count == 2)
  }

  /// They are made for the sweeps that there are, and kept from then on.
  @Test func areMadeForSweepsOfOlderStores() async throws {
    let bench = try await Bench(sealing: .manual)
    let me = bench.me
    let (row, id) = try await bench.store.write { writer in
      let made = try writer.madeSweep(by: me)
      for number in 0..<5 { try writer.makeTrial(number, of: made.row, by: me) }
      try writer.setTrialState(ofSweep: made.row, number: 3, .failed, by: me, now: noon)
      for name in ["trial_added", "trial_removed", "trial_changed"] {
        try writer.db.execute(sql: "DROP TRIGGER \(name)")
      }
      try writer.db.execute(sql: "DROP TABLE trial_count")
      try writer.db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier = '12'")
      return made
    }
    let again = try bench.reopened(sealing: .manual)
    #expect(try await again.store.read { try $0.sweep(id) }?.counts == [.failed: 1, .waiting: 4])
    try await again.store.write {
      try $0.setTrialState(ofSweep: row, number: 0, .failed, by: me, now: noon)
    }
    #expect(try await again.store.read { try $0.sweep(id) }?.counts == [.failed: 2, .waiting: 3])
  }
}
