// Mixture densities: against SciPy, and that they are densities.

import Foundation
import MartletModel
import Testing

@testable import MartletSearch

@Suite struct ParzenMixtureTests {
  private func axis(_ values: [Double], _ width: Double, _ axis: Int, _ cube: UnitCube) -> ParzenAxis {
    if case .categorical = cube.axes[axis].kind {
      return ParzenAxis(categories: values, smoothing: width, of: axis, in: cube)
    }
    return ParzenAxis(values: values, width: width, of: axis, in: cube)
  }

  private func mixture(
    _ cube: UnitCube, _ trials: [[Double]], weights: [Double], widths: [Double]
  ) -> ParzenMixture {
    let axes = widths.indices.map { place in axis(trials.map { $0[place] }, widths[place], place, cube) }
    return ParzenMixture(weights: weights, prior: 1, axes: axes, cube: cube)
  }

  /// Tests/Fixtures/search/parzen.py made the numbers.
  @Test func densitiesAreThoseOfSciPy() throws {
    let cube = UnitCube(
      try Space([
        Parameter("x", .real(.uniform(min: 0, max: 1))), Parameter("n", .integers(min: 1, max: 8)),
        Parameter("c", .categorical(["p", "q", "r"])),
      ]))
    var mixture = mixture(
      cube, [[0.2, 0.5625, 0], [0.95, 0.0625, 1]], weights: [1, 0.5], widths: [0.1, 0.05, 0.3])
    let references: [([Double], Double)] = [
      ([0.25, 0.4375, 0], -1.9778845724720298), ([0, 0.9375, 2], -4.0943445619499812),
      ([0.999, 0.0625, 1], -0.30292729120555056),
    ]
    for (point, expected) in references {
      #expect((mixture.logDensity(at: point) - expected).magnitude < 1e-11)
      // Rows that are kept give the same.
      #expect(mixture.logDensity(at: point) == mixture.logDensity(at: point))
    }
  }

  /// Two branches, one with a continuous, one with an ordered parameter, and trials on both.
  @Test func integratesToOneOverAllBranches() throws {
    let cube = UnitCube(
      try Space([
        Parameter("branch", .categorical(["a", "b"], probabilities: [0.7, 0.3])),
        Parameter("x", .real(.uniform(min: 0, max: 1)), when: .isOne(of: ["a"], "branch")),
        Parameter("n", .integers(min: 1, max: 5), when: .isOne(of: ["b"], "branch")),
      ]))
    let trials: [[Double]] = [[0, 0.02, .nan], [0, 0.6, .nan], [1, .nan, 0.9], [1, .nan, 0.1]]
    var mixture = mixture(cube, trials, weights: [1, 1, 0.5, 2], widths: [0.25, 0.08, 0.3])
    var total = 0.0
    let steps = 4000
    for step in 0..<steps {
      let point = [0, (Double(step) + 0.5) / Double(steps), .nan]
      total += exp(mixture.logDensity(at: point)) / Double(steps)
    }
    for value in cube.values(on: 2, atMost: 5) ?? [] {
      total += exp(mixture.logDensity(at: [1, .nan, value]))
    }
    #expect((total - 1).magnitude < 1e-6)
  }

  @Test func drawsHaveTheDensity() throws {
    let cube = UnitCube(
      try Space([
        Parameter("n", .integers(min: 1, max: 6)), Parameter("c", .categorical(["p", "q"])),
      ]))
    var mixture = mixture(cube, [[0.25, 0], [0.9, 1]], weights: [2, 1], widths: [0.1, 0.4])
    var generator = Xoshiro256(seed: 1)
    var counts: [[Double]: Double] = [:]
    let draws = 20_000
    for _ in 0..<draws { counts[mixture.draw(using: &generator), default: 0] += 1 }
    for n in cube.values(on: 0, atMost: 6) ?? [] {
      for c in [0.0, 1] {
        let share = exp(mixture.logDensity(at: [n, c]))
        let error = (share * (1 - share) / Double(draws)).squareRoot()
        #expect(((counts[[n, c]] ?? 0) / Double(draws) - share).magnitude < 5 * error)
      }
    }
  }

  /// A kernel far from everything is still a number, not the logarithm of nothing.
  @Test func remoteStepsStayFinite() throws {
    let cube = UnitCube(try Space([Parameter("n", .integers(min: 1, max: 1000))]))
    var axis = axis([0.0005], 1e-3, 0, cube)
    var terms = [0.0, 0.0]
    axis.add(to: &terms, at: 0.9995, in: cube)
    #expect(terms[0] < -600 && terms[0].isFinite)
    #expect((terms[1] - log(0.001)).magnitude < 1e-12)
  }
}
