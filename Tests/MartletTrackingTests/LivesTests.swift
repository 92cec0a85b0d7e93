// Runs that go on under their clients' names, go back, branch off, and go.

import MartletModel
import MartletSeries
import MartletStore
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletTracking

@Suite struct LivesTests {
  private func begin(
    _ bench: Bench, _ alias: String?, _ resume: NewRun.Resume?, in project: String = "digits",
    _ details: RunPatch = RunPatch()
  ) async throws -> (run: Run, isNew: Bool) {
    try await bench.tracking.createRun(
      NewRun(project: project, name: nil, details: details, alias: alias, resume: resume),
      access: bench.access)
  }

  private func lines(_ steps: [Int64], from sequence: Int = 0) -> String {
    steps.enumerated().map { index, step in
      #"{"seq": \#(sequence + index), "step": \#(step), "values": {"loss": \#(step), "note": "n\#(step)"}}"#
    }.joined(separator: "\n")
  }

  // MARK: - Resuming

  @Test func theTableOfResuming() async throws {
    let bench = try await Bench()
    // There is none.
    let first = try await begin(bench, "a", .allow)
    #expect(first.isNew)
    #expect(try await begin(bench, "n", .never).isNew)
    #expect(try await begin(bench, "o", nil).isNew)
    let missing = try await problem(.notFound) { _ = try await begin(bench, "b", .must) }
    #expect(missing.message.contains("'b'"))
    // There is one.
    for resume in [NewRun.Resume.allow, .must] {
      let again = try await begin(bench, "a", resume)
      #expect(!again.isNew)
      #expect(again.run.id == first.run.id)
    }
    let taken = try await problem(.conflict) { _ = try await begin(bench, "a", .never) }
    #expect(taken.details["run"] == .string(first.run.id.rawValue))
    let second = try await begin(bench, "a", nil)
    #expect(second.isNew)
    #expect(try await begin(bench, "a", .must).run.id == second.run.id)
    // The same name in another project is another run's; without a name each is new.
    #expect(try await begin(bench, "a", .allow, in: "letters").isNew)
    let unnamed = [try await begin(bench, nil, nil), try await begin(bench, nil, nil)]
    #expect(unnamed.map(\.isNew) == [true, true])
    #expect(unnamed[0].run.id != unnamed[1].run.id)
  }

  @Test func aRunThatGoesOn() async throws {
    let bench = try await Bench()
    let first = try await begin(bench, "a", .allow).run
    let (id, name) = (first.id, first.name)
    try await bench.log(id, lines([0, 1]))
    _ = try await bench.tracking.finishRun(
      id, RunFinish(state: .failed, exitCode: 1, reason: "No room."), access: bench.access)
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    var details = RunPatch()
    (details.config, details.notes, details.name) = (["lr": 0.5], "again", "renamed")
    let (run, _) = try await begin(bench, "a", .must, details)
    #expect((run.state, run.notes, run.config) == (.running, "again", ["lr": 0.5]))
    #expect(run.endedAt == nil)
    #expect(run.name == name)
    #expect(run.exit == nil)
    #expect(told.runs.last?.state == .running)
    // Its history is there, and goes on behind it.
    try await bench.log(id, #"{"seq": 0, "values": {"loss": 5}}"#, client: "client-b")
    #expect(try await bench.series(id)?.steps == [0, 1, 2])
    subscription.cancel()
  }

  @Test func whatDoesNotGoOn() async throws {
    let bench = try await Bench()
    let id = try await begin(bench, "a", .allow).run.id
    _ = try await bench.tracking.deleteRun(id, purge: false, access: bench.access)
    // The name of a run in the trash is free.
    _ = try await problem(.notFound) { _ = try await begin(bench, "a", .must) }
    let new = try await begin(bench, "a", .never)
    #expect(new.isNew)
    #expect(new.run.id != id)
    for wrong in ["", String(repeating: "x", count: 257), "a\u{7}"] {
      _ = try await problem(.unprocessable) { _ = try await begin(bench, wrong, .allow) }
    }
    let bound = bench.bound(project: "digits")
    _ = try await problem(.forbidden) {
      _ = try await bench.tracking.createRun(
        NewRun(project: "letters", name: nil, details: RunPatch(), alias: "a", resume: .allow), access: bound)
    }
  }

  // MARK: - Going back

  @Test func rowsAboveAStepAreTakenBack() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    try await bench.log(run, lines([0, 5, 3, 9, 5]))
    let after = try await bench.tracking.rewindRun(run, RunRewind(step: 4), access: bench.access)
    #expect(after.lastStep == 3)
    #expect(after.metric("loss")?.count == 2)
    #expect(after.metric("loss")?.max == 3)
    #expect(try await bench.series(run)?.steps == [0, 3])
    // Rows may be told once more, a moment after points.
    #expect(Array(told.news(of: run).drop { $0 != "rewound" }.prefix(2)) == ["rewound", "row"])
    // What was sent stays counted, what comes is new.
    #expect(try await bench.log(run, lines([0, 5, 3, 9, 5])).duplicates == 5)
    try await bench.log(run, lines([4], from: 5))
    #expect(try await bench.series(run)?.steps == [0, 3, 4])
    _ = try await problem(.notFound) {
      _ = try await bench.tracking.rewindRun(.random(), RunRewind(step: 0), access: bench.access)
    }
    subscription.cancel()
  }

