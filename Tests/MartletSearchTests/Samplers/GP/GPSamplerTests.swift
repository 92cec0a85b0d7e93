// The Gaussian process sampler as a search uses it.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

@Suite struct GPSamplerTests {
  private func space() throws -> Space {
    try Space([
      Parameter("x", .real(.uniform(min: -2, max: 2))), Parameter("n", .integers(min: 1, max: 9)),
      Parameter("kind", .categorical(["a", "b"])),
      Parameter("rate", .real(.logUniformValues(min: 1e-4, max: 1)), when: .isOne(of: ["b"], "kind")),
    ])
  }

  private func problem(
    objectives: Int = 1, constraints: Int = 0, seed: UInt64 = 4, options: JSONObject = [:]
  ) throws -> SearchProblem {
    var options = options
    options["candidates"] = 64
    options["starts"] = 3
    return SearchProblem(
      space: try space(), objectiveCount: objectives, constraintCount: constraints, budget: 30, seed: seed,
      options: options)
  }

  private func loss(_ point: Point) -> Double {
    let x = point["x"]?.double ?? 0
    let n = point["n"]?.double ?? 0
    let rate = point["rate"]?.double.map { Elementary.log($0) + 4 } ?? 2
    return (x - 0.7) * (x - 0.7) + 0.1 * (n - 4) * (n - 4) + 0.2 * rate * rate
  }

  /// Runs a search with two pending trials; `saved`: it is put away and restored before every ask.
  private func trace(_ problem: SearchProblem, trials: Int, saved: Bool) throws -> [String] {
    var search = try Search(method: "gp", problem: problem)
    var waiting: [(Int, Point)] = []
    var texts: [String] = []
    for trial in 0..<trials {
      if saved {
        let (state, old) = (search.state, search.history)
        search = try Search(method: "gp", problem: problem)
        try search.restore(state, observations: old.observations, pending: old.pending)
      }
      guard case .trial(let suggestion) = search.ask(trial: trial) else { break }
      texts.append(suggestion.point.flat.text)
      waiting.append((trial, suggestion.point))
      if waiting.count == 2 {
        // The later one ends first now and then.
        let (number, point) = waiting.remove(at: trial % 3 == 0 ? 1 : 0)
        let value = loss(point)
        let losses = (0..<problem.objectiveCount).map { $0 == 0 ? value : 1 / (1 + value) + Double($0) }
        let violations = (0..<problem.constraintCount).map { _ in 1 - value }
        search.tell(
          trial: number, state: number == 5 ? .failed : .complete, losses: losses, violations: violations)
      }
    }
    return texts
  }

  @Test(arguments: [(1, 0), (2, 0), (1, 1), (4, 0)])
  func restoredAtEveryPointItAsksTheSame(objectives: Int, constraints: Int) throws {
    let problem = try problem(objectives: objectives, constraints: constraints)
    let whole = try trace(problem, trials: 14, saved: false)
    #expect(whole.count == 14)
    #expect(Set(whole).count == 14)
    #expect(try trace(problem, trials: 14, saved: true) == whole)
  }

  @Test func anotherSeedAsksOtherwise() throws {
    #expect(
      try trace(problem(), trials: 8, saved: false) != trace(problem(seed: 5), trials: 8, saved: false))
  }

  @Test func comesNearTheBestPoint() throws {
    var search = try Search(method: "gp", problem: problem())
    var best = Double.infinity
    for trial in 0..<30 {
      guard case .trial(let suggestion) = search.ask(trial: trial) else { break }
      best = min(best, loss(suggestion.point))
      search.tell(trial: trial, state: .complete, losses: [loss(suggestion.point)])
    }
    // Random search needs thousands of trials for this.
    #expect(best < 0.02)
  }

  @Test func hugeAndMissingLossesDoNotBlindIt() throws {
    var search = try Search(method: "gp", problem: problem())
    var best = Double.infinity
    for trial in 0..<30 {
      guard case .trial(let suggestion) = search.ask(trial: trial) else { break }
      let value = loss(suggestion.point)
      if (suggestion.point["x"]?.double ?? 0) < -1 {
        search.tell(trial: trial, state: .failed, losses: [])
      } else if (suggestion.point["n"]?.double ?? 0) > 7 {
        search.tell(trial: trial, state: .complete, losses: [1e308])
      } else if trial == 3 {
        search.tell(trial: trial, state: .complete, losses: [.nan])
      } else {
        best = min(best, value)
        search.tell(trial: trial, state: .complete, losses: [value])
      }
    }
    // Without the second branch of the space 0.8 is the least there is.
    #expect(best < 0.85)
  }

  @Test func meetsConstraints() throws {
    // Feasible is only x ≤ −1; the best feasible point is its edge.
    var search = try Search(method: "gp", problem: problem(constraints: 1))
    var best = Double.infinity
    for trial in 0..<30 {
      guard case .trial(let suggestion) = search.ask(trial: trial) else { break }
      let x = suggestion.point["x"]?.double ?? 0
      if x <= -1 { best = min(best, loss(suggestion.point)) }
      search.tell(trial: trial, state: .complete, losses: [loss(suggestion.point)], violations: [x + 1])
    }
    #expect(best < 2.89 + 0.6)
  }

  @Test func wrongOptionsAreRefused() throws {
    for options: JSONObject in [["startup": 1], ["prior": "flat"], ["warp": 1], ["candidate": 5]] {
      #expect(throws: SearchError.self) {
        try Search(method: "gp", problem: SearchProblem(space: space(), seed: 1, options: options))
      }
    }
  }

  @Test func foreignStatesAreRefused() throws {
    var sampler = try GPSampler(problem())
    let history = History(cube: try problem().cube)
    for state: JSONValue in ["x", ["fitted": 3, "kernels": [[1, 2]]], ["fitted": 3]] {
      #expect(throws: SearchError.self) { try sampler.restore(state, history) }
    }
  }
}

@Suite struct GPPenaltyTests {
  private func values(_ observations: [(state: TrialState, losses: [Double])]) throws -> [Double] {
    let problem = SearchProblem(space: try Space([Parameter("x", .real(.uniform(min: 0, max: 1)))]), seed: 1)
    var history = History(cube: problem.cube)
    for (trial, observation) in observations.enumerated() {
      history.end(
        Observation(
          trial: trial, coordinates: [Double(trial + 1) / 20], state: observation.state,
          losses: observation.losses))
    }
    var generator = Xoshiro256(seed: 1)
    let data = try #require(GPTrainingSet(history, problem, generator: &generator))
    #expect(data.isFeasible.count { $0 } == observations.count { $0.state == .complete })
    return data.targets(power: 1)[0].values
  }

  @Test func failuresAreAsBadAsTheWorstAndUpToADeviationWorse() throws {
    let measured: [(TrialState, [Double])] = [(.complete, [1]), (.complete, [2]), (.complete, [4])]
    let plain = try values(measured + [(.failed, [])])
    #expect(plain[3] == plain[2])
    let graded = try values(measured + [(.failed, [100]), (.failed, [1000]), (.failed, []), (.failed, [-8])])
    // What was measured is seen as without them.
    #expect(Array(graded.prefix(3)) == Array(plain.prefix(3)))
    #expect(graded[3] == graded[2] + 0.5)
    #expect(graded[4] == graded[2] + 1)
    #expect(graded[5] == graded[2])
    #expect(graded[6] == graded[2], "better than what was measured it cannot be")
  }
}
