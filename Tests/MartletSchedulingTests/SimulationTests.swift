// Whole servers under random work, failures and crashes: the laws hold, and a broken one is noticed.

import Dispatch
import MartletScheduling
import MartletSimulation
import Testing

/// On a thread of its own: a simulation computes for seconds, and whoever awaits something shares two threads with it.
private func apart<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue(label: "simulation").async { continuation.resume(with: Result { try body() }) }
  }
}

private struct Seen: Sendable {
  var violations: [String]
  var count: SimulationCount
}

private func simulated(_ seed: UInt64, breaking law: Law? = nil) async throws -> Seen {
  try await apart {
    var simulation = Simulation(seed: seed, breaking: law)
    try simulation.run()
    return Seen(violations: simulation.violations, count: simulation.count)
  }
}

@Suite(.serialized) struct SimulationTests {
  @Test func `the laws hold under every seed`() async throws {
    var sum = SimulationCount()
    for seed in UInt64(0)..<30 {
      let simulation = try await simulated(seed)
      #expect(simulation.violations.isEmpty, "SEED=\(seed): \(simulation.violations)")
      #expect(simulation.count.events >= Simulation.leastEvents)
      #expect(simulation.count.crashes >= Simulation.leastCrashes)
      sum = sum + simulation.count
    }
    // What it counted was worth it.
    #expect(sum.grants > 1_500 && sum.trials > 900 && sum.retries > 150, "\(sum)")
    #expect(sum.loans > 300 && sum.verdicts > 100 && sum.resumptions > 20, "\(sum)")
    #expect(sum.reboots > 0 && sum.refusedWrites > 0, "\(sum)")
  }

  @Test func `a seed is replayed exactly`() async throws {
    #expect(try await simulated(7).count == simulated(7).count)
  }

  @Test(arguments: Law.allCases) func `a broken law is noticed`(law: Law) async throws {
    for seed in UInt64(0)..<200 {
      if try await !simulated(seed, breaking: law).violations.isEmpty { return }
    }
    Issue.record("200 seeds without a violation, though the law \(law.rawValue) is broken")
  }
}
