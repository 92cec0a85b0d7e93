// Importances: those of functions whose shares are known, and those Optuna finds.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

/// Points that need no random numbers: coordinate j of point i is the fraction of (i + 1) √prime(j).
private func spread(_ point: Int, _ axis: Int) -> Double {
  let place = Double(point + 1) * Double([2, 3, 5, 7, 11, 13][axis]).squareRoot()
  return place - place.rounded(.down)
}

private func analysis(
  _ space: Space, trials: Int, goal: Objective.Goal = .minimize, loss: ([Double]) -> Double
) -> SweepAnalysis {
  var history = History(cube: UnitCube(space))
  for trial in 0..<trials {
    let raw = history.cube.axes.indices.map { axis -> Double in
      guard case .categorical(let count) = history.cube.axes[axis].kind else { return spread(trial, axis) }
      return (spread(trial, axis) * Double(count)).rounded(.down)
    }
    let coordinates = history.cube.canonical(raw)
    history.end(
      Observation(trial: trial, coordinates: coordinates, state: .complete, losses: [loss(coordinates)]))
  }
  return SweepAnalysis(history, objectives: [Objective(metric: "loss", goal: goal)])
}

private let unit = Domain.real(.uniform(min: 0, max: 1))

@Suite struct ImportanceTests {
  /// Of 4a + 12cd the variances are 16/12, 36/12 for c and for d, and 1 for both together.
  @Test func sharesOfAKnownFunction() throws {
    let space = try Space(["a", "b", "c", "d", "e"].map { Parameter($0, unit) })
    let analysis = analysis(space, trials: 800) { 4 * $0[0] + 12 * $0[2] * $0[3] }
    let model = try #require(analysis.response())
    let effects = model.mainEffects
    let whole = 16.0 / 12 + 72.0 / 12 + 1
    for (effect, expected) in zip(effects, [16 / 12 / whole, 0, 3 / whole, 3 / whole, 0]) {
      #expect(abs(effect - expected) < 0.05, "\(effects)")
    }
    let pairs = analysis.interactions(model, among: 5)
    let first = try #require(pairs.first)
    #expect(first.first == "c" && first.second == "d")
    #expect(abs(first.variance - 1 / whole) < 0.04, "\(first)")
    #expect(pairs.dropFirst().allSatisfy { $0.variance < 0.02 })
    #expect(Set(analysis.importances(model).prefix(2).map(\.name)) == ["c", "d"])
    // The mean over the others is the line itself, 4a + 3.
    let slice = try #require(analysis.slice("a", model: model))
    for mean in slice.means {
      let a = try #require(mean.value.double)
      #expect(abs(mean.metric - (4 * a + 3)) < 0.5)
    }
    let contour = try #require(analysis.contour(x: "c", y: "d", model: model))
    #expect(contour.surface.count == 64 && contour.surface.allSatisfy { $0.count == 64 })
    for (row, column) in [(2, 2), (2, 61), (61, 61), (30, 40)] {
      let (c, d) = ((Double(column) + 0.5) / 64, (Double(row) + 0.5) / 64)
      #expect(abs(contour.surface[row][column] - (2 + 12 * c * d)) < 1)
    }
  }

