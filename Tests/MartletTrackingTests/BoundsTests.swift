// Accesses that are bound to a run or a project see and write that, and nothing else.

import MartletModel
import MartletStore
import MartletTestSupport
import Testing

@testable import MartletTracking

@Suite struct BoundsTests {
  private static let line = #"{"seq": 0, "values": {"loss": 1}}"#

  /// Calls every method that names a run.
  private func tryAll(_ bench: Bench, _ run: PublicID, _ access: Access) async -> [(String, Problem.Code?)] {
    let tracking = bench.tracking
    guard let hash = ContentHash(bytes: [UInt8](repeating: 7, count: 32)) else { return [] }
    let patch = RunPatch()
    let finish = RunFinish(state: .finished, exitCode: nil, reason: nil)
    let calls: [(String, () async throws -> Void)] = [
      ("run", { _ = try await tracking.run(run, access: access) }),
      ("patch", { _ = try await tracking.patchRun(run, patch, access: access) }),
      ("heartbeat", { _ = try await tracking.heartbeat(run, access: access) }),
      ("append", { _ = try await bench.log(run, Self.line, access: access) }),
      ("series", { _ = try await bench.series(run, access: access) }),
      ("attempts", { _ = try await tracking.attempts(run, access: access) }),
      (
        "log",
        {
          _ = try await tracking.log(run, stream: .stdout, attempt: nil, offset: 0, limit: 9, access: access)
        }
      ),
      ("logFile", { _ = try await tracking.logFile(run, stream: .stdout, attempt: nil, access: access) }),
      (
        "history",
        { _ = try await tracking.history(run, HistoryRequest(), limit: 1, access: access) }
      ),
      ("names", { _ = try await tracking.loggedNames(run, access: access) }),
      ("blob", { _ = try await tracking.blobSize(hash, of: run, access: access) }),
      ("rewind", { _ = try await tracking.rewindRun(run, RunRewind(step: 0), access: access) }),
      ("finish", { _ = try await tracking.finishRun(run, finish, access: access) }),
    ]
    var outcomes: [(String, Problem.Code?)] = []
    for (name, call) in calls {
      do {
        try await call()
        outcomes.append((name, nil))
      } catch {
        outcomes.append((name, (error as? Problem)?.code ?? .internal))
      }
    }
    return outcomes
  }

  private func expectAll(
    _ code: Problem.Code?, _ bench: Bench, _ run: PublicID, _ access: Access,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async {
    for (name, outcome) in await tryAll(bench, run, access) {
      #expect(outcome == code, "\(name)", sourceLocation: sourceLocation)
    }
  }

  @Test func boundToARun() async throws {
    let bench = try await Bench()
    let (mine, neighbour) = (try await bench.executed(), try await bench.executed())
    let far = try await bench.executed(in: "letters")
    let access = bench.bound(run: mine)
    let before = [try await bench.show(neighbour), try await bench.show(far)]
    await expectAll(nil, bench, mine, access)
    await expectAll(.notFound, bench, neighbour, access)
    await expectAll(.notFound, bench, far, access)
    await expectAll(.notFound, bench, .random(), access)
    #expect([try await bench.show(neighbour), try await bench.show(far)] == before)
    for (query, found) in [
      (RunQuery(), [mine]), (RunQuery(project: "digits"), [mine]), (RunQuery(search: "nothing"), []),
    ] {
      #expect(try await bench.tracking.runs(query, PageRequest(), access: access).items.map(\.id) == found)
    }
    _ = try await problem(.notFound) {
      _ = try await bench.tracking.series(
        SeriesRequest(runs: [mine, neighbour], window: SeriesWindow()), access: access)
    }
    _ = try await problem(.forbidden) {
      let new = NewRun(project: "digits", name: nil, details: RunPatch())
      _ = try await bench.tracking.createRun(new, access: access)
    }
    #expect(try await bench.tracking.projects(PageRequest(), access: access).items.map(\.name) == ["digits"])
    #expect(try await bench.tracking.project("digits", access: access).name == "digits")
    let refused = try await problem(.notFound) {
      _ = try await bench.tracking.project("letters", access: access)
    }
    #expect(refused.hint == nil)
  }

  @Test func boundToAProject() async throws {
    let bench = try await Bench()
    let mine = try await bench.executed()
    let far = try await bench.executed(in: "letters")
    let access = bench.bound(project: "digits")
    let before = try await bench.show(far)
    await expectAll(nil, bench, mine, access)
    await expectAll(.notFound, bench, far, access)
    #expect(try await bench.show(far) == before)
    for query in [RunQuery(), RunQuery(project: "digits")] {
      #expect(try await bench.tracking.runs(query, PageRequest(), access: access).items.map(\.id) == [mine])
    }
    let letters = try await bench.tracking.project("letters", access: bench.access)
    for name in ["letters", letters.id.rawValue, "digitz"] {
      let list = try await problem(.notFound) {
        _ = try await bench.tracking.runs(RunQuery(project: name), PageRequest(), access: access)
      }
      let one = try await problem(.notFound) { _ = try await bench.tracking.project(name, access: access) }
      // A hint would tell the names of others.
      #expect([list.hint, one.hint] == [nil, nil])
    }
    #expect(try await bench.tracking.projects(PageRequest(), access: access).items.map(\.name) == ["digits"])
    for name in ["letters", "new"] {
      _ = try await problem(.forbidden) {
        _ = try await bench.tracking.createRun(
          NewRun(project: name, name: nil, details: RunPatch()), access: access)
      }
    }
    let new = NewRun(project: "digits", name: nil, details: RunPatch())
    #expect(try await bench.tracking.createRun(new, access: access).run.project == "digits")
    #expect(try await bench.tracking.projects(PageRequest(), access: bench.access).items.count == 2)
  }

  @Test func unboundSeesAll() async throws {
    let bench = try await Bench()
    let runs = [try await bench.create(), try await bench.create(in: "letters")]
    #expect(
      try await bench.tracking.runs(RunQuery(), PageRequest(), access: bench.access).items.map(\.id)
        == runs.reversed())
    #expect(try await bench.tracking.projects(PageRequest(), access: bench.access).items.count == 2)
    let refused = try await problem(.notFound) {
      _ = try await bench.tracking.project("leters", access: bench.access)
    }
    #expect(refused.hint == "Did you mean 'letters'?")
  }
}
