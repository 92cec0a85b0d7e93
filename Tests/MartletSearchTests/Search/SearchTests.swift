// What holds for every search: points by hand, duplicates, warm starts, changed spaces.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct SearchTests {
  private func space(high: Int64 = 9, kinds: [JSONValue] = ["a", "b"]) throws -> Space {
    try Space([Parameter("n", .integers(min: 0, max: high)), Parameter("kind", .categorical(kinds))])
  }

  private func point(_ n: Int64, _ kind: JSONValue) -> Point { Point(values: ["n": .int(n), "kind": kind]) }

  private func ask(_ search: inout Search, _ trial: Int) throws -> Suggestion {
    guard case .trial(let suggestion) = search.ask(trial: trial) else {
      throw SearchError.unusableState(method: "test", reason: "no suggestion")
    }
    return suggestion
  }

  @Test func pointsByHandComeFirstAndOnce() throws {
    let problem = SearchProblem(space: try space(), seed: 1)
    var search = try Search(
      method: "random", problem: problem, first: [point(3, "a"), point(3, "a"), point(4, "b")])
    let first = try ask(&search, 0)
    #expect(first.point == point(3, "a"))
    #expect(first.queued == 0)
    try search.enqueue(point(5, "a"))
    let second = try ask(&search, 1)
    #expect(second.point == point(4, "b"))
    #expect(second.queued == 2)
    #expect(try ask(&search, 2).queued == 3)
    #expect(try ask(&search, 3).queued == nil)
    #expect(throws: SearchError.pointOutside(["n": 10, "kind": "a"])) { try search.enqueue(point(10, "a")) }
  }

  @Test func whatIsAskedForAgainComesAgainAndIsLearnedFrom() throws {
    var search = try Search(
      method: "random", problem: SearchProblem(space: try space(), seed: 1), first: [point(3, "a")])
    #expect(try ask(&search, 0).isRepeat == false)
    search.tell(trial: 0, state: .complete, losses: [1])
    try search.enqueue(point(3, "a"))
    for _ in 0..<2 { try search.enqueue(point(3, "a"), isRepeat: true) }
    #expect(search.waitingCount == 3)
    for trial in 1...2 {
      let again = try ask(&search, trial)
      #expect((again.point, again.isRepeat) == (point(3, "a"), true))
      search.tell(trial: trial, state: .complete, losses: [Double(trial) + 1])
    }
    #expect(try ask(&search, 3).queued == nil)
    #expect(search.history.observations.map(\.losses) == [[1], [2], [3]])
    #expect(search.history.distinctCount == 2)
  }

  @Test func nothingComesTwiceUntilAllIsKnown() throws {
    let problem = SearchProblem(space: try space(), seed: 1)
    var search = try Search(method: "random", problem: problem)
    try search.learn(point(3, "a"), losses: [1])
    var seen: Set<Point> = [point(3, "a")]
    for trial in 0..<19 { #expect(seen.insert(try ask(&search, trial).point).inserted) }
    #expect(search.ask(trial: 19) == .exhausted("All 20 points of the space have been tried."))
    var endless = try Search(method: "random", problem: problem, repeats: true)
    for trial in 0..<40 { _ = try ask(&endless, trial) }
    #expect(endless.history.distinctCount == 20)
  }

  @Test func lossesThatAreNoNumbersDoNotCount() throws {
    var search = try Search(method: "random", problem: SearchProblem(space: try space(), seed: 1))
    for trial in 0..<4 { _ = try ask(&search, trial) }
    search.tell(trial: 0, state: .complete, losses: [.nan])
    search.tell(trial: 1, state: .complete, losses: [1, 2])
    search.tell(trial: 2, state: .failed, losses: [0])
    search.tell(trial: 3, state: .complete, losses: [5])
    // Of a failed one it is what it counts as beside others that failed.
    #expect(search.history.observations.map(\.losses) == [[], [], [0], [5]])
    #expect(search.history.best.map(\.trial) == [3])
    #expect(search.history.pending.isEmpty)
  }
}