  /// What goes on from a checkpoint takes back its rows behind it, and nobody else's.
  @Test func anAttemptGoesBackInItsOwnRun() async throws {
    let bench = try await Bench()
    let (run, other) = (try await bench.executed(), try await bench.executed())
    for id in [run, other] { try await bench.log(id, lines([0, 1, 2, 3])) }
    let attempt = bench.bound([.read, .ingest], project: "digits", run: run)
    let after = try await bench.tracking.rewindRun(run, RunRewind(step: 1), access: attempt)
    #expect((after.lastStep, after.metric("loss")?.count, after.state) == (1, 2, .running))
    _ = try await problem(.notFound) {
      _ = try await bench.tracking.rewindRun(other, RunRewind(step: 1), access: attempt)
    }
    for few in [bench.bound([.read, .ingest]), bench.bound([.read], run: run)] {
      _ = try await problem(.forbidden) {
        _ = try await bench.tracking.rewindRun(run, RunRewind(step: 0), access: few)
      }
    }
    #expect(try await bench.series(run)?.steps == [0, 1])
    #expect(try await bench.series(other)?.steps == [0, 1, 2, 3])
    _ = try await problem(.forbidden) {
      _ = try await bench.tracking.forkRun(run, RunFork(step: 0, name: nil), access: attempt)
    }
  }

