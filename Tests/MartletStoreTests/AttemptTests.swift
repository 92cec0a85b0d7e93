// Attempts: the table of moves is kept, and every move is noted where it is made.

import GRDB
import MartletModel
import MartletTestSupport
import Testing

@testable import MartletStore

@Suite struct AttemptTests {
  /// The moves that lead a fresh attempt to a state.
  private func path(to state: AttemptState) -> [AttemptState] {
    switch state {
    case .queued: []
    case .starting: [.starting]
    case .running: [.starting, .running]
    case .lost: [.starting, .running, .lost]
    case .finished, .failed, .timedOut, .killed, .stopped, .preempted, .crashed: [.starting, .running, state]
    }
  }

  private struct Events: Equatable {
    var moves: [String]
    var actors: Set<String>
  }

  private func events(_ bench: Bench, of run: PublicID) async throws -> Events {
    try await bench.store.read { reader in
      let rows = try Row.fetchAll(
        reader.db,
        sql: """
          SELECT type, payload, principal.name AS name FROM event JOIN principal ON principal.id = principal_id
          WHERE subject = 'run' AND subject_id = ? ORDER BY event.id
          """, arguments: [try reader.requireRunRow(run)])
      return Events(
        moves: try rows.map { row in
          let payload = try row.json("payload")
          return "\(row["type"] as String) \(payload["from"]?.string ?? "")>\(payload["to"]?.string ?? "")"
        }, actors: Set(rows.map { $0["name"] }))
    }
  }

  @Test(arguments: AttemptState.allCases)
  func illegalMovesAreRefusedAndUndone(state: AttemptState) async throws {
    let bench = try await Bench()
    let me = bench.me
    for next in AttemptState.allCases {
      let run = try await bench.executed()
      try await bench.store.write { [path = path(to: state)] writer in
        for step in path { try writer.setAttemptState(of: run, number: 1, step, by: me, now: noon) }
      }
      let (before, noted) = (try await bench.show(run), try await events(bench, of: run))
      let move: @Sendable (StoreWriter) throws -> Void = { writer in
        try writer.requestStop(run, by: me, now: noon + 1)
        try writer.setAttemptState(of: run, number: 1, next, by: me, now: noon + 1)
      }
      if state.mayBecome(next) {
        try await bench.store.write(move)
        let after = try await bench.show(run)
        #expect(after.state == next)
        #expect(try await bench.store.read { try $0.attempts(of: run) }.map(\.state) == [next])
        #expect((after.endedAt != nil) == next.isEnd)
      } else {
        _ = try await problem(.internal) { try await bench.store.write(move) }
        #expect(try await bench.show(run) == before)
        #expect(try await events(bench, of: run) == noted)
        #expect(try await bench.store.read { try $0.isStopRequested(run) } == false)
      }
    }
  }

  @Test func movesAreNotedInTheirTransaction() async throws {
    let bench = try await Bench()
    let me = bench.me
    let run = try await bench.executed()
    try await bench.store.write { writer in
      try writer.setAttemptState(of: run, number: 1, .starting, devices: [0, 2], by: me, now: noon + 1)
      try writer.setAttemptState(of: run, number: 1, .running, pid: 4711, by: me, now: noon + 2)
    }
    let exit = ExitRecord(code: nil, signal: 9, reason: "Killed by signal 9.")
    try await bench.store.write {
      try $0.setAttemptState(of: run, number: 1, .killed, exit: exit, by: me, now: noon + 3)
    }
    #expect(
      try await events(bench, of: run)
        == Events(
          moves: [
            "created >", "attempt >", "state queued>starting", "state starting>running",
            "state running>killed",
          ], actors: ["tester"]))
    let attempt = try #require(try await bench.store.read { try $0.attempts(of: run) }.first)
    #expect((attempt.pid, attempt.devices, attempt.exit) == (4711, [0, 2], exit))
    #expect((attempt.startedAt, attempt.endedAt) == (noon + 2, noon + 3))
    let shown = try await bench.show(run)
    #expect((shown.pid, shown.devices, shown.exit, shown.state) == (4711, [0, 2], exit, .killed))
    #expect(try await bench.store.read { try $0.liveAttempts() }.isEmpty)
  }

  @Test func anotherAttemptShowsInItsRun() async throws {
    let bench = try await Bench()
    let me = bench.me
    let run = try await bench.executed()
    try await bench.store.write { writer in
      try writer.setAttemptState(
        of: run, number: 1, .failed, exit: ExitRecord(code: 1, signal: nil, reason: "Exited with code 1."),
        by: me, now: noon)
      #expect(try writer.createAttempt(of: run, directory: { "/tmp/\($0)" }, by: me, now: noon + 1) == 2)
    }
    let shown = try await bench.show(run)
    #expect((shown.state, shown.attempt, shown.attempts, shown.endedAt) == (.queued, 2, 2, nil))
    #expect(shown.exit == nil)
    #expect(try await bench.store.read { try $0.attempts(of: run) }.map(\.state) == [.failed, .queued])
    let live = try #require(try await bench.store.read { try $0.liveAttempts() }.first { $0.run == run })
    #expect((live.number, live.directory, live.command, live.project) == (2, "/tmp/2", ["true"], "digits"))
    _ = try await problem(.internal) {
      try await bench.store.write { try $0.setAttemptState(of: run, number: 3, .starting, by: me, now: noon) }
    }
  }
}
