// What every method promises, whatever it does: points of the space, each once, the same after any save and restore.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

/// The methods that choose points on their own from the first trial to the last.
private let methods = samplerMethods.filter { $0 != "points" && $0 != "pbt" }
/// Those that need no end of points.
private let endless = methods.filter { $0 != "grid" }

@Suite struct SamplerConformanceTests {
  /// Every kind of parameter; 4 × 3 × 5 × 2 × … points, so that grid can search it as well when `isFinite`.
  private func mixed(isFinite: Bool) throws -> Space {
    let kind = Condition.isOne(of: ["b"], "kind")
    return try Space([
      Parameter("kind", .categorical(["a", "b", 3])),
      Parameter(
        path: ["optimizer", "lr"],
        domain: .real(.logUniformValues(min: 1e-5, max: 0.1), quantum: isFinite ? Quantum(0.01) : nil)),
      Parameter(path: ["optimizer", "on"], domain: .categorical([true, false], probabilities: [0.9, 0.1])),
      Parameter("width", .integers(min: 1, max: 9, scale: .logarithmic)),
      Parameter("stepped", .integers(min: 2, max: 20, step: 3)),
      Parameter("share", .real(.uniform(min: -0.35, max: 1), quantum: Quantum(0.1, from: -0.35))),
      Parameter("size", .ordinal(["small", "middle", "large"])),
      Parameter("only", .constant("x")),
      Parameter("depth", .integers(min: 1, max: 4), when: kind),
      Parameter("inner", .categorical(["x", "y"]), when: .all([kind, .atLeast(3, "depth")])),
    ])
  }

  private func problem(_ space: Space, seed: UInt64 = 5, budget: Int? = 60, workers: Int = 1) -> SearchProblem
  {
    SearchProblem(space: space, budget: budget, parallelism: workers, seed: seed)
  }

  /// A bowl over the coordinates, with a different floor for each category.
  private func loss(_ coordinates: [Double], _ cube: UnitCube) -> Double {
    zip(coordinates, cube.axes).reduce(0) { sum, axis in
      guard !axis.0.isNaN else { return sum + 0.1 }
      if case .categorical = axis.1.kind { return sum + axis.0 * 0.3 }
      return sum + (axis.0 - 0.3) * (axis.0 - 0.3)
    }
  }

  /// What happens to trials in life: most end well, some fail, are pruned, or have losses nobody can use.
  private func tell(_ search: inout Search, _ suggestion: Suggestion, trial: Int) {
    let value = loss(suggestion.coordinates, search.problem.cube)
    switch trial % 9 {
    case 4: search.tell(trial: trial, state: .failed, losses: [])
    case 5: search.tell(trial: trial, state: .pruned, losses: [value + 0.2], step: 7)
    case 6: search.tell(trial: trial, state: .complete, losses: [.nan])
    case 8: search.tell(trial: trial, state: .complete, losses: [1e308])
    default: search.tell(trial: trial, state: .complete, losses: [value])
    }
  }

  /// The next suggestion; pending ones are told, the oldest first, while there is nothing to try.
  private func next(
    _ search: inout Search, trial: Int, _ pending: inout OrderedDictionary<Int, Suggestion>
  ) -> Suggestion? {
    while true {
      switch search.ask(trial: trial) {
      case .trial(let suggestion): return suggestion
      case .resume, .exhausted: return nil
      case .wait:
        guard let (oldest, suggestion) = pending.elements.first else { return nil }
        pending[oldest] = nil
        tell(&search, suggestion, trial: oldest)
      }
    }
  }

