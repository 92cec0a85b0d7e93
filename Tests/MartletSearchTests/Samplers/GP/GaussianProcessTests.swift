// The Gaussian process against NumPy, finite differences and itself.

import MartletModel
import Testing

@testable import MartletSearch

@Suite struct GaussianProcessTests {
  private typealias Reference = GaussianProcessReference

  /// Two numbers and a category with three values.
  private func mixedCube() throws -> UnitCube {
    UnitCube(
      try Space([
        Parameter("x", .real(.uniform(min: 0, max: 1))), Parameter("y", .real(.uniform(min: 0, max: 1))),
        Parameter("c", .categorical(["a", "b", "c"])),
      ]))
  }

  private func referenceParameters() -> KernelParameters {
    var parameters = KernelParameters(axes: 3)
    parameters.logWeights = Reference.weights.map(Elementary.log)
    parameters.logScale = Elementary.log(Reference.scale)
    parameters.logNoise = Elementary.log(Reference.noise)
    return parameters
  }

  private func referenceProcess(pending: [[Double]] = [], ways: [[Double]] = []) throws -> GaussianProcess {
    try #require(
      GaussianProcess(
        features: KernelFeatures(mixedCube()), parameters: referenceParameters(), points: Reference.points,
        values: Reference.values, pending: pending, ways: ways))
  }

  @Test func posteriorIsThatOfNumPy() throws {
    let process = try referenceProcess()
    var scratch = GaussianProcess.Scratch(process)
    let many = process.predict(columns: process.features.columns(Reference.asked))
    for (index, point) in Reference.asked.enumerated() {
      let one = process.predict(point, &scratch)
      #expect((one[0].mean - Reference.means[index]).magnitude < 1e-11)
      #expect((one.variance - Reference.variances[index]).magnitude < 1e-11)
      #expect((many[index][0].mean - one[0].mean).magnitude < 1e-12)
      #expect((many[index].variance - one.variance).magnitude < 1e-12)
    }
  }

  @Test func likelihoodIsThatOfSciPy() throws {
    let features = KernelFeatures(try mixedCube())
    let likelihood = MarginalLikelihood(
      features: features, columns: features.columns(Reference.points), values: Reference.values, prior: .unit)
    var gradient = Array(repeating: 0.0, count: 5)
    let value = likelihood.evaluate(referenceParameters().vector, &gradient)
    var ignored = gradient
    let penalty = KernelPrior.unit.penalty(referenceParameters(), &ignored)
    #expect((value - penalty - Reference.negativeLogLikelihood).magnitude < 1e-10)
  }

  @Test(arguments: KernelPrior.allCases) func gradientOfTheLikelihood(prior: KernelPrior) throws {
    let features = KernelFeatures(try mixedCube())
    let likelihood = MarginalLikelihood(
      features: features, columns: features.columns(Reference.points), values: Reference.values, prior: prior)
    let vector = referenceParameters().vector
    var gradient = vector
    _ = likelihood.evaluate(vector, &gradient)
    for index in vector.indices {
      var ignored = vector
      var (above, below) = (vector, vector)
      above[index] += 1e-5
      below[index] -= 1e-5
      let slope = (likelihood.evaluate(above, &ignored) - likelihood.evaluate(below, &ignored)) / 2e-5
      #expect((gradient[index] - slope).magnitude < 1e-6 * max(1, slope.magnitude))
    }
  }

  @Test func pendingPointsKeepTheMeanAndLowerTheVariance() throws {
    let alone = try referenceProcess()
    let believing = try referenceProcess(pending: [Reference.asked[0]])
    var scratch = GaussianProcess.Scratch(alone)
    var believingScratch = GaussianProcess.Scratch(believing)
    for point in Reference.asked {
      let before = alone.predict(point, &scratch)
      let after = believing.predict(point, &believingScratch)
      #expect((before[0].mean - after[0].mean).magnitude < 1e-12)
      #expect(after.variance < before.variance)
    }
    let there = believing.predict(Reference.asked[0], &believingScratch)
    #expect(there.variance < Reference.noise)
  }

  @Test func aWayInWhichPendingPointsComeOutIsAModelThatSawThem() throws {
    let pending = [Reference.asked[0], Reference.asked[1]]
    let ways = [[0.0, 0], [1.3, -0.4], [-1.3, 0.4]]
    let thinking = try referenceProcess(pending: pending, ways: ways)
    let believing = try referenceProcess(pending: pending)
    var (thought, believed) = (GaussianProcess.Scratch(thinking), GaussianProcess.Scratch(believing))
    for (way, deviations) in ways.enumerated() {
      // What was measured is what the function is there and the noise on it.
      let seen = pending.indices.map { place in
        let row = Reference.values.count + place
        return thinking.means[way][row] + Reference.noise * thinking.alphas[way][row]
      }
      let known = try #require(
        GaussianProcess(
          features: KernelFeatures(mixedCube()), parameters: referenceParameters(),
          points: Reference.points + pending, values: Reference.values + seen))
      var scratch = GaussianProcess.Scratch(known)
      for point in Reference.asked {
        let (one, other) = (thinking.predict(point, &thought), known.predict(point, &scratch))
        #expect((one[way].mean - other[0].mean).magnitude < 1e-10)
        #expect((one.variance - other.variance).magnitude < 1e-10)
      }
      // The first is so many deviations from what was expected of it, noise included.
      var alone = GaussianProcess.Scratch(try referenceProcess())
      let before = try referenceProcess().predict(pending[0], &alone)
      let deviation = (before.variance + Reference.noise).squareRoot()
      #expect((seen[0] - before[0].mean - deviations[0] * deviation).magnitude < 1e-10)
    }
    for point in Reference.asked {
      let (one, other) = (thinking.predict(point, &thought), believing.predict(point, &believed))
      #expect((one[0].mean - other[0].mean).magnitude < 1e-12)
      #expect(((one[1].mean + one[2].mean) / 2 - other[0].mean).magnitude < 1e-10)
    }
  }

  @Test func gradientOfEveryAcquisition() throws {
    let process = try referenceProcess(pending: [Reference.asked[1]])
    let thinking = try referenceProcess(pending: [Reference.asked[1]], ways: [[0.7], [-0.7], [1.9]])
    let boxes = BoxDecomposition(front: [[-0.5, 0.4], [0.1, -0.3]], reference: [1.5, 1.5])
    let cubes = BoxDecomposition(
      front: [[-0.5, 0.4, 0.2], [0.1, -0.3, 0.4], [0.3, 0.3, -0.5]], reference: [1.5, 1.5, 1.5])
    let acquisitions = [
      Acquisition(goals: [.improvement(over: -0.4)], lossCount: 1),
      Acquisition(goals: [.improvement(over: -6)], lossCount: 1),
      Acquisition(goals: [.feasibility], lossCount: 1),
      Acquisition(goals: [.hypervolume(boxes)], lossCount: 2),
      Acquisition(goals: [.hypervolume(cubes)], lossCount: 3),
      Acquisition(goals: [-0.4, -0.9, 0.3].map { .improvement(over: $0) }, lossCount: 1),
      Acquisition(goals: [.hypervolume(boxes), .improvement(over: -1), .hypervolume(boxes)], lossCount: 2),
    ]
    for acquisition in acquisitions {
      let process = acquisition.goals.count > 1 ? thinking : process
      // A constraint beside the losses, all by the same model.
      let count = acquisition.lossCount + 1
      func value(_ point: [Double]) -> Double {
        var scratch = GaussianProcess.Scratch(process)
        let prediction = process.predict(point, &scratch)
        return acquisition.value(Array(repeating: prediction, count: count))
      }
      let point = [0.31, 0.62, 1.0]
      var scratch = GaussianProcess.Scratch(process)
      let prediction = process.predict(point, &scratch)
      var gradient = [0.0, 0, 0]
      for slope in acquisition.slopes(Array(repeating: prediction, count: count)) {
        var own = GaussianProcess.Scratch(process)
        _ = process.predict(point, &own)
        process.addGradient(point, slope, &own, to: &gradient)
      }
      for axis in 0..<2 {
        var (above, below) = (point, point)
        above[axis] += 1e-5
        below[axis] -= 1e-5
        let slope = (value(above) - value(below)) / 2e-5
        #expect((gradient[axis] - slope).magnitude < 1e-6 * max(1, slope.magnitude))
      }
    }
  }

  @Test func inactiveAxesAreAlikeAndUnlikeActiveOnes() throws {
    let cube = UnitCube(
      try Space([
        Parameter("kind", .categorical(["a", "b"])),
        Parameter("x", .real(.uniform(min: 0, max: 1)), when: .isOne(of: ["a"], "kind")),
      ]))
    let features = KernelFeatures(cube)
    #expect(features.row([1, .nan]) == features.row([1, .nan]))
    let kernel = Kernel(features, KernelParameters(axes: 2))
    func distance(_ a: [Double], _ b: [Double]) -> Double {
      var result = 0.0
      kernel.squaredDistances(
        features.columns([a]), to: { features.value(of: $0, b) }, count: 1, into: &result)
      return result
    }
    #expect(distance([1, .nan], [1, .nan]) == 0)
    #expect(distance([0, 0.5], [1, .nan]) == 1 + KernelFeatures.activity * KernelFeatures.activity)
    #expect((distance([0, 0.2], [0, 0.6]) - 0.16).magnitude < 1e-15)
  }
}
