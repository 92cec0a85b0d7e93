// What a trial counts as that failed, or that missed a bound at a price; with real processes and restarts.

import MartletModel
import MartletScheduling
import MartletSearch
import MartletTestSupport
import OrderedCollections
import Testing

@testable import MartletOrchestration

@Suite struct PenaltyEngineTests {
  /// Fails, hangs, succeeds and waits, by its parameter.
  private static let program = Programs.python(
    """
    if args["x"] == "1":
        sys.exit(3)
    if args["x"] == "2":
        wait("never")
    log(0, loss=float(args["x"]))
    if args["x"] == "4":
        wait("go")
    """)

  private static let source = """
    program: train.py
    method: grid
    max_parallel: 1
    timeout: 5
    metric: {name: loss}
    parameters: {x: {values: [1, 2, 3, 4]}}
    penalties: {failure: -100, timeout: {0: 7, 0.9: -50}}

    """

  @Test func `failures are told to the search, and to the search alone, also after a restart`() async throws {
    try await Workshop.with { shop in
      try shop.write("train.py", Self.program)
      let sweep = try await shop.submit(Self.source)
      try await eventually("the last trial runs", within: 60) {
        try await shop.trials(sweep.id).last.map { $0.number == 3 && $0.runState == .running } ?? false
      }
      func told() async throws -> [Observation] {
        let core = try await shop.engine.conductor.core
        return Array(try #require(core.scheduler.sweeps[sweep.id]).machine.search.history.observations)
      }
      let before = try await told()
      #expect(before.map(\.losses) == [[-100], [-50], [3]])
      #expect(before.map(\.state) == [.failed, .failed, .complete])
      await shop.close()
      try await shop.open()
      #expect(try await told() == before)
      try await shop.engine.start()
      try shop.write("go", "")
      let ended = try await shop.ended(sweep.id)
      #expect(ended.best?.trial == 2)
      let trials = try await shop.trials(sweep.id)
      #expect(trials.map(\.objective) == [nil, nil, 3, 4])
      #expect(trials.map { $0.json["penalty"] } == [-100.0, -50.0, .null, .null])
      for name in ["sweep_summary.csv", "overall_results.json"] {
        #expect(try !shop.text("\(ended.outputDirectory)/\(name)").contains("-100"))
      }
      #expect(try await shop.trials(sweep.id, order: .rank).map(\.number) == [2, 3, 0, 1])
    }
  }

  @Test func `a bound that is missed at a price makes the objective worse`() async throws {
    try await Workshop.with { shop in
      try shop.write(
        "train.py",
        Programs.python(
          """
          x = float(args["x"])
          if x < 3:
              log(0, loss=x, latency=2.2 if x == 1 else 1)
          else:
              log(0, loss=0)
          """))
      let sweep = try await shop.submit(
        """
        program: train.py
        method: grid
        metric: {name: loss}
        parameters: {x: {values: [1, 2, 3]}}
        constraints: [{metric: latency, max: 2, weight: 2}]

        """)
      let ended = try await shop.ended(sweep.id)
      #expect(ended.best?.trial == 1, "the other one is better by what it logged")
      let trials = try await shop.trials(sweep.id)
      #expect(trials[0].objective.map { ($0 - 6.436_563_656_918_09).magnitude < 1e-9 } == true)
      #expect(trials[1].objective == 2)
      #expect(trials[2].state == .failed)
      #expect(trials[2].reason?.contains("'latency'") == true)
    }
  }
}
