// Minimisers and power transforms.

import Testing

@testable import MartletSearch

@Suite struct MinimizerTests {
  private func rosenbrock(_ x: [Double], _ gradient: inout [Double]) -> Double {
    for index in gradient.indices { gradient[index] = 0 }
    var sum = 0.0
    for i in 0..<x.count - 1 {
      let bend = x[i + 1] - x[i] * x[i]
      sum += 100 * bend * bend + (1 - x[i]) * (1 - x[i])
      gradient[i] += -400 * x[i] * bend - 2 * (1 - x[i])
      gradient[i + 1] += 200 * bend
    }
    return sum
  }

  @Test func findsTheValleysEnd() {
    var count = 0
    let found = BoundedMinimizer(iterations: 200, gradientTolerance: 1e-8, valueTolerance: 0).minimize(
      from: [-1.2, 1, -0.5, 0.8], lower: Array(repeating: -2, count: 4), upper: Array(repeating: 2, count: 4)
    ) {
      count += 1
      return rosenbrock($0, &$1)
    }
    #expect(found.value < 1e-12)
    #expect(found.point.allSatisfy { ($0 - 1).magnitude < 1e-5 })
    #expect(count < 200)
  }

  @Test func staysInTheBox() {
    // With x ≤ 0.5 the lowest point is (0.5, 0.25).
    let found = BoundedMinimizer(gradientTolerance: 1e-8, valueTolerance: 0).minimize(
      from: [-1, 0.9], lower: [-2, -2], upper: [0.5, 2]
    ) { point, gradient in
      #expect(point[0] <= 0.5)
      return rosenbrock(point, &gradient)
    }
    #expect((found.point[0] - 0.5).magnitude < 1e-9)
    #expect((found.point[1] - 0.25).magnitude < 1e-6)
  }

  @Test func survivesWhereNothingIsDefined() {
    // Infinite left of 0.25; the way down leads there.
    let found = BoundedMinimizer().minimize(from: [0.9], lower: [0], upper: [1]) { point, gradient in
      gradient[0] = 2 * point[0]
      return point[0] < 0.25 ? .infinity : point[0] * point[0]
    }
    #expect(found.point[0] >= 0.25)
    #expect(found.value < 0.5)
  }

  @Test func brentFindsAMinimumInside() {
    let found = BrentMinimizer.minimum(in: -1...4, tolerance: 1e-9) { ($0 - 1.3) * ($0 - 1.3) - 2 }
    #expect((found - 1.3).magnitude < 1e-7)
    #expect(BrentMinimizer.minimum(in: 0...1, tolerance: 1e-9) { $0 } < 1e-7)
  }

  @Test func powersAreThoseOfSciPy() throws {
    let positive = try #require(PowerTransform.fitted(GaussianProcessReference.skewed, isPositive: true))
    let signed = try #require(PowerTransform.fitted(GaussianProcessReference.signed))
    guard case .boxCox(let boxCox) = positive, case .yeoJohnson(let yeoJohnson) = signed else {
      Issue.record("another transform than asked for")
      return
    }
    #expect((boxCox - GaussianProcessReference.boxCox).magnitude < 1e-4)
    #expect((yeoJohnson - GaussianProcessReference.yeoJohnson).magnitude < 1e-4)
    #expect((PowerTransform.yeoJohnson(0.5).apply(3) - 2).magnitude < 1e-14)
    #expect((PowerTransform.yeoJohnson(1).apply(-7) + 7).magnitude < 1e-13)
    #expect(PowerTransform.fitted([1, 1, 1]) == nil)
    #expect(PowerTransform.fitted([-1, 1], isPositive: true) == nil)
  }
}