  /// The suggestions of a whole search with some trials under way at a time.
  private func run(
    _ method: String, _ problem: SearchProblem, trials: Int, atOnce: Int = 1,
    before: (Int, Search) throws -> Void = { _, _ in }
  ) throws -> [Suggestion] {
    var search = try Search(method: method, problem: problem)
    var pending: OrderedDictionary<Int, Suggestion> = [:]
    var all: [Suggestion] = []
    for trial in 0..<trials {
      try before(trial, search)
      guard let suggestion = next(&search, trial: trial, &pending) else { break }
      all.append(suggestion)
      pending[trial] = suggestion
      if pending.count >= atOnce, let (oldest, done) = pending.elements.first {
        pending[oldest] = nil
        tell(&search, done, trial: oldest)
      }
    }
    return all
  }

  @Test(arguments: methods) func pointsLieInTheSpaceAndComeOnce(method: String) throws {
    let space = try mixed(isFinite: method == "grid")
    let suggestions = try run(method, problem(space, workers: 8), trials: 40, atOnce: 8)
    #expect(suggestions.count == 40)
    let cube = UnitCube(space)
    for suggestion in suggestions {
      // Every value is one of its domain, there is none too many and none too few.
      let coordinates = try #require(cube.coordinates(of: suggestion.point))
      #expect(cube.key(coordinates) == cube.key(suggestion.coordinates))
      #expect((suggestion.point["depth"] != nil) == (suggestion.point["kind"] == "b"))
      if let inner = suggestion.point["inner"] {
        #expect(inner == "x" || inner == "y")
        #expect(suggestion.point["depth"]?.int ?? 0 >= 3)
      }
      #expect(suggestion.point["only"] == "x")
    }
    #expect(Set(suggestions.map { cube.key($0.coordinates) }).count == 40)
  }

  /// All of a suggestion as text: NaN, which stands for what has no value, is not equal to itself.
  private func text(_ suggestions: [Suggestion]) -> [String] {
    suggestions.map { "\($0.point.flat) \($0.coordinates) \($0.note ?? .null) \($0.from ?? -1)" }
  }

  @Test(arguments: methods) func seedsDecide(method: String) throws {
    let space = try mixed(isFinite: method == "grid")
    let first = text(try run(method, problem(space), trials: 16))
    #expect(text(try run(method, problem(space), trials: 16)) == first)
    guard method != "grid" else { return }
    #expect(text(try run(method, problem(space, seed: 6), trials: 16)) != first)
  }

