// What all methods of generations and local moves promise.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct EvolutionConformanceTests {
  static let single = ["cmaes", "de", "ga", "tabu", "anneal", "pbt"]
  static let all = single + ["nsga2", "nsga3"]

  /// Restored between any two asks, with trials pending and results out of order, failures among them.
  @Test(arguments: all) func restoredInTheMiddleItGoesOnAlike(method: String) throws {
    for width in [1, 5] {
      var run = try SearchRun(method, Fixtures.mixed(), budget: 50, parallelism: width, seed: 3)
      var count = 0
      try run.go(50, pending: width, restoring: true) { suggestion in
        count += 1
        return count % 9 == 4 ? ([], []) : ([Fixtures.mixedLoss(suggestion.coordinates)], [])
      }
      #expect(run.told.count == 50)
    }
  }

  /// What is learnt depends on the results alone, not on which worker was a moment faster.
  @Test(arguments: all) func orderOfResultsDoesNotMatter(method: String) throws {
    func answer(reversed: Bool) throws -> String {
      var search = try Search(
        method: method,
        problem: SearchProblem(space: Fixtures.mixed(), budget: 100, parallelism: 25, seed: 4))
      var suggestions: [(Int, Suggestion)] = []
      for round in 0..<3 {
        for trial in (round * 25)..<(round * 25 + 25) {
          guard case .trial(let suggestion) = search.ask(trial: trial) else { continue }
          suggestions.append((trial, suggestion))
        }
        for (trial, suggestion) in reversed ? suggestions.reversed() : suggestions {
          search.tell(trial: trial, state: .complete, losses: [Fixtures.mixedLoss(suggestion.coordinates)])
        }
        suggestions = []
      }
      return search.ask(trial: 75).text
    }
    #expect(try answer(reversed: false) == answer(reversed: true))
  }

  @Test(arguments: all) func hugeLossesFailuresAndPrunedTrialsAreSurvived(method: String) throws {
    var search = try Search(
      method: method, problem: SearchProblem(space: Fixtures.mixed(), budget: 200, seed: 5))
    for trial in 0..<120 {
      guard case .trial(let suggestion) = search.ask(trial: trial) else { continue }
      #expect(search.problem.cube.canonical(suggestion.coordinates).count == 7)
      switch trial % 5 {
      case 0: search.tell(trial: trial, state: .failed, losses: [])
      case 1: search.tell(trial: trial, state: .pruned, losses: [-1e308])
      case 2: search.tell(trial: trial, state: .complete, losses: [1e308])
      case 3: search.tell(trial: trial, state: .complete, losses: [-1e308 + Double(trial)])
      default:
        search.tell(trial: trial, state: .complete, losses: [Fixtures.mixedLoss(suggestion.coordinates)])
      }
    }
    #expect(search.history.observations.count == 120)
  }

  /// Everything fails: the search goes on all the same.
  @Test(arguments: all) func nothingButFailures(method: String) throws {
    var run = try SearchRun(method, Fixtures.mixed(), seed: 6)
    try run.go(90, pending: 3) { _ in ([], []) }
    #expect(run.told.count == 90)
  }

  @Test(arguments: all) func onlyCategories(method: String) throws {
    let space = try Space(
      (0..<4).map { Parameter("c\($0)", .categorical(["a", "b", "c"])) })
    var run = try SearchRun(method, space, budget: 80, seed: 7)
    try run.minimize(80) { $0.reduce(0) { $0 + ($1 == 1 ? 0 : 1) } }
    #expect(run.best == 0)
    // No point twice, as long as there are others: 81 there are. A member of PBT may go on with what it has.
    if method != "pbt" { #expect(Set(run.told.map(\.suggestion.coordinates)).count == 80) }
  }

  @Test(arguments: single) func severalObjectivesAreRefused(method: String) throws {
    #expect(throws: SearchError.self) {
      try SearchRun(method, Fixtures.mixed(), objectives: 2)
    }
  }

  @Test(arguments: all) func wrongOptionsAreRefused(method: String) throws {
    #expect(throws: SearchError.self) {
      try SearchRun(method, Fixtures.mixed(), options: ["no_such_option": 1])
    }
    let name = ["tabu": "neighbours", "anneal": "startup"][method] ?? "population"
    #expect(throws: SearchError.self) { try SearchRun(method, Fixtures.mixed(), options: [name: 0]) }
    _ = try SearchRun(method, Fixtures.mixed(), options: [name: 12])
  }

  /// Constraint domination: the search must leave the region that is cheap and forbidden.
  @Test(arguments: ["cmaes", "de", "ga", "nsga2", "nsga3", "anneal", "tabu"])
  func constraintsAreMet(method: String) throws {
    var run = try SearchRun(method, Fixtures.reals(2), constraints: 1, budget: 200, seed: 8)
    var feasible: [Double] = []
    try run.go(200) { suggestion in
      let sum = suggestion.coordinates[0] + suggestion.coordinates[1]
      if sum >= 1 { feasible.append(sum) }
      return ([sum], [1 - sum])
    }
    #expect(feasible.count >= 60)
    #expect((feasible.min() ?? 2) < 1.05)
  }

  /// Imported trials are where it begins.
  @Test(arguments: ["cmaes", "de", "ga", "nsga2", "nsga3", "anneal", "tabu"])
  func importedTrialsAreUsed(method: String) throws {
    let space = try Fixtures.reals(3)
    var run = try SearchRun(method, space, budget: 60, seed: 9)
    var generator = SplitMix64(seed: 1)
    for _ in 0..<60 {
      let coordinates = (0..<3).map { _ in 0.5 + 0.25 * Double(generator.next() >> 11) * 0x1p-53 }
      try run.search.learn(
        run.search.problem.cube.point(at: coordinates), losses: [Fixtures.sphere(coordinates)])
    }
    try run.minimize(10, Fixtures.sphere)
    // From the prior the mean would be 0.35.
    let mean = run.told.reduce(0) { $0 + $1.losses[0] } / 10
    #expect(mean < 0.2)
  }
}
