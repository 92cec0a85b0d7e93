// Grid search: which points, in which order, and what it says at the end.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

@Suite struct GridTests {
  private func space() throws -> Space {
    try Space([
      Parameter("a", .integers(min: 1, max: 3)), Parameter("b", .categorical([true, false])),
      Parameter("c", .real(.uniform(min: 0, max: 1), quantum: Quantum(0.5))),
    ])
  }

  private func points(
    _ space: Space, options: [String: JSONValue] = [:], first: [Point] = [], seed: UInt64 = 1
  ) throws
    -> (points: [Point], end: SearchAnswer)
  {
    var problem = SearchProblem(space: space, seed: seed)
    for (name, value) in options { problem.options[name] = value }
    var search = try Search(method: "grid", problem: problem, first: first)
    var points: [Point] = []
    while true {
      let answer = search.ask(trial: points.count)
      guard case .trial(let suggestion) = answer else { return (points, answer) }
      points.append(suggestion.point)
      // Every third stays under way.
      if points.count % 3 > 0 { search.tell(trial: points.count - 1, state: .complete, losses: [1]) }
    }
  }

  @Test func theOrderOfTheFile() throws {
    let space = try space()
    let (all, end) = try points(space)
    #expect(all == (0..<18).compactMap(space.point))
    #expect(end == .exhausted("All 18 points of the space have been tried."))
  }

  @Test func aSeedShufflesThem() throws {
    let space = try space()
    let (shuffled, _) = try points(space, options: ["order": "seeded"])
    #expect(shuffled != (0..<18).compactMap(space.point))
    #expect(Set(shuffled) == Set((0..<18).compactMap(space.point)))
    #expect(try points(space, options: ["order": "seeded"]).points == shuffled)
    #expect(try points(space, options: ["order": "seeded"], seed: 2).points != shuffled)
  }

  @Test func pointsGivenByHandDoNotComeAgain() throws {
    let space = try space()
    let middle = try #require(space.point(at: 7))
    let (all, _) = try points(space, first: [middle, middle])
    #expect(all.first == middle)
    #expect(all.count == 18)
    #expect(Set(all).count == 18)
  }

  @Test func forbiddenPointsAreLeftOut() throws {
    let space = try Space(
      [Parameter("a", .integers(min: 1, max: 3)), Parameter("b", .integers(min: 1, max: 3))],
      relations: [Relation(parsing: "a < b")])
    let (all, end) = try points(space)
    #expect(all.map(\.flat.text) == [#"{"a":1,"b":2}"#, #"{"a":1,"b":3}"#, #"{"a":2,"b":3}"#])
    #expect(
      end == .exhausted("All 3 points that the space allows have been tried: its rules forbid 6 others."))
  }

  /// A space whose rules forbid nearly everything would otherwise be walked through as a whole.
  @Test func rulesThatForbidTooMuchEndIt() throws {
    let space = try Space(
      [Parameter("a", .integers(min: 0, max: 3)), Parameter("b", .integers(min: 0, max: 3))],
      relations: [Relation(parsing: "a > 1")])
    let problem = SearchProblem(space: space, seed: 1)
    var sampler = try GridSampler(problem)
    sampler.patience = 7
    let history = History(cube: problem.cube)
    guard case .exhausted(let reason) = sampler.ask(history, trial: 0, attempt: 0) else {
      Issue.record("it went on")
      return
    }
    #expect(reason.contains("forbid 7 points in a row"))
    sampler = try GridSampler(problem)
    sampler.patience = 9
    guard case .point(let point, _, _) = sampler.ask(history, trial: 0, attempt: 0) else {
      Issue.record("it gave up")
      return
    }
    #expect(problem.cube.isAllowed(point))
  }

  @Test func whatHasNoEndIsRefused() throws {
    let endless = try Space([
      Parameter("a", .categorical([1])),
      Parameter(path: ["opt", "lr"], domain: .real(.uniform(min: 0, max: 1))),
    ])
    #expect(throws: SearchError.infiniteDomain(parameter: "opt.lr", method: "grid")) { try points(endless) }
    let wide = try Space([Parameter("a", .integers(min: .min, max: .max))])
    #expect(throws: SearchError.tooManyPoints(method: "grid")) { try points(wide) }
  }
}