  /// What was saved as text and read again goes on alike, at every point of a search with trials under way.
  @Test(arguments: methods) func restoredAnywhereItGoesOnAlike(method: String) throws {
    let space = try mixed(isFinite: method == "grid")
    let problem = problem(space, workers: 3)
    var restored: [Suggestion?] = []
    let straight = try run(method, problem, trials: 26, atOnce: 3) { trial, search in
      func copy<T>(_ items: [JSONValue], _ make: (JSONValue) -> T?) throws -> [T] {
        try items.map { try #require(make(JSONValue.parse($0.text))) }
      }
      var back = try Search(method: method, problem: problem)
      try back.restore(
        JSONValue.parse(search.state.text),
        observations: copy(search.history.observations.map(\.json)) { Observation(json: $0) },
        pending: copy(search.history.pending.map(\.json)) { PendingTrial(json: $0) })
      #expect(back.state == search.state)
      if case .trial(let suggestion) = back.ask(trial: trial) {
        restored.append(suggestion)
      } else {
        restored.append(nil)
      }
    }
    #expect(straight.count == 26)
    // A method may wait for the trials under way and have no point yet.
    #expect(restored.count { $0 != nil } >= 13)
    for (answer, suggestion) in zip(restored, straight) {
      if let answer { #expect(text([answer]) == text([suggestion])) }
    }
  }

  @Test(arguments: methods) func everyPointOfASmallSpaceOnceThenNone(method: String) throws {
    let space = try Space([
      Parameter("kind", .categorical(["a", "b"])), Parameter("n", .integers(min: 1, max: 3)),
      Parameter("m", .ordinal([1, 10]), when: .isOne(of: ["b"], "kind")),
    ])
    #expect(space.cardinality == 9)
    var search = try Search(method: method, problem: problem(space))
    var pending: OrderedDictionary<Int, Suggestion> = [:]
    var points: Set<Point> = []
    for trial in 0..<9 {
      let suggestion = try #require(next(&search, trial: trial, &pending))
      points.insert(suggestion.point)
      tell(&search, suggestion, trial: trial)
    }
    #expect(points.count == 9)
    #expect(search.ask(trial: 9) == .exhausted("All 9 points of the space have been tried."))
  }

  @Test(arguments: endless) func relationsAreKept(method: String) throws {
    let space = try Space(
      [Parameter("x", .real(.uniform(min: 0, max: 1))), Parameter("y", .real(.uniform(min: 0, max: 1)))],
      derived: [DerivedParameter("z", parsing: "1 - x - y")],
      relations: [Relation(parsing: "x + y <= 0.5 and x > y")])
    for suggestion in try run(method, problem(space), trials: 24, atOnce: 2) {
      let x = try #require(suggestion.point["x"]?.double)
      let y = try #require(suggestion.point["y"]?.double)
      let z = try #require(suggestion.point["z"]?.double)
      #expect(x + y <= 0.5 + 1e-9 && x > y && (x + y + z - 1).magnitude < 1e-12)
    }
  }

  @Test(arguments: endless) func oneParameter(method: String) throws {
    let space = try Space([Parameter("p", .real(.normal(mu: 0, sigma: 3)))])
    #expect(try run(method, problem(space), trials: 20).count == 20)
  }

  @Test(arguments: endless) func aHundredParameters(method: String) throws {
    let space = try Space(
      (0..<100).map {
        Parameter("p\($0)", $0 % 10 == 0 ? .categorical([1, 2]) : .real(.uniform(min: 0, max: 1)))
      })
    #expect(try run(method, problem(space), trials: 14).count == 14)
  }

  @Test(arguments: methods) func nothingButCategories(method: String) throws {
    let space = try Space((0..<4).map { Parameter("p\($0)", .categorical(["a", "b", "c"])) })
    #expect(try run(method, problem(space, workers: 4), trials: 30, atOnce: 4).count == 30)
  }

  @Test(arguments: methods) func severalObjectivesAreSearchedOrRefused(method: String) throws {
    let space = try mixed(isFinite: method == "grid")
    let problem = SearchProblem(space: space, objectiveCount: 2, constraintCount: 1, budget: 40, seed: 3)
    var search: Search
    do {
      search = try Search(method: method, problem: problem)
    } catch .unsupported {
      return
    }
    var pending: OrderedDictionary<Int, Suggestion> = [:]
    for trial in 0..<22 {
      let suggestion = try #require(next(&search, trial: trial, &pending))
      let value = loss(suggestion.coordinates, problem.cube)
      search.tell(
        trial: trial, state: trial % 5 == 4 ? .failed : .complete,
        losses: trial % 5 == 4 ? [] : [value, 1 - value],
        violations: trial % 5 == 4 ? [] : [trial < 8 ? 1 : value - 0.5])
    }
  }

  @Test(arguments: methods) func foreignStatesAndOptionsAreRefused(method: String) throws {
    let space = try mixed(isFinite: true)
    for state: JSONValue in [
      nil, 3, [:], ["method": "other", "queue": 0], ["method": .string(method), "queue": -1],
    ] {
      var search = try Search(method: method, problem: problem(space))
      #expect(throws: SearchError.self) { try search.restore(state, observations: [], pending: []) }
    }
    var odd = problem(space)
    odd.options = ["no_such_option": 1]
    #expect(throws: SearchError.self) { try Search(method: method, problem: odd) }
  }

  @Test func unknownMethodNamesTheNearest() throws {
    let problem = problem(try mixed(isFinite: true))
    #expect(throws: SearchError.unknownMethod("gird", nearest: "grid")) {
      try Search(method: "gird", problem: problem)
    }
    #expect("\(SearchError.unknownMethod("gird", nearest: "grid"))".contains("did you mean 'grid'?"))
  }
}
