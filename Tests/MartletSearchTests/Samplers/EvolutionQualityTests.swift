// That methods of generations and local moves find minima, with generous bounds.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@Suite struct EvolutionQualityTests {
  /// The bound is what random search reaches with about 20,000 points.
  @Test(arguments: ["cmaes", "de", "ga", "nsga2", "anneal", "tabu"])
  func sphere(method: String) throws {
    var wins = 0
    for seed in UInt64(1)...3 {
      var run = try SearchRun(method, Fixtures.reals(4), budget: 400, seed: seed)
      try run.minimize(400, Fixtures.sphere)
      if run.best < 0.003 { wins += 1 }
    }
    #expect(wins >= 2)
  }

  /// A bent valley, which only adapted steps follow.
  @Test(arguments: [("cmaes", 1e-3), ("de", 1.0)]) func rosenbrock(method: String, bound: Double) throws {
    var run = try SearchRun(method, Fixtures.reals(3), budget: 1500, seed: 2)
    try run.minimize(1500, Fixtures.rosenbrock)
    #expect(run.best < bound)
  }

  @Test(arguments: EvolutionConformanceTests.all.filter { $0 != "pbt" })
  func mixedSpaces(method: String) throws {
    var run = try SearchRun(method, Fixtures.mixed(), budget: 300, seed: 3)
    try run.minimize(300, pending: 4, Fixtures.mixedLoss)
    // The smallest possible is about 0.01, for the steps of `q`; category b needs `depth`.
    #expect(run.best < 0.3)
  }

  /// Losses count by their order alone.
  @Test(arguments: ["cmaes", "ga", "tabu"]) func onlyTheOrderOfLossesMatters(method: String) throws {
    var plain = try SearchRun(method, Fixtures.reals(3), budget: 80, seed: 4)
    var bent = plain
    try plain.minimize(80, Fixtures.sphere)
    try bent.minimize(80) { coordinates in
      let loss = Fixtures.sphere(coordinates)
      return 1e12 * loss * loss * loss - 7
    }
    #expect(plain.told.map(\.suggestion) == bent.told.map(\.suggestion))
  }

  /// What NSGA-II finds on ZDT1 dominates much more than as many points at random.
  @Test(arguments: ["nsga2", "nsga3"]) func fronts(method: String) throws {
    func losses(_ x: [Double]) -> [Double] {
      let g = 1 + 9 * x.dropFirst().reduce(0, +) / Double(x.count - 1)
      return [x[0], g * (1 - (x[0] / g).squareRoot())]
    }
    func volume(_ method: String) throws -> Double {
      var run = try SearchRun(method, Fixtures.reals(6), objectives: 2, budget: 400, seed: 5)
      try run.go(400, pending: 3) { (losses($0.coordinates), []) }
      var area = 0.0
      var height = 5.0
      for point in run.told.map(\.losses).sorted(by: { $0[0] < $1[0] }) where point[1] < height {
        area += (1 - point[0]) * (height - point[1])
        height = point[1]
      }
      return area
    }
    let random = try volume("random")
    // 4.67 is possible.
    #expect(try volume(method) > max(random + 0.4, 3.8))
  }
}
