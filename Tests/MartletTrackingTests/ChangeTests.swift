// Changes of runs: who may make which, and what is kept of them.

import MartletModel
import MartletStore
import MartletTestSupport
import Testing

@testable import MartletTracking

@Suite struct ChangeTests {
  private func patch(_ change: (inout RunPatch) -> Void) -> RunPatch {
    var patch = RunPatch()
    change(&patch)
    return patch
  }

  @Test func nameAndStateNeedWrite() async throws {
    let bench = try await Bench()
    let run = try await bench.create("before")
    let ingest = bench.bound([.ingest, .read])
    for change in [patch { $0.name = "after" }, patch { $0.state = .failed }] {
      _ = try await problem(.forbidden) { _ = try await bench.tracking.patchRun(run, change, access: ingest) }
      var rest = change
      (rest.notes, rest.config) = ("with it", ["a": 1])
      let both = rest
      _ = try await problem(.forbidden) { _ = try await bench.tracking.patchRun(run, both, access: ingest) }
    }
    #expect(try await bench.show(run).notes.isEmpty)
    let noted = try await bench.tracking.patchRun(run, patch { $0.notes = "n" }, access: ingest)
    #expect((noted.notes, noted.name, noted.state) == ("n", "before", .running))
    let changed = try await bench.tracking.patchRun(
      run, patch { ($0.name, $0.state) = ("after", .failed) }, access: bench.bound([.write]))
    #expect((changed.name, changed.state) == ("after", .failed))
    #expect(changed.exit?.reason == "Set from 'running' to 'failed' by tester at \(noon.inWords).")
    #expect(changed.endedAt == bench.clock.now)
    let again = try await bench.tracking.patchRun(run, patch { $0.state = .running }, access: bench.access)
    #expect((again.state, again.endedAt, again.exit) == (.running, nil, nil))
  }

