// `auto`: it goes on where one of its methods hands over to the next, restored or not.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

@Suite struct AutoTests {
  /// Two objectives and conditions: Parzen estimators from 200 to a thousand trials, then a genetic algorithm.
  private func problem() throws -> SearchProblem {
    SearchProblem(
      space: try Space([
        Parameter("kind", .categorical(["a", "b"])), Parameter("x", .real(.uniform(min: 0, max: 1))),
        Parameter("y", .real(.uniform(min: 0, max: 1)), when: .isOne(of: ["a"], "kind")),
      ]), objectiveCount: 2, seed: 4)
  }

  private func ask(_ search: inout Search, _ trial: Int) throws -> Suggestion {
    guard case .trial(let suggestion) = search.ask(trial: trial) else {
      throw SearchError.unusableState(method: "auto", reason: "no suggestion")
    }
    let x = suggestion.coordinates[1]
    search.tell(trial: trial, state: .complete, losses: [x, 1 - x])
    return suggestion
  }

  @Test func theNextMethodTakesOverAndStays() throws {
    var search = try Search(method: "auto", problem: problem())
    for trial in 990..<999 { _ = try ask(&search, trial) }
    #expect(search.state["sampler"]?["stage"] == 1)
    for trial in [999, 1000, 1001] {
      var back = try Search(method: "auto", problem: problem())
      try back.restore(
        search.state, observations: search.history.observations, pending: search.history.pending)
      #expect(try ask(&back, trial).point == ask(&search, trial).point)
    }
    #expect(search.state["sampler"]?["stage"] == 2)
    // A trial that is asked for late does not bring the one before back.
    _ = try ask(&search, 5)
    #expect(search.state["sampler"]?["stage"] == 2)
  }

  /// One objective, a category and a condition; `numbers`: two numbers alone.
  private func schedule(
    objectives: Int = 1, budget: Int? = nil, numbers: Bool = false
  ) throws -> AutoSchedule {
    var problem = try problem()
    if numbers {
      let axis = RealDistribution.uniform(min: 0, max: 1)
      problem = SearchProblem(
        space: try Space([Parameter("x", .real(axis)), Parameter("y", .real(axis))]), seed: 1)
    }
    problem.objectiveCount = objectives
    problem.budget = budget
    return try AutoSchedule(problem).keepingWhatServes(problem)
  }

  @Test func itsStartupIsThatOfItsMethods() throws {
    func drawn(_ options: JSONObject, like method: String, _ own: JSONObject) throws -> Bool {
      var problem = try problem()
      problem.objectiveCount = 1
      var (auto, other) = (problem, problem)
      (auto.options, other.options) = (options, own)
      var (one, two) = (
        try Search(method: "auto", problem: auto), try Search(method: method, problem: other)
      )
      for trial in 0..<9 {
        guard case .trial(let a) = one.ask(trial: trial), case .trial(let b) = two.ask(trial: trial) else {
          return false
        }
        if a.point != b.point { return false }
        for (search, asked) in [(0, a), (1, b)] {
          let losses = [asked.coordinates[1]]
          if search == 0 {
            one.tell(trial: trial, state: .complete, losses: losses)
          } else {
            two.tell(trial: trial, state: .complete, losses: losses)
          }
        }
      }
      return true
    }
    #expect(try drawn([:], like: "gp", [:]))
    #expect(try drawn(["startup": 7], like: "gp", ["startup": 7]))
    #expect(try !drawn(["startup": 7], like: "gp", ["startup": 3]))
    var wrong = try problem()
    wrong.options = ["startup": 1]
    #expect(throws: SearchError.self) { try Search(method: "auto", problem: wrong) }
    wrong.options = ["candidates": 9]
    #expect(throws: SearchError.self) { try Search(method: "auto", problem: wrong) }
    #expect(throws: SearchError.self) { try SearchPlan(method: "auto", wrong) }
  }

  @Test func theRulesReadTheProblem() throws {
    for (numbers, end) in [(true, 200), (false, 300)] {
      for budget in [nil, 1000, 5000] {
        let stages = try schedule(budget: budget, numbers: numbers).stages
        #expect(stages.map(\.method) == ["gp", "cmaes"])
        #expect(stages.map(\.end) == [end, nil])
      }
    }
    #expect(try schedule(objectives: 3).stages.map(\.method) == ["gp", "tpe", "nsga2"])
    #expect(try schedule(objectives: 4).stages.map(\.method) == ["tpe", "nsga2"])
  }

  /// A category and a condition; the next generation's trials go through a restored sampler too.
  @Test func anEvolutionStrategyGoesOnFromTheBest() throws {
    var problem = try problem()
    problem.objectiveCount = 1
    func told(_ search: inout Search, _ trial: Int) throws -> Suggestion {
      guard case .trial(let suggestion) = search.ask(trial: trial) else {
        throw SearchError.unusableState(method: "auto", reason: "no suggestion")
      }
      let at = suggestion.coordinates
      let loss = suggestion.point["kind"] == "a" ? abs(at[1] - 0.3) + abs(at[2] - 0.8) : 1 + at[1]
      search.tell(trial: trial, state: .complete, losses: [loss])
      return suggestion
    }
    var search = try Search(method: "auto", problem: problem)
    for trial in 280..<300 { _ = try told(&search, trial) }
    #expect(search.state["sampler"]?["stage"] == 0)
    var asked: [Suggestion] = []
    for trial in 300..<600 {
      if trial % 7 == 0 {
        var back = try Search(method: "auto", problem: problem)
        try back.restore(
          search.state, observations: search.history.observations, pending: search.history.pending)
        var going = search
        #expect(try told(&back, trial).point == told(&going, trial).point)
      }
      asked.append(try told(&search, trial))
    }
    #expect(search.state["sampler"]?["stage"] == 1)
    #expect(asked.suffix(40).count { $0.point["kind"] == "a" } > 20)
    let losses = search.history.observations.map { $0.losses.first ?? .infinity }
    #expect(try #require(losses.suffix(40).min()) < #require(losses.prefix(20).min()))
  }

  @Test func trialsOfElsewhereCount() throws {
    var search = try Search(method: "auto", problem: problem())
    for index in 0..<200 {
      let x = (Double(index) + 0.5) / 200
      try search.learn(Point(values: ["kind": "b", "x": .double(x)]), losses: [x, 1 - x])
    }
    #expect(try ask(&search, 0).coordinates.count == 3)
    #expect(search.state["sampler"]?["stage"] == 1)
  }

  @Test func otherNamesForIt() throws {
    for name in ["bayes", "bayesian"] {
      var search = try Search(method: name, problem: problem())
      var own = try Search(method: "auto", problem: problem())
      #expect(try ask(&search, 0).point == ask(&own, 0).point)
    }
  }
}
