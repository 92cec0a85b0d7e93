// Silent runs: lost after a minute, crashed ten minutes later, by a clock that is moved by hand.

import MartletModel
import MartletStore
import MartletTestSupport
import Testing

@testable import MartletTracking

@Suite struct LeaseTests {
  private func leases(_ bench: Bench) -> Leases {
    Leases(store: bench.store, feed: bench.feed, clock: bench.clock, system: bench.access.principal)
  }

  @Test func lostThenCrashed() async throws {
    let bench = try await Bench()
    let leases = leases(bench)
    let run = try await bench.create()
    let told = Recorder()
    let subscription = bench.feed.subscribe(told.take)
    bench.clock.advance(60)
    try await leases.check()
    #expect(try await bench.show(run).state == .running)
    bench.clock.advance(0.001)
    try await leases.check()
    let lost = try await bench.show(run)
    #expect(lost.state == .lost)
    #expect(lost.exit?.reason == "No sign of life for 60 seconds.")
    #expect(lost.endedAt == nil)
    bench.clock.advance(599.999)
    try await leases.check()
    #expect(try await bench.show(run).state == .lost)
    bench.clock.advance(0.001)
    try await leases.check()
    let crashed = try await bench.show(run)
    #expect(crashed.state == .crashed)
    #expect(crashed.endedAt == noon, "it ended when it fell silent")
    #expect(
      crashed.exit?.reason == "No sign of life for 660 seconds; the last came at \(noon.inWords).")
    #expect(told.runs.map(\.state) == [.lost, .crashed])
    // Nothing follows: a late heartbeat does not raise the dead.
    #expect(try await bench.tracking.heartbeat(run, access: bench.access).state == .crashed)
    bench.clock.advance(3600)
    try await leases.check()
    #expect(told.runs.count == 2)
    subscription.cancel()
  }

  @Test func aHeartbeatBringsBack() async throws {
    let bench = try await Bench()
    let leases = leases(bench)
    let run = try await bench.create()
    let told = Recorder()
    bench.clock.advance(61)
    try await leases.check()
    let subscription = bench.feed.subscribe(told.take)
    let answer = try await bench.tracking.heartbeat(run, access: bench.access)
    #expect(answer == (state: .running, stopRequested: false))
    let shown = try await bench.show(run)
    #expect((shown.state, shown.exit, shown.startedAt) == (.running, nil, noon))
    #expect(told.runs.map(\.state) == [.running])
    bench.clock.advance(60)
    try await leases.check()
    #expect(try await bench.show(run).state == .running)
    bench.clock.advance(1)
    try await leases.check()
    #expect(try await bench.show(run).state == .lost)
    subscription.cancel()
  }

  @Test func pointsAreASignOfLife() async throws {
    let bench = try await Bench()
    let leases = leases(bench)
    let (talking, silent) = (try await bench.create(), try await bench.create())
    for sequence in 0..<5 {
      bench.clock.advance(40)
      try await bench.log(talking, #"{"seq": \#(sequence), "values": {"loss": 1}}"#)
      try await leases.check()
    }
    #expect(try await bench.show(talking).state == .running)
    #expect(try await bench.show(silent).state == .lost)
  }

  @Test func nobodyIsSilentBecauseTheServerWasDown() async throws {
    let bench = try await Bench()
    let before = leases(bench)
    let (gone, back) = (try await bench.create(), try await bench.create())
    let early = try await bench.create()
    bench.clock.advance(59)
    for run in [gone, back] { _ = try await bench.tracking.heartbeat(run, access: bench.access) }
    bench.clock.advance(2)
    try await before.check()
    #expect(try await bench.show(early).state == .lost)

    bench.clock.advance(7200)
    let after = leases(bench)
    try await after.check()
    bench.clock.advance(30)
    _ = try await bench.tracking.heartbeat(back, access: bench.access)
    bench.clock.advance(30)
    try await after.check()
    #expect(try await bench.show(gone).state == .running)
    #expect(try await bench.show(early).state == .lost)
    bench.clock.advance(1)
    try await after.check()
    #expect(try await bench.show(gone).state == .lost)
    #expect(try await bench.show(back).state == .running)
    #expect(try await bench.show(early).state == .lost, "two hours of the server's silence are not the run's")
    bench.clock.advance(598)
    _ = try await bench.tracking.heartbeat(back, access: bench.access)
    try await after.check()
    #expect(try await bench.show(gone).state == .lost)
    bench.clock.advance(2)
    try await after.check()
    #expect(try await bench.show(gone).state == .crashed)
    #expect(try await bench.show(early).state == .crashed)
    #expect(try await bench.show(back).state == .running)
  }

  /// Hours of nothing must not write once.
  @Test func aQuietRoundLeavesTheWriterAlone() async throws {
    let bench = try await Bench()
    let leases = leases(bench)
    _ = try await bench.executed()
    let done = try await bench.create()
    _ = try await bench.tracking.finishRun(
      done, RunFinish(state: .finished, exitCode: nil, reason: nil), access: bench.access)
    bench.clock.advance(5000)
    try await holdingTheWriter(of: bench.store) { _ in
      let isDone = Flag()
      Task {
        try await leases.check()
        isDone.raise()
      }
      try await eventually("the round ends while the writer is held") { isDone.isUp }
    }
  }

  @Test func onlyRunsFromOutsideThatHaveNotEnded() async throws {
    let bench = try await Bench()
    let leases = leases(bench)
    let (executed, done) = (try await bench.executed(), try await bench.create())
    _ = try await bench.tracking.heartbeat(executed, access: bench.access)
    _ = try await bench.tracking.finishRun(
      done, RunFinish(state: .stopped, exitCode: nil, reason: "enough"), access: bench.access)
    bench.clock.advance(5000)
    try await leases.check()
    #expect(try await bench.show(executed).state == .running)
    #expect(try await bench.show(done).state == .stopped)
  }
}