  @Test(arguments: [AttemptState.starting, .running, .lost])
  func theStateOfAnExecutedRunFollowsItsProcess(state: AttemptState) async throws {
    let bench = try await Bench()
    let run = try await bench.executed(Array([.starting, .running, .lost].prefix { $0 != state }) + [state])
    let before = try await bench.show(run)
    let refused = try await problem(.conflict) {
      _ = try await bench.tracking.patchRun(
        run, patch { ($0.state, $0.notes) = (.finished, "n") }, access: bench.access)
    }
    #expect(refused.hint?.contains("martlet run stop \(run)") == true)
    #expect(try await bench.show(run) == before)
    // Its own state is no change.
    #expect(
      try await bench.tracking.patchRun(run, patch { $0.state = state }, access: bench.access).state == state)
    try await bench.move(run, [.killed])
    let set = try await bench.tracking.patchRun(run, patch { $0.state = .finished }, access: bench.access)
    #expect(set.state == .finished)
  }

  @Test func onlyEndsAndRunningAreSetByHand() async throws {
    let bench = try await Bench()
    let outside = try await bench.create()
    let executed = try await bench.executed([.starting, .running, .failed])
    for state in AttemptState.allCases where !state.isEnd && state != .running {
      for run in [outside, executed] {
        let refused = try await problem(.unprocessable) {
          _ = try await bench.tracking.patchRun(run, patch { $0.state = state }, access: bench.access)
        }
        #expect(refused.hint?.contains("timedOut") == true)
      }
    }
    _ = try await problem(.unprocessable) {
      _ = try await bench.tracking.patchRun(executed, patch { $0.state = .running }, access: bench.access)
    }
    #expect(try await bench.show(outside).state == .running)
    #expect(try await bench.show(executed).state == .failed)
    for state in AttemptState.allCases where state.isEnd || state == .running {
      let set = try await bench.tracking.patchRun(outside, patch { $0.state = state }, access: bench.access)
      #expect(set.state == state)
    }
  }

  @Test func whatRunsAgainIsNotAskedToStop() async throws {
    let bench = try await Bench()
    let me = bench.access.principal
    let (outside, executed) = (try await bench.create(), try await bench.executed())
    try await bench.store.write { writer in
      for run in [outside, executed] { try writer.requestStop(run, by: me, now: noon) }
    }
    #expect(try await bench.tracking.heartbeat(outside, access: bench.access).stopRequested)
    for state in [RunState.stopped, .running] {
      _ = try await bench.tracking.patchRun(outside, patch { $0.state = state }, access: bench.access)
    }
    #expect(try await !bench.tracking.heartbeat(outside, access: bench.access).stopRequested)
    try await bench.move(executed, [.stopped])
    #expect(try await bench.store.read { try $0.isStopRequested(executed) })
    let said = try await bench.store.write { writer in
      _ = try writer.createAttempt(of: executed, directory: { "/tmp/\($0)" }, by: me, now: noon)
      return (try writer.isStopRequested(executed), try writer.saidReason(of: executed))
    }
    #expect(said == (false, nil))
  }

  /// A process that may only log must not choose what is executed next time.
  @Test func whatIsExecutedIsSettled() async throws {
    let bench = try await Bench()
    let run = try await bench.executed()
    let change = patch {
      ($0.command, $0.workdir, $0.notes) = (["sh", "-c", "evil"], "/elsewhere", "n")
    }
    let shown = try await bench.tracking.patchRun(run, change, access: bench.bound([.ingest], run: run))
    #expect((shown.command, shown.workdir, shown.notes) == (["true"], "/", "n"))
    let live = try await bench.store.read { try $0.liveAttempts() }
    #expect(live.map(\.command) == [["true"]])
    #expect(live.map(\.workdir) == ["/"])
    // Of a run from outside, both are what its client says.
    let outside = try await bench.tracking.patchRun(
      try await bench.create(), change, access: bench.bound([.ingest]))
    #expect((outside.command, outside.workdir) == (["sh", "-c", "evil"], "/elsewhere"))
  }

  /// What lies in a spool changes a run as its process may, with its event; of a locked one, what a lock leaves to it.
  @Test func whatAProcessLeftBehindIsNoted() async throws {
    let bench = try await Bench()
    let run = try await bench.executed()
    let left = RunPatch.readable(in: [
      "notes": "late", "config": ["lr": 1], "environment": ["os": "Debian"], "tags": ["a", ""],
      "name": "mine", "state": "finished", "archived": true, "locked": true, "project": "other",
      "parent": .string(try await bench.create().rawValue), "pid": "no number", "model": ["layers": []],
    ])
    #expect(left.faults.count == 1 && left.faults[0].contains("'pid'"), "\(left.faults)")
    try await bench.tracking.patchRun(run, toldLate: left.patch, by: bench.access.principal)
    func events() async throws -> [RunEvent] {
      try await bench.tracking.events(run, PageRequest(), access: bench.access).items
    }
    let noted = try await events().suffix(5)
    #expect(noted.map(\.type) == ["tagged", "edited", "configured", "environment", "model"])
    #expect(noted.allSatisfy { $0.by == bench.access.principal.name })
    let shown = try await bench.show(run)
    #expect((shown.name, shown.state, shown.project) == ("bold-wren-1", .running, "digits"))
    #expect(shown.archivedAt == nil && shown.lockedAt == nil && shown.parent == nil)
    #expect(shown.notes == "late" && shown.tags == ["a"])
    // Again, it is no news.
    try await bench.tracking.patchRun(run, toldLate: left.patch, by: bench.access.principal)
    #expect(try await events().suffix(5).map(\.type) == noted.map(\.type))
    _ = try await bench.tracking.patchRun(run, patch { $0.isLocked = true }, access: bench.access)
    let more = RunPatch.readable(in: ["notes": "later", "config": ["lr": 2]]).patch
    try await bench.tracking.patchRun(run, toldLate: more, by: bench.access.principal)
    let locked = try await bench.show(run)
    #expect(locked.notes == "late")
    #expect(locked.config == ["lr": 2])
  }

  @Test func projectsThatLookTheSameAreOne() async throws {
    let bench = try await Bench()
    let composed = "gro\u{DF}e \u{E9}tude"
    let decomposed = "gro\u{DF}e e\u{301}tude"
    let run = try await bench.create(in: decomposed)
    _ = try await bench.create(in: composed)
    let all = try await bench.tracking.projects(PageRequest(), access: bench.access).items
    #expect(all.map { Array($0.name.utf8) } == [Array(composed.utf8)])
    for name in [composed, decomposed] {
      #expect(try await bench.tracking.project(name, access: bench.access).runs == 2)
      #expect(try await bench.tracking.run(run, access: bench.bound(project: name)).id == run)
    }
  }

  @Test(arguments: [
    (RunFinish(state: .finished, exitCode: nil, reason: nil), "Finished."),
    (RunFinish(state: .finished, exitCode: 0, reason: nil), "Finished."),
    (RunFinish(state: .failed, exitCode: 3, reason: nil), "Exited with code 3."),
    (RunFinish(state: .crashed, exitCode: 1, reason: "ValueError: no"), "ValueError: no"),
    (RunFinish(state: .stopped, exitCode: nil, reason: "enough"), "enough"),
  ])
  func finishingARunFromOutside(finish: RunFinish, reason: String) async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    bench.clock.advance(9)
    let ended = try await bench.tracking.finishRun(run, finish, access: bench.bound([.ingest]))
    #expect(ended.state == finish.state)
    #expect(ended.exit == ExitRecord(code: finish.exitCode, signal: nil, reason: reason))
    #expect(ended.endedAt == noon + 9)
    // Points that come late are kept; the end stays.
    try await bench.log(run, #"{"seq": 0, "values": {"loss": 1}}"#)
    let later = try await bench.show(run)
    #expect((later.state, later.points, later.exit?.reason) == (finish.state, 1, reason))
  }

  @Test func ofAnExecutedRunOnlyTheReasonIsKept() async throws {
    let bench = try await Bench()
    let run = try await bench.executed()
    let finish = RunFinish(state: .failed, exitCode: 5, reason: "CUDA out of memory")
    let told = try await bench.tracking.finishRun(run, finish, access: bench.bound([.ingest], run: run))
    #expect((told.state, told.endedAt) == (.running, nil))
    #expect(told.exit == nil, "it has not ended")
    func said() async throws -> String? { try await bench.store.read { try $0.saidReason(of: run) } }
    #expect(try await said() == "CUDA out of memory")
    let silent = RunFinish(state: .finished, exitCode: nil, reason: nil)
    _ = try await bench.tracking.finishRun(run, silent, access: bench.access)
    #expect(try await said() == "CUDA out of memory")
    try await bench.move(run, [.lost, .running])
    #expect(try await said() == "CUDA out of memory")
    try await bench.move(run, [.killed])
    let late = RunFinish(state: .failed, exitCode: 5, reason: "too late")
    #expect(try await bench.tracking.finishRun(run, late, access: bench.access).exit == nil)
    #expect(try await said() == nil)
  }

  @Test(arguments: ["", "a\nb", "tab\tbed", "nul\u{0}", "\u{7F}", String(repeating: "é", count: 129)])
  func namesAreChecked(name: String) async throws {
    let bench = try await Bench()
    let run = try await bench.create("good")
    _ = try await problem(.unprocessable) { _ = try await bench.create(name) }
    _ = try await problem(.unprocessable) { _ = try await bench.create(in: name) }
    _ = try await problem(.unprocessable) {
      _ = try await bench.tracking.patchRun(run, patch { $0.name = name }, access: bench.access)
    }
    #expect(try await bench.show(run).name == "good")
    #expect(
      try await bench.tracking.projects(PageRequest(), access: bench.access).items.map(\.name) == ["digits"])
  }

  @Test(arguments: ["x", " ", "größe/ß 😀", String(repeating: "é", count: 128), "'; DROP TABLE run; --"])
  func labelsOfManyKindsAreNames(name: String) async throws {
    let bench = try await Bench()
    let run = try await bench.create(name, in: name)
    let shown = try await bench.show(run)
    #expect((shown.name, shown.project) == (name, name))
    #expect(try await bench.tracking.project(name, access: bench.access).runs == 1)
  }

  @Test func aRunThatNobodyNamedGetsAName() async throws {
    let bench = try await Bench()
    let name = try await bench.show(try await bench.create()).name
    #expect(name.wholeMatch(of: /[a-z]+-[a-z]+-[0-9]+/) != nil)
  }
}
