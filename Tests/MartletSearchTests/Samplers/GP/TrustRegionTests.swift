// The box around the best point.

import MartletModel
import Testing

@testable import MartletSearch

@Suite struct TrustRegionTests {
  private func cube() throws -> UnitCube {
    UnitCube(
      try Space([
        Parameter("x", .real(.uniform(min: 0, max: 1))), Parameter("y", .real(.uniform(min: 0, max: 1))),
        Parameter("c", .categorical(["a", "b"])),
      ]))
  }

  private func width(_ losses: [Double], startup: Int = 0) throws -> Double {
    var history = History(cube: try cube())
    for (trial, loss) in losses.enumerated() {
      history.end(
        Observation(trial: trial, coordinates: [0.5, 0.5, 0], state: .complete, losses: [loss]))
    }
    let region = TrustRegion(
      history, centre: [0.5, 0.5, 0], kernel: KernelParameters(axes: 3), startup: startup)
    return region.upper[0] - region.lower[0]
  }

  @Test func growsWithLuckAndShrinksWithout() throws {
    #expect((try width([]) - 0.8).magnitude < 1e-12)
    // Three improvements double it, cut at the cube; four failures after that halve it.
    #expect(try width([5, 4, 3]) == 1)
    #expect((try width([5, 4, 3, 9, 9, 9, 9]) - 0.8).magnitude < 1e-12)
    #expect((try width([5, 9, 9, 9, 9]) - 0.4).magnitude < 1e-12)
    #expect((try width([5, 9, 9, 9]) - 0.8).magnitude < 1e-12)
    // The evenly spread points at the start do not count.
    #expect((try width([5, 9, 9, 9, 9], startup: 5) - 0.8).magnitude < 1e-12)
    // An improvement in the last digits is none.
    #expect((try width([5, 4.9999, 4.9998, 4.9997, 4.9996]) - 0.4).magnitude < 1e-12)
    // Smaller than 2⁻⁷ it begins anew.
    #expect((try width([5] + Array(repeating: 9.0, count: 28)) - 0.8).magnitude < 1e-12)
  }

  @Test func longAxesAreLonger() throws {
    var kernel = KernelParameters(axes: 3)
    kernel.logWeights = [2, -2, 0]
    let region = TrustRegion(
      History(cube: try cube()), centre: [0.5, 0.5, 1], kernel: kernel, startup: 0)
    #expect(region.upper[0] - region.lower[0] < 0.4)
    #expect(region.upper[1] - region.lower[1] > 0.9)
    #expect(region.holds(0, on: 2) && region.holds(1, on: 2))
    #expect(!region.holds(0, on: 0))
  }

  @Test func placesPointsInside() throws {
    let region = TrustRegion(
      History(cube: try cube()), centre: [0.1, 0.95, 1], kernel: KernelParameters(axes: 3), startup: 0)
    var generator = Xoshiro256(seed: 2)
    for _ in 0..<50 {
      let drawn = [generator.unit(), generator.unit(), 0]
      let point = region.place(drawn, share: 0.5, region.centre, &generator)
      #expect(region.holds(point[0], on: 0) && region.holds(point[1], on: 1))
      #expect(point != region.centre)
    }
  }
}
