// Boxes of what is not dominated, against brute force.

import Testing

@testable import MartletSearch

@Suite struct BoxDecompositionTests {
  private func front(_ count: Int, _ dimensions: Int, seed: UInt64) -> [[Double]] {
    var generator = Xoshiro256(seed: seed)
    let points = (0..<count).map { _ in (0..<dimensions).map { _ in generator.unit() } }
    return Pareto.front(points).map { points[$0] }
  }

  @Test(arguments: [2, 3]) func everyPlaceIsInOneBoxOrDominated(dimensions: Int) {
    var generator = Xoshiro256(seed: 11)
    for seed in 0..<5 as Range<UInt64> {
      let front = front(12, dimensions, seed: seed)
      let reference = Array(repeating: 0.9, count: dimensions)
      let boxes = BoxDecomposition(front: front, reference: reference).boxes
      for _ in 0..<200 {
        let place = (0..<dimensions).map { _ in 1.2 * generator.unit() - 0.1 }
        let isBeyond = zip(place, reference).contains { $0 >= $1 }
        let inside = front.filter { point in zip(point, reference).allSatisfy { $0 < $1 } }
        let isDominated = inside.contains { point in zip(point, place).allSatisfy { $0 <= $1 } }
        let holders = boxes.filter { box in
          place.indices.allSatisfy { box.lower[$0] <= place[$0] && place[$0] < box.upper[$0] }
        }
        #expect(holders.count == (isBeyond || isDominated ? 0 : 1))
      }
    }
  }

  @Test(arguments: [2, 3]) func expectedImprovementIsTheMeanOfManyDraws(dimensions: Int) {
    let front = front(10, dimensions, seed: 4)
    let reference = Array(repeating: 1.1, count: dimensions)
    let boxes = BoxDecomposition(front: front, reference: reference)
    let predictions = (0..<dimensions).map { Prediction(mean: 0.3 - 0.1 * Double($0), variance: 0.04) }
    var generator = Xoshiro256(seed: 9)
    var sum = 0.0
    let draws = 4000
    for _ in 0..<draws {
      let loss = predictions.map { $0.mean + $0.deviation * generator.normal() }
      sum += Hypervolume.improvement(loss, over: front, reference: reference) / Double(draws)
    }
    let expected = Elementary.exp(boxes.logImprovement(predictions))
    #expect((expected / sum - 1).magnitude < 0.06)
  }

  @Test func withoutDoubtItIsTheHypervolumeImprovement() {
    let front = front(10, 3, seed: 6)
    let reference = [1.1, 1.1, 1.1]
    let boxes = BoxDecomposition(front: front, reference: reference)
    for loss in [[0.05, 0.4, 0.3], [0.3, 0.02, 0.5], [0.1, 0.1, 0.1]] {
      let predictions = loss.map { Prediction(mean: $0, variance: 1e-16) }
      let exact = Hypervolume.improvement(loss, over: front, reference: reference)
      #expect((Elementary.exp(boxes.logImprovement(predictions)) - exact).magnitude < 1e-7)
    }
  }

  @Test func farFromAllHopeItStaysFinite() {
    let boxes = BoxDecomposition(front: [[0, 0]], reference: [1, 1])
    let predictions = [Prediction(mean: 40, variance: 0.01), Prediction(mean: 50, variance: 0.01)]
    #expect(boxes.logImprovement(predictions).isFinite)
    #expect(boxes.logImprovementSlopes(predictions).allSatisfy { $0.mean.isFinite && $0.variance.isFinite })
  }
}
