// Analyses are made once for the same trials, and again when these have changed.

import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Synchronization
import Testing

@testable import MartletOrchestration
@testable import MartletStore

@Suite struct SweepAnalysesTests {
  private let id = PublicID(rawValue: "abcd1234")

  private func mark(_ ended: Int) -> TrialMark { TrialMark(ended: ended, lastEnd: nil, spaceVersion: 1) }

  /// Counts how often something was read and made.
  private final class Count: Sendable {
    private let value = Mutex(0)
    var now: Int { value.withLock { $0 } }

    /// What is to be done for an analysis; it holds how many were made.
    var making: @Sendable () throws -> [UInt8] {
      return {
        self.value.withLock {
          $0 += 1
          return [UInt8($0)]
        }
      }
    }
  }

  @Test func `those who ask for the same share one analysis, until a trial has ended`() async throws {
    let analyses = SweepAnalyses()
    let key = SweepAnalyses.Key(sweep: try #require(id), objective: 0)
    let count = Count()
    let (three, four) = (mark(3), mark(4))
    let answers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<8 { group.addTask { try await analyses.answer(key, three) { count.making } } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers == Array(repeating: [1], count: 8))
    #expect(try await analyses.answer(key, four) { count.making } == [2])
    let other = SweepAnalyses.Key(sweep: key.sweep, objective: 1)
    #expect(try await analyses.answer(other, four) { count.making } == [3])
    #expect(try await analyses.answer(key, four) { count.making } == [2])
  }

  @Test func `what failed is tried again, and what nobody asked for lately is forgotten`() async throws {
    let analyses = SweepAnalyses()
    let sweep = try #require(id)
    let count = Count()
    func ask(_ objective: Int) async throws -> [UInt8] {
      try await analyses.answer(SweepAnalyses.Key(sweep: sweep, objective: objective), mark(1)) {
        count.making
      }
    }
    await #expect(throws: Problem.self) {
      try await analyses.answer(SweepAnalyses.Key(sweep: sweep, objective: 0), mark(1)) {
        return { throw Problem(.unprocessable, "no") }
      }
    }
    #expect(try await ask(0) == [1])
    for objective in 1..<SweepAnalyses.most { _ = try await ask(objective) }
    #expect(try await ask(0) == [1])
    _ = try await ask(SweepAnalyses.most)
    // The second was asked for longest ago.
    let made = count.now
    #expect(try await ask(0) == [1])
    #expect(try await ask(1) == [UInt8(made + 1)])
  }

  // MARK: - Findings

  private func trial(
    _ number: Int, _ x: Double, _ losses: [Double], _ state: TrialState = .complete
  ) throws -> Trial {
    var trial = Trial(
      number: number, state: state, run: try #require(id), runName: "r", runState: .finished,
      parameters: ["x": .double(x), "y": .double(Double(number % 7) / 7)],
      createdAt: Timestamp(microseconds: 0))
    trial.objective = losses.first
    trial.measured = Measured(others: Array(losses.dropFirst())).json
    return trial
  }

  @Test func `which method chooses, and who came no further than which rung`() throws {
    let trials = try (0..<6).map { number in
      var trial = try trial(number, 0.1 * Double(number), [1], number < 3 ? .complete : .pruned)
      if number >= 3 { trial.measured = Measured(step: [4, 9, 2][number - 3]).json }
      return trial
    }
    let rule = "early_terminate: {type: asha, min_iter: 3, eta: 3}"
    let json = try findings("metric: {name: loss, goal: minimize}\n\(rule)", trials)
    #expect(
      json["stopping"]?["rungs"] == [
        ["step": 3, "stopped": [3], "paused": []], ["step": 9, "stopped": [4], "paused": []],
      ])
    #expect(json["stopping"]?["rules"]?.array?.count == 1)
    #expect(json["search"]?["method"] == "random")
    #expect(json["search"]?["stages"]?.array?.first?["until"]?.isNull == true)
    #expect(json["search"]?["reason"]?.isNull == true)
    #expect(try findings("metric: {name: loss, goal: minimize}", trials)["stopping"]?.isNull == true)
  }

  private func specification(_ metric: String) throws -> SweepSpecification {
    try SweepSpecification.read(
      source: """
        name: two
        method: random
        \(metric)
        parameters: {x: {min: 0.0, max: 1.0}, y: {min: 0.0, max: 1.0}}
        command: ["true"]
        """)
  }

  private let two = "objectives: [{name: loss, goal: minimize}, {name: accuracy, goal: maximize}]"

  private func findings(
    _ metric: String, _ trials: [Trial], objective: Int = 0, patience: Duration = .seconds(60)
  ) throws -> JSONValue {
    SweepFindings(
      of: try #require(id), try specification(metric), trials, objective: objective, patience: patience
    ).json
  }

  @Test func `what matters, how the search goes and the front`() throws {
    let trials = try (0..<40).map { number in
      let x = Double(number) / 40
      return try trial(number, x, [x * x, x])
    }
    let json = try findings(two, trials + [trial(40, 0.5, [], .failed), trial(41, 0.1, [], .running)])
    #expect(json["trials"] == ["ended": 41, "complete": 40, "feasible": 40])
    #expect(json["progress"]?["best_trial"] == 0)
    let first = json["importance"]?["parameters"]?.array?.first
    #expect(first?["name"] == "x")
    #expect((first?["variance"]?.double ?? 0) > 0.6)
    #expect(json["importance"]?["note"]?.isNull == true)
    #expect(json["slices"]?.array?.map { $0["values"]?.array?.count } == [64, 64])
    // Lower losses cost accuracy: all are on the front.
    #expect(json["front"]?.array?.count == 40)
    #expect(json["hypervolume"]?["trials"]?.array?.count == 40)
    #expect(json["left_out"] == [])
    // Of a maximised one the values are as they were logged.
    let other = try findings(two, trials, objective: 1)
    #expect(other["progress"]?["best"]?.double == 39.0 / 40)
  }

  @Test func `too few trials, and trials that are all the same, are said in words`() throws {
    let metric = "metric: {name: loss, goal: minimize}"
    func note(_ trials: [Trial]) throws -> String? {
      let json = try findings(metric, trials)
      #expect(json["importance"]?["parameters"] == [])
      #expect(json["front"]?.isNull == true)
      return json["importance"]?["note"]?.string
    }
    #expect(try note([]) == "What matters can be said from 4 complete trials on: there are none yet.")
    #expect(
      try note([trial(0, 0.5, [1])]) == "What matters can be said from 4 complete trials on: there is 1.")
    #expect(
      try note((0..<9).map { try trial($0, Double($0) / 9, [1]) })
        == "All complete trials came to the same value: there is nothing to explain.")
  }

  @Test func `when time is up what is missing is named`() throws {
    let trials = try (0..<20).map { try trial($0, Double($0) / 20, [Double($0), 1]) }
    let json = try findings(two, trials, patience: .zero)
    #expect(json["left_out"] == ["importance", "interactions", "slices"])
    #expect(json["progress"]?["best"]?.double == 0)
  }
}