  /// Points that were taken back are never told after the word that they were.
  @Test func pointsOfBeforeAreToldBefore() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    try await withThrowingTaskGroup { group in
      for client in 0..<6 {
        group.addTask {
          for batch in 0..<15 {
            let text = lines([Int64(batch + 100)], from: batch)
            _ = try await bench.log(run, text, client: "client-\(client)")
          }
        }
      }
      group.addTask {
        for _ in 0..<10 {
          _ = try await bench.tracking.rewindRun(run, RunRewind(step: 0), access: bench.access)
        }
      }
      try await group.waitForAll()
    }
    // Whoever reads again at the last such word and takes what follows has no row that is gone.
    let since = told.all.reversed().prefix { if case .rewound = $0.event { false } else { true } }
    let points = since.reduce(0) { sum, item in
      if case .points(_, let batch) = item.event { sum + batch.count } else { sum }
    }
    let left = try await bench.tracking.history(run, HistoryRequest(), limit: 1_000, access: bench.access)
    #expect(points <= left.rows.count)
    subscription.cancel()
  }

  // MARK: - Branching off

  @Test func aForkHasTheHistoryAndGoesItsOwnWay() async throws {
    let bench = try await Bench()
    let run = try await bench.create("first")
    try await bench.log(run, lines([0, 1, 2, 3]))
    let fork = try await bench.tracking.forkRun(run, RunFork(step: 1, name: "second"), access: bench.access)
    #expect((fork.name, fork.state, fork.project) == ("second", .running, "digits"))
    #expect(fork.forkedFrom == run)
    #expect(fork.forkStep == 1)
    try await bench.log(fork.id, lines([2]))
    try await bench.log(run, lines([4], from: 4))
    #expect(try await bench.series(fork.id)?.steps == [0, 1, 2])
    #expect(try await bench.series(run)?.steps == [0, 1, 2, 3, 4])
    let whole = try await bench.tracking.forkRun(run, RunFork(step: nil, name: nil), access: bench.access)
    #expect(try await bench.series(whole.id)?.steps == [0, 1, 2, 3, 4])
    _ = try await problem(.unprocessable) {
      _ = try await bench.tracking.forkRun(run, RunFork(step: 0, name: ""), access: bench.access)
    }
    _ = try await problem(.forbidden) {
      _ = try await bench.tracking.forkRun(run, RunFork(step: 0, name: nil), access: bench.bound(run: run))
    }
  }

  // MARK: - The trash

  @Test func aDeletedRunVanishesAndComesBack() async throws {
    let bench = try await Bench()
    let (run, other) = (try await bench.create(), try await bench.create())
    try await bench.log(run, lines([0, 1]))
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    func listed(deleted: Bool) async throws -> [PublicID] {
      var query = RunQuery()
      query.deleted = deleted
      return try await bench.tracking.runs(query, PageRequest(), access: bench.access).items.map(\.id)
    }
    let last = try await bench.tracking.deleteRun(run, purge: false, access: bench.access)
    #expect(last.id == run)
    #expect(last.deletedAt == noon)
    #expect(told.news(of: run) == ["deleted"])
    #expect(try await listed(deleted: false) == [other])
    #expect(try await listed(deleted: true) == [run])
    #expect(try await bench.series(run)?.steps == [0, 1])
    #expect(try await bench.show(run).deletedAt == noon)
    // Nothing of it can be written.
    let refused = try await problem(.notFound) { try await bench.log(run, lines([2], from: 2)) }
    #expect(refused.message.contains("trash"))
    let back = try await bench.tracking.restoreRun(run, access: bench.access)
    #expect(back.deletedAt == nil)
    #expect(told.news(of: run) == ["deleted", "row"])
    #expect(try await listed(deleted: false) == [other, run])
    #expect(try await bench.log(run, lines([2], from: 2)).accepted == 1)
    subscription.cancel()
  }

  @Test func aPurgedRunIsGone() async throws {
    let bench = try await Bench()
    let run = try await bench.create()
    try await bench.log(run, lines([0, 1]))
    _ = try await bench.tracking.deleteRun(run, purge: true, access: bench.access)
    _ = try await problem(.notFound) { _ = try await bench.show(run) }
    _ = try await problem(.notFound) { _ = try await bench.series(run) }
    _ = try await problem(.notFound) {
      _ = try await bench.tracking.restoreRun(run, access: bench.access)
    }
    _ = try await problem(.notFound) { try await bench.log(run, lines([2], from: 2)) }
  }

  @Test func whatIsExecutedHereIsNotDeletedUnderItsProcess() async throws {
    let bench = try await Bench()
    let run = try await bench.executed()
    let refused = try await problem(.conflict) {
      _ = try await bench.tracking.deleteRun(run, purge: true, access: bench.access)
    }
    #expect(refused.hint?.contains("stop") == true)
    try await bench.move(run, [.finished])
    #expect(try await bench.tracking.deleteRun(run, purge: false, access: bench.access).deletedAt == noon)
  }
}
