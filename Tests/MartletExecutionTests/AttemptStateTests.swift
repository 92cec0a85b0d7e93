// The one table of moves an attempt may make.

import MartletModel
import Testing

@Suite struct AttemptStateTests {
  private static let ends: Set<AttemptState> = [
    .finished, .failed, .timedOut, .killed, .stopped, .preempted, .crashed,
  ]

  private static let moves: [AttemptState: Set<AttemptState>] = [
    .queued: [.starting, .stopped, .failed, .preempted],
    .starting: ends.union([.running, .lost]),
    .running: ends.union([.lost]),
    .lost: ends.union([.running]),
  ]

  @Test(arguments: AttemptState.allCases) func `every move is as the table says`(from state: AttemptState) {
    let allowed = Self.moves[state] ?? []
    for next in AttemptState.allCases {
      #expect(state.mayBecome(next) == allowed.contains(next), "\(state) to \(next)")
    }
  }

  @Test func `an end is an end`() {
    for state in AttemptState.allCases {
      #expect(state.isEnd == Self.ends.contains(state))
      if state.isEnd { #expect(AttemptState.allCases.allSatisfy { !state.mayBecome($0) }) }
    }
  }

  @Test func `from every state that is no end an end can be reached`() {
    for start in AttemptState.allCases where !start.isEnd {
      #expect(AttemptState.allCases.contains { start.mayBecome($0) && $0.isEnd })
      #expect(!start.mayBecome(start))
    }
  }
}
