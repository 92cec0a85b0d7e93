// Whole servers under random work, failures and crashes: the laws hold, and a broken one is noticed.

import MartletScheduling
import MartletSimulation
import Testing

@Suite struct SimulationTests {
  @Test(arguments: 0..<4) func `the laws hold under every seed`(part: UInt64) throws {
    var sum = SimulationCount()
    for seed in (part * 10)..<(part * 10 + 10) {
      var simulation = Simulation(seed: seed)
      try simulation.run()
      #expect(simulation.violations.isEmpty, "SEED=\(seed): \(simulation.violations)")
      #expect(simulation.count.events >= Simulation.leastEvents)
      #expect(simulation.count.crashes >= Simulation.leastCrashes)
      sum = sum + simulation.count
    }
    // What it counted was worth it.
    #expect(sum.grants > 500 && sum.trials > 300 && sum.retries > 50, "\(sum)")
    #expect(sum.reboots > 0 && sum.refusedWrites > 0, "\(sum)")
  }

  @Test func `a seed is replayed exactly`() throws {
    var first = Simulation(seed: 7)
    var second = Simulation(seed: 7)
    try first.run()
    try second.run()
    #expect(first.count == second.count)
  }

  @Test(arguments: Law.allCases) func `a broken law is noticed`(law: Law) throws {
    for seed in UInt64(0)..<200 {
      var simulation = Simulation(seed: seed, breaking: law)
      try simulation.run()
      if !simulation.violations.isEmpty { return }
    }
    Issue.record("200 seeds without a violation, though the law \(law.rawValue) is broken")
  }
}
