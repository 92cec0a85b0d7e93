// A fold over the history is the same, in whatever order trials ended.

import MartletModel
import Testing

@testable import MartletSearch

@Suite struct HistoryFoldTests {
  @Test(arguments: [1, 3, 7]) func lateTrialsTakeTheirPlace(interval: Int) throws {
    let cube = UnitCube(try Fixtures.reals(1))
    var generator = Xoshiro256(seed: UInt64(interval))
    var history = History(cube: cube)
    var fold = HistoryFold([Int](), every: interval)
    var open = Array(-5..<60)
    var ended: [Int] = []
    while !open.isEmpty {
      let trial = open.remove(at: Int(generator.below(UInt64(min(open.count, 9)))))
      ended.append(trial)
      history.end(Observation(trial: trial, coordinates: [0.5], state: .complete, losses: [0]))
      fold.forget(from: history.place(of: trial))
      if generator.below(3) > 0 {
        let trials = fold.state(after: history) { state, place in
          state.append(history.observations[place].trial)
        }
        #expect(trials == ended.sorted())
      }
    }
    #expect(history.observation(of: 7)?.trial == 7)
    #expect(history.observation(of: 99) == nil)
  }
}