  /// Numbers of Tests/Fixtures/search/importance.py.
  @Test func agreesWithOptuna() throws {
    let space = try Space([
      Parameter("u", unit), Parameter("v", unit), Parameter("w", unit),
      Parameter("k", .integers(min: 1, max: 8)), Parameter("c", .categorical(["a", "b", "c", "d"])),
    ])
    let offsets = [0.0, 1.5, 0.3, 0.8]
    let analysis = analysis(space, trials: 400) { point in
      let k = 1 + (point[3] * 8).rounded(.down)
      return 4 * (point[0] - 0.3) * (point[0] - 0.3) + 6 * (point[1] - 0.5) * (point[2] - 0.5) + 0.1 * k
        + offsets[Int(point[4])]
    }
    let model = try #require(analysis.response())
    let rows = analysis.importances(model)
    func column(_ value: (ParameterImportance) -> Double) -> [Double] {
      ["u", "v", "w", "k", "c"].map { name in rows.first { $0.name == name }.map(value) ?? .nan }
    }
    for (own, theirs) in zip(column(\.variance), [0.3140, 0.0065, 0.0121, 0.0324, 0.3385]) {
      #expect(abs(own - theirs) < 0.05, "variance \(column(\.variance))")
    }
    for (own, theirs) in zip(column(\.impurity), [0.4106, 0.0825, 0.1135, 0.0661, 0.3274]) {
      #expect(abs(own - theirs) < 0.05, "impurity \(column(\.impurity))")
    }
    // Optuna smooths categories so strongly that only numbers can be compared with each other.
    let (own, theirs) = (column(\.amongTheBest), [0.3985, 0.0084, 0.0276, 0.3268])
    for axis in theirs.indices {
      let share = own[axis] / own.prefix(4).reduce(0, +)
      #expect(abs(share - theirs[axis] / theirs.reduce(0, +)) < 0.02, "best \(own)")
    }
    #expect(own[4] > 0.2387)
    #expect(abs(column(\.impurity).reduce(0, +) - 1) < 1e-9)
    #expect(abs(column(\.amongTheBest).reduce(0, +) - 1) < 1e-9)
  }

  /// Two parameters of equal effect, each in its own branch, and a choice between branches that are equally good.
  @Test func conditionalParametersAreJudgedInTheirBranches() throws {
    let space = try Space([
      Parameter("kind", .categorical(["x", "y", "z"])),
      Parameter("x", unit, when: .isOne(of: ["x"], "kind")),
      Parameter("y", unit, when: .isOne(of: ["y"], "kind")),
    ])
    let analysis = analysis(space, trials: 600) { point in
      [point[1], point[2], 0.5][Int(point[0])]
    }
    let model = try #require(analysis.response())
    let effects = model.mainEffects
    #expect(effects[0] < 0.05, "\(effects)")
    #expect(abs(effects[1] - effects[2]) < 0.08, "\(effects)")
    #expect(effects[1] > 0.35 && effects[2] > 0.35, "\(effects)")
    let slice = try #require(analysis.slice("x"))
    #expect(abs(slice.rows.count - 200) < 3)
    #expect(analysis.importances(model).first { $0.name == "x" }?.trials == slice.rows.count)
  }

  @Test func aFewTrialsThatDivergedAreNotAllOfTheVariance() throws {
    let space = try Space(["a", "b"].map { Parameter($0, unit) })
    let analysis = analysis(space, trials: 300) { point in
      point[1] > 0.99 ? 1e308 : 3 * point[0] + 0.3 * point[1]
    }
    let model = try #require(analysis.response())
    let effects = model.mainEffects
    #expect(effects.allSatisfy { $0.isFinite && $0 >= 0 && $0 <= 1 })
    #expect(effects[0] > 0.1, "\(effects)")
  }

  @Test func thereMustBeSomethingToLearnFrom() throws {
    let space = try Space([Parameter("a", unit)])
    #expect(analysis(space, trials: 3) { $0[0] }.response() == nil)
    #expect(analysis(space, trials: 50) { _ in 1 }.response() == nil)
    #expect(analysis(space, trials: 50) { $0[0] }.response(objective: 1) == nil)
  }

  /// The same history gives the same numbers, to the last bit.
  @Test func aModelIsAFunctionOfTheHistory() throws {
    let space = try Space(["a", "b", "c"].map { Parameter($0, unit) })
    let analysis = analysis(space, trials: 200) { $0[0] * $0[1] }
    let (first, second) = (try #require(analysis.response()), try #require(analysis.response()))
    #expect(first.mainEffects == second.mainEffects)
    #expect(first.means(along: 0, 1) == second.means(along: 0, 1))
  }
}
