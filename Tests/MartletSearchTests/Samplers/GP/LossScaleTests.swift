// Losses and violations as models see them.

import Testing

@testable import MartletSearch

@Suite struct LossScaleTests {
  private func isAscending(_ values: [Double]) -> Bool {
    zip(values, values.dropFirst()).allSatisfy { $0 <= $1 }
  }

  @Test(arguments: [1, 0.3, -1.5]) func keepsOrderAndStandardizes(power: Double) {
    let losses = [-3, -1, 0, 0.5, 2, 2.5, 7, 1e9, 1e200, 1e308]
    let values = LossScale.standardized(LossScale.winsorized(losses), power: power)
    #expect(isAscending(values))
    #expect(values[0] < values[3])
    #expect(values.reduce(0, +).magnitude < 1e-12)
    #expect((values.reduce(0) { $0 + $1 * $1 } / 10 - 1).magnitude < 1e-12)
  }

  @Test func hugeLossesDoNotHideTheDifferencesOfOthers() {
    let values = LossScale.standardized(
      LossScale.winsorized([1, 1.1, 1.2, 1.3, 1.4, 1.5, 1e308]), power: 1)
    #expect(values[5] - values[0] > 0.5)
    #expect(values.allSatisfy { $0.isFinite })
  }

  @Test func equalLossesAreNothing() {
    #expect(LossScale.standardized(LossScale.winsorized([2, 2, 2]), power: 1) == [0, 0, 0])
    #expect(LossScale.standardized(LossScale.winsorized([2, 2, 2]), power: 0.5) == [0, 0, 0])
    #expect(LossScale.winsorized([1e308, -1e308, 0]).allSatisfy { $0.isFinite })
  }

  @Test func slopesAreThoseOfTheTransform() {
    // The likelihood of values under a transform must not depend on which of two equal ways it is computed.
    let values = LossScale.winsorized([0.1, 0.4, 0.9, 1.4, 3, 5])
    let step = 1e-6
    for power in [1, 0.4, -0.5] {
      let transform = PowerTransform.yeoJohnson(power)
      let scaled = LossScale.standardized(values, power: power)
      let mapped = values.map(transform.apply)
      // Deviation of the transformed values, from two of them.
      let deviation = (mapped[5] - mapped[0]) / (scaled[5] - scaled[0])
      var sum = 0.0
      for value in values {
        let slope = (transform.apply(value + step) - transform.apply(value - step)) / (2 * step)
        sum += Elementary.log(slope / deviation)
      }
      #expect((LossScale.logSlopes(values, power: power) - sum).magnitude < 1e-5)
    }
  }

  @Test func violationsKeepTheirSign() {
    let values = LossScale.violations([-1e308, -2, -0.5, 0, 0.25, 3, 1e308, .nan])
    #expect(values[0] < values[1] && values[1] < values[2])
    #expect(values[3] == 0)
    #expect(values[4] > 0 && values[5] > values[4])
    #expect(values[6] == values[7])
    #expect(values.allSatisfy { $0.magnitude <= 6 })
  }
}
