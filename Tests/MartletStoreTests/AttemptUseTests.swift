// What attempts may use and what they came to, kept with them.

import MartletModel
import MartletTestSupport
import Testing

@testable import MartletStore

@Suite struct AttemptUseTests {
  @Test func usesAndLimitsAreKeptWithTheirAttempt() async throws {
    let bench = try await Bench()
    let run = try await bench.executed()
    func attempt() async throws -> Attempt {
      try #require(try await bench.store.read { try $0.attempt(of: run, number: 1) })
    }
    let fresh = try await attempt()
    #expect(fresh.use == AttemptUse())
    #expect(fresh.limits == .null)
    let limits: JSONValue = ["memory": 5, "memory_by": "cgroup v1"]
    try await bench.store.write { writer in
      try writer.setLimits(of: run, number: 1, limits)
      try writer.setUse(of: run, number: 1, AttemptUse(peakMemory: 7, cpuSeconds: 1.5, limit: "memory"))
      // Who knows only whose fault it was takes nothing back.
      try writer.setUse(of: run, number: 1, AttemptUse(fault: "oom"))
    }
    let known = try await attempt()
    #expect(known.use == AttemptUse(peakMemory: 7, cpuSeconds: 1.5, limit: "memory", fault: "oom"))
    #expect(known.limits == limits)
    #expect(known.json["peak_memory"] == 7 && known.json["fault"] == "oom" && known.json["limits"] == limits)
  }
}
