// `auto`: it goes on where one of its methods hands over to the next, restored or not.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct AutoTests {
  /// Two objectives and conditions: Parzen estimators for a thousand trials, then a genetic algorithm.
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
    #expect(search.state["sampler"]?["stage"] == 0)
    for trial in [999, 1000, 1001] {
      var back = try Search(method: "auto", problem: problem())
      try back.restore(
        search.state, observations: search.history.observations, pending: search.history.pending)
      #expect(try ask(&back, trial).point == ask(&search, trial).point)
    }
    #expect(search.state["sampler"]?["stage"] == 1)
    // A trial that is asked for late does not bring the one before back.
    _ = try ask(&search, 5)
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
