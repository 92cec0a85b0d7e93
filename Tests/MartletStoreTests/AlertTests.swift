// Alerts that the server raises for ends that nobody wanted: once for each.

import MartletModel
import MartletTestSupport
import Testing

@testable import MartletStore

@Suite struct AlertTests {
  private func alerts(_ bench: Bench, _ run: PublicID) async throws -> [Alert] {
    try await bench.store.read { try $0.alerts(of: run, PageRequest()) }.items
  }

  @Test func aRunThatEndsAgainInTheSameWayHasSaidSo() async throws {
    let bench = try await Bench(sealing: .manual)
    let (run, other, me) = (try await bench.run(), try await bench.run(), bench.me)
    func end(_ run: PublicID, _ state: RunState, _ reason: String) async throws {
      try await bench.store.write { writer in
        try writer.setRunState(
          run, state, exit: ExitRecord(code: 1, signal: nil, reason: reason), by: me, now: noon)
        try writer.setRunState(run, .running, exit: nil, by: me, now: noon)
      }
    }
    try await end(run, .failed, "Exit 1.\nTraceback of the first")
    try await end(run, .failed, "Exit 1.\nTraceback of the second")
    #expect(try await alerts(bench, run).map(\.title) == ["Exit 1."])
    try await end(run, .failed, "Exit 2.")
    try await end(run, .crashed, "Exit 1.")
    try await end(run, .crashed, "Exit 1.")
    #expect(try await alerts(bench, run).map(\.title) == ["Exit 1.", "Exit 2.", "Exit 1."])
    #expect(
      try await alerts(bench, run).map(\.key) == [
        "end crashed: Exit 1.", "end failed: Exit 2.", "end failed: Exit 1.",
      ])
    // Another run has its own; a long reason makes no longer key.
    let long = String(repeating: "ä", count: 400)
    try await end(other, .failed, "Exit 1.")
    try await end(other, .failed, long)
    try await end(other, .failed, long)
    #expect(try await alerts(bench, other).map(\.title) == [long, "Exit 1."])
    #expect(try await alerts(bench, other).allSatisfy { ($0.key?.utf8.count ?? 0) <= 256 })
  }
}
