// Population based training: who copies whom, and where stretches begin.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct PopulationBasedTests {
  private func note(_ suggestion: Suggestion) -> [Int?] {
    (suggestion.note?["pbt"]?.array ?? []).map { $0.int.map(Int.init) }
  }

  @Test func theWorstCopyTheBestAndAllOthersGoOn() throws {
    var search = try Search(
      method: "pbt",
      problem: SearchProblem(
        space: Fixtures.reals(2), parallelism: 5, seed: 1, options: ["population": 5, "truncation": 0.2]))
    var first: [Suggestion] = []
    for trial in 0..<5 {
      guard case .trial(let suggestion) = search.ask(trial: trial) else { continue }
      #expect(note(suggestion) == [trial, 0, nil])
      #expect(suggestion.from == nil)
      first.append(suggestion)
    }
    // All are busy.
    #expect(search.ask(trial: 5) == .wait)
    for trial in 0..<5 { search.tell(trial: trial, state: .complete, losses: [[3, 1, 9, 2, 4][trial]]) }
    for trial in 5..<10 {
      guard case .trial(let suggestion) = search.ask(trial: trial) else { continue }
      let member = trial - 5
      let source = member == 2 ? 1 : member
      #expect(note(suggestion) == [member, 1, source])
      #expect(suggestion.from == source)
      // Who goes on keeps its point; who copies explores around the other's.
      #expect((suggestion.coordinates == first[source].coordinates) == (member != 2))
    }
  }

  @Test func aMemberThatFailedBeginsFromAnother() throws {
    var search = try Search(
      method: "pbt",
      problem: SearchProblem(space: Fixtures.reals(1), seed: 1, options: ["population": 2]))
    for trial in 0..<2 { _ = search.ask(trial: trial) }
    search.tell(trial: 0, state: .failed, losses: [])
    search.tell(trial: 1, state: .complete, losses: [1])
    guard case .trial(let suggestion) = search.ask(trial: 2) else {
      Issue.record("no trial")
      return
    }
    #expect(note(suggestion) == [0, 1, 1])
  }

  @Test func stretchesAreCounted() throws {
    var search = try Search(
      method: "pbt",
      problem: SearchProblem(
        space: Fixtures.reals(1), seed: 1, options: ["population": 3, "generations": 2, "wait": true]))
    var trial = 0
    func ask() -> SearchAnswer {
      defer { trial += 1 }
      return search.ask(trial: trial)
    }
    for _ in 0..<3 { _ = ask() }
    search.tell(trial: 0, state: .complete, losses: [1])
    // The others have not ended their first stretch.
    #expect(search.ask(trial: 3) == .wait)
    search.tell(trial: 1, state: .complete, losses: [2])
    search.tell(trial: 2, state: .complete, losses: [3])
    for _ in 0..<3 { _ = ask() }
    for trial in 3..<6 { search.tell(trial: trial, state: .complete, losses: [0]) }
    #expect(search.ask(trial: 6) == .exhausted("Every member has been trained for 2 stretches."))
  }

  /// Good parameters spread: the loss of a stretch is that of the parameters it runs with.
  @Test func thePopulationMovesToTheMinimum() throws {
    var run = try SearchRun("pbt", Fixtures.reals(2), parallelism: 8, seed: 3)
    try run.minimize(240, pending: 8, Fixtures.sphere)
    let late = run.told.suffix(40).reduce(0) { $0 + $1.losses[0] } / 40
    #expect(late < 0.06)
  }
}
