// Which trials of a sweep are asked for: from a number on, those that ended lately, best first.

import MartletModel
import MartletOrchestration
import MartletScheduling
import MartletStore
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletServer

@Suite(.serialized) struct TrialRouteTests {
  private static let noon = Timestamp(microseconds: 1_790_000_000_000_000)

  /// A sweep of five trials: 0 and 2 have results, 1 failed between their ends, 3 runs, 4 waits.
  private func fill(_ server: TestServer) async throws -> PublicID {
    let (engine, noon) = (try server.engine, Self.noon)
    let me = engine.localPrincipal
    return try await engine.store.write { writer in
      let id = try writer.freshSweepID()
      let row = try writer.createSweep(
        Sweep(
          id: id, project: "digits", name: "s", description: "", state: .finished, method: "grid",
          objective: Objective(metric: "loss", goal: .minimize), parameters: [:], maxParallel: 2,
          timeout: nil,
          command: ["true"], workdir: "/", outputDirectory: "/tmp", spaceSize: nil, budget: nil,
          createdAt: noon, createdBy: "tester", seed: 1, source: ""),
        samplerState: [:], filename: nil, commandOverride: nil, by: me, now: noon)
      for number in 0..<5 {
        let run = try writer.freshRunID()
        try writer.createExecutedRun(
          ExecutedRun(
            project: "digits", name: "run-\(number)", sweepRow: row, trial: number, config: [:],
            command: ["true"], workdir: "/", directory: "/tmp/\(run)", execution: [:]), id: run, by: me,
          now: noon)
        try writer.createTrial(ofSweep: row, number: number, parameters: [:], run: run, by: me, now: noon)
      }
      func end(_ number: Int, _ state: TrialState, _ objective: Double? = nil, after seconds: Double) throws {
        try writer.setTrialState(
          ofSweep: row, number: number, state, objective: objective, by: me, now: noon + seconds)
      }
      try end(3, .running, after: 1)
      try end(0, .complete, 3, after: 10)
      try end(1, .failed, after: 20)
      try end(2, .complete, 1, after: 30)
      return id
    }
  }

  private func numbers(_ server: TestServer, _ sweep: PublicID, _ query: String) async throws -> [Int64] {
    let answer = try await server.get("/api/v1/sweeps/\(sweep)/trials\(query)")
    #expect(answer.status == 200, "\(query): \(answer.text)")
    return (answer.json["items"]?.array ?? []).compactMap { $0["number"]?.int }
  }

  private func after(_ seconds: Double) -> Int64 { (Self.noon + seconds).microseconds }

  @Test func `from a number on, ended since a time, by number or rank`() async throws {
    try await TestServer.run { server in
      let sweep = try await fill(server)
      for (query, expected): (String, [Int64]) in [
        ("", [0, 1, 2, 3, 4]), ("?from=0", [0, 1, 2, 3, 4]), ("?from=2", [2, 3, 4]), ("?from=5", []),
        ("?from=", [0, 1, 2, 3, 4]), ("?from=9223372036854775807", []),
        // What has not ended did not end since then; the moment itself counts.
        ("?ended_since=0", [0, 1, 2]), ("?ended_since=\(after(20))", [1, 2]),
        ("?ended_since=\(after(20) + 1)", [2]), ("?ended_since=\(after(31))", []),
        ("?ended_since=-1", [0, 1, 2]),
        ("?from=1&ended_since=\(after(10))", [1, 2]), ("?from=3&ended_since=0", []),
        ("?sort=number&from=1&ended_since=0", [1, 2]),
        ("?sort=rank", [2, 0, 3, 4, 1]), ("?sort=rank&from=1&ended_since=0", [2, 1]),
      ] {
        #expect(try await numbers(server, sweep, query) == expected, "\(query)")
      }
    }
  }

  @Test func `whoever asks again from the last end on misses none`() async throws {
    try await TestServer.run { server in
      let sweep = try await fill(server)
      var (seen, last): (Set<Int64>, Int64) = ([], 0)
      for _ in 0..<3 {
        let answer = try await server.get("/api/v1/sweeps/\(sweep)/trials?ended_since=\(last)")
        for trial in answer.json["items"]?.array ?? [] {
          if let number = trial["number"]?.int { seen.insert(number) }
          last = max(last, trial["ended_at"]?.int ?? 0)
        }
      }
      #expect(seen == [0, 1, 2] && last == after(30))
    }
  }

  @Test func `what cannot be asked is told`() async throws {
    try await TestServer.run { server in
      let sweep = try await fill(server)
      for (query, message) in [
        ("from=-1", "The parameter 'from' must be 0 or more, not -1."),
        ("from=first", "The parameter 'from' must be a whole number, not 'first'."),
        ("from=1.5", "The parameter 'from' must be a whole number, not '1.5'."),
        ("ended_since=yesterday", "The parameter 'ended_since' must be a whole number, not 'yesterday'."),
        (
          "ended_since=9223372036854775808",
          "The parameter 'ended_since' must be a whole number, "
            + "not '9223372036854775808'."
        ),
        ("sort=best", "The parameter 'sort' has no value 'best'."),
        ("form=1", "There is no parameter 'form' here."),
        ("from=1&from=2", "The parameter 'from' is given twice."),
      ] {
        let answer = try await server.get("/api/v1/sweeps/\(sweep)/trials?\(query)")
        #expect(answer.status == 400 && answer.message == message, "\(query): \(answer.text)")
      }
      #expect(try await server.get("/api/v1/sweeps/zzzzzzzz/trials?from=1").status == 404)
      _ = try await server.newRun("letters")
      let stranger = try await server.newToken([.read], project: "letters")
      #expect(try await server.get("/api/v1/sweeps/\(sweep)/trials?from=1", token: stranger).status == 404)
    }
  }
}
