// CMA-ES: its constants, its margin, its generations.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

@Suite struct CMAESTests {
  /// The tutorial's default weights for n = 10, λ = 10 by its equations 49–58, computed by hand.
  @Test func constants() {
    let weights = CMAESWeights(dimension: 10, size: 10)
    #expect(weights.parents == 5)
    #expect((weights.weights[..<5].reduce(0, +) - 1).magnitude < 1e-15)
    #expect(weights.weights.dropFirst(5).allSatisfy { $0 < 0 })
    let expected = [0.45627264690340597, 0.2707530970017852, 0.16223111715866978, 0.08523354710016417]
    for (weight, number) in zip(weights.weights, expected) { #expect((weight - number).magnitude < 1e-12) }
    #expect((weights.effective - 3.1672992814).magnitude < 1e-9)
    #expect((weights.rankOne - 2 / (11.3 * 11.3 + weights.effective)).magnitude < 1e-15)
    #expect(CMAESWeights.usualSize(dimension: 10) == 10)
    // Equal results share their weights.
    let shared = weights.shared(
      [.feasible([1]), .feasible([2]), .feasible([2])] + Array(repeating: .failed, count: 7))
    #expect(shared[1] == shared[2])
    #expect(Set(shared.dropFirst(3)).count == 1)
  }

  /// However narrow the distribution, the values next to the likeliest one are drawn now and then.
  @Test func neighboursOfOrderedAxesStayInReach() throws {
    let space = try Space([
      Parameter("x", .real(.uniform(min: 0, max: 1))), Parameter("i", .integers(min: 0, max: 9)),
      Parameter("c", .categorical(["a", "b", "c", "d"], probabilities: [0.5, 0.25, 0.25, 0])),
    ])
    let layout = CMAESLayout(UnitCube(space))
    for mean in [0.02, 0.5, 0.55, 0.98] {
      var model = CMAESModel(
        layout: layout, size: 8, mean: [0.5, mean], deviations: [1e-6, 1e-6], sigma: 0.2)
      let likeliest = layout.cell(of: model.mean[1], on: 1)
      #expect(likeliest.contains(mean))
      for _ in 0..<50 {
        let sample = CMAESSample(numbers: model.mean, choices: [0])
        model.learn(Array(repeating: sample, count: 8), weights: model.constants.weights)
      }
      var generator = Xoshiro256(seed: 3)
      var others = 0
      var categories: Set<Int> = []
      for _ in 0..<2000 {
        let drawn = model.draw(using: &generator)
        if !likeliest.contains(drawn.numbers[1]) { others += 1 }
        categories.insert(drawn.choices[0])
      }
      // The margin of two discrete axes is 0.146.
      #expect((150...600).contains(others))
      // Never the one that is impossible.
      #expect(categories == [0, 1, 2])
    }
  }

  /// The note beside a generation's first trial says what ended the one before.
  @Test func generationsCanBeReadFromTheNotes() throws {
    var run = try SearchRun("cmaes", Fixtures.reals(3), seed: 2, options: ["population": 6, "startup": 6])
    try run.minimize(40, pending: 4, Fixtures.sphere)
    let notes = run.search.history.observations.map { CMAESNote($0.note) }
    #expect(notes.prefix(6).allSatisfy { $0 == nil })
    let generations = notes.compactMap { $0?.generation }
    #expect(generations == generations.sorted())
    #expect((generations.last ?? 0) >= 4)
    let used = notes.compactMap { $0?.used }.dropFirst().flatMap { $0 }
    // No result counts twice.
    #expect(Set(used).count == used.count)
  }

  @Test(arguments: ["ipop", "bipop"]) func itBeginsAgainWhenItHasConverged(restarts: String) throws {
    // Two minima; the deeper one is narrow.
    func loss(_ x: [Double]) -> Double {
      let wide = (x[0] - 0.2) * (x[0] - 0.2) + (x[1] - 0.2) * (x[1] - 0.2)
      let narrow = 4 * ((x[0] - 0.8) * (x[0] - 0.8) + (x[1] - 0.8) * (x[1] - 0.8)) - 0.1
      return min(wide, narrow)
    }
    var found = 0
    for seed in UInt64(1)...4 {
      var run = try SearchRun(
        "cmaes", Fixtures.reals(2), seed: seed, options: ["restarts": .string(restarts)])
      try run.minimize(900, loss)
      if run.best < -0.099 { found += 1 }
    }
    #expect(found == 4)
  }
}
