// Pages and what is made of them: as plain arrays in all that they do, and copies stay what they were.

import MartletModel
import Testing

@testable import MartletSearch

@Suite struct PagesTests {
  @Test func areAnArray() {
    var numbers = SplitMix64(seed: 1)
    var (pages, array) = (Pages<Int>(), [Int]())
    var copies: [(pages: Pages<Int>, array: [Int])] = []
    for number in 0..<2_000 {
      // Most come near the end, some at any place, also at the edges of pages.
      let reach = number % 50 == 0 ? array.count : min(array.count, 3)
      let place = array.count - Int.random(in: 0...reach, using: &numbers)
      pages.insert(number, at: place)
      array.insert(number, at: place)
      pages[number / 3] += 7
      array[number / 3] += 7
      if number % 97 == 0 { copies.append((pages, array)) }
    }
    pages.append(-1)
    array.append(-1)
    #expect(Array(pages) == array && pages.count == 2_001 && pages.last == -1)
    for copy in copies { #expect(Array(copy.pages) == copy.array) }
    #expect(Array(Pages(array)) == array && Pages<Int>().isEmpty)
    #expect(Pages(array) == pages && Pages(array.dropLast()) != pages)
  }

  /// Trials end in another order than they began in; whoever holds an older copy goes on seeing what was.
  @Test func historiesAreWhatTheirCopiesWere() throws {
    let cube = UnitCube(try Fixtures.reals(2))
    var generator = Xoshiro256(seed: 2)
    var history = History(cube: cube)
    var (open, ended): ([PendingTrial], [Int: Observation]) = ([], [:])
    var copies: [(history: History, ended: [Int: Observation])] = []
    for number in 0..<700 {
      let trial = PendingTrial(trial: number, coordinates: cube.draw(using: &generator))
      history.begin(trial)
      open.append(trial)
      while open.count > 6 {
        // The first one of all is the last to end.
        let trial = open.remove(at: 1 + Int(generator.below(UInt64(open.count - 1))))
        let observation = Observation(
          trial: trial.trial, coordinates: trial.coordinates, state: .complete, losses: [generator.unit()])
        history.end(observation)
        ended[trial.trial] = observation
      }
      if number % 90 == 0 { copies.append((history, ended)) }
    }
    let late = open[0]
    let observation = Observation(
      trial: late.trial, coordinates: late.coordinates, state: .complete, losses: [0])
    history.end(observation)
    ended[late.trial] = observation
    copies.append((history, ended))
    for (history, ended) in copies {
      let expected = ended.values.sorted { $0.trial < $1.trial }
      #expect(Array(history.observations) == expected)
      for axis in 0..<2 { #expect(Array(history.columns[axis]) == expected.map { $0.coordinates[axis] }) }
      #expect(history.distinctCount == history.observations.count + history.pending.count)
      #expect(ended.values.allSatisfy { history.contains($0.coordinates) })
    }
  }
}
