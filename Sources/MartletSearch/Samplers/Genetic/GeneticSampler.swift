// A genetic algorithm for one objective.

import MartletModel

/// A genetic algorithm: tournaments among the present population, crossover, mutation, and a few of the best that stay
/// for ever.
///
/// Every `population` finished trials, in the order of their numbers, are a generation: the best of it and of those
/// before make the next population, so that results may come in any order and nothing waits for anything.
///
/// Options: `population` (4...10000; 20 for budgets up to 200, else 50), `tournament` (how many compete to be a parent,
/// 1...100), `elite` (how many of all generations stay in the population, 0...`population`), `tabu` (a child must
/// differ from so many of the latest trials by more than a hundredth of the range on some axis, 0...1000), and those of
/// `Variation`.
public struct GeneticSampler: Sampler {
  public static let method = "ga"

  private let rules: GeneticRules
  private var fold: HistoryFold<GeneticRules.Generation>

  public init(_ problem: SearchProblem) throws(SearchError) {
    try problem.requireOneObjective(for: Self.method)
    var options = OptionReader(problem.options, of: Self.method)
    let size = try options.int("population", default: (problem.budget ?? 0) > 200 ? 50 : 20, in: 4...10_000)
    let tournament = try options.int("tournament", default: 3, in: 1...100)
    let elite = try options.int("elite", default: size / 2, in: 0...size)
    let tabu = try options.int("tabu", default: 0, in: 0...1000)
    let variation = try Variation(problem.cube, &options, crossover: .blx, mutation: .polynomial)
    try options.finish()
    rules = GeneticRules(
      problem: problem, variation: variation, size: size, tournament: tournament, elite: elite, tabu: tabu)
    fold = HistoryFold(GeneticRules.Generation(), every: size)
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    let generation = fold.state(after: history) { [rules] generation, place in
      rules.step(&generation, place, history)
    }
    var generator = rules.problem.generator(trial: trial, attempt: attempt)
    return .point(rules.point(generation, history, using: &generator))
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    fold.forget(from: history.place(of: observation.trial))
  }
}

/// How a generation becomes the next.
private struct GeneticRules: Sendable {
  let problem: SearchProblem
  let variation: Variation
  let size: Int
  let tournament: Int
  let elite: Int
  let tabu: Int

  /// Places in the history.
  struct Generation: Sendable {
    /// The best first.
    var population: [Int] = []
    /// Those since the last generation was complete.
    var fresh: [Int] = []
  }

  func step(_ generation: inout Generation, _ place: Int, _ history: History) {
    generation.fresh.append(place)
    if generation.fresh.count == size { generation = next(generation, history) }
  }

  func point(
    _ generation: Generation, _ history: History, using generator: inout Xoshiro256
  ) -> [Double] {
    guard history.count >= size else { return problem.cube.draw(using: &generator) }
    let parents = next(generation, history).population
    guard !parents.isEmpty else { return problem.cube.draw(using: &generator) }
    var child: [Double] = []
    for _ in 0..<10 {
      let first = winner(parents.count, &generator)
      let second = winner(parents.count, &generator)
      child = variation.child(
        history.observations[parents[first]].coordinates, history.observations[parents[second]].coordinates,
        using: &generator)
      if !isTabu(child, history) { break }
    }
    return child
  }

  /// The elite of all so far, filled up with the best of the newest.
  private func next(_ generation: Generation, _ history: History) -> Generation {
    guard !generation.fresh.isEmpty else { return generation }
    let all = generation.population + generation.fresh
    let standings = all.map { Standing(history.observations[$0]) }
    let order = Standing.order(standings).filter { standings[$0] != .failed }
    let old = generation.population.count
    let kept = order.prefix(elite)
    // Newer ones come before what was only good once.
    let rest = order.dropFirst(elite)
    let filled = kept + rest.filter { $0 >= old } + rest.filter { $0 < old }
    let chosen = filled.prefix(size).sorted {
      (order.firstIndex(of: $0) ?? 0) < (order.firstIndex(of: $1) ?? 0)
    }
    return Generation(population: chosen.map { all[$0] })
  }

  /// The place in a population that is sorted best first.
  private func winner(_ count: Int, _ generator: inout Xoshiro256) -> Int {
    var best = count
    for _ in 0..<tournament { best = min(best, Int(generator.below(UInt64(count)))) }
    return best
  }

  private func isTabu(_ child: [Double], _ history: History) -> Bool {
    guard tabu > 0 else { return false }
    return history.observations.suffix(tabu).contains { observation in
      problem.cube.areAlike(child, observation.coordinates, within: 0.01)
    }
  }
}

extension UnitCube {
  /// Whether two points are active on the same axes and differ nowhere by more than `tolerance`; categories must be
  /// equal.
  func areAlike(_ a: [Double], _ b: [Double], within tolerance: Double) -> Bool {
    axes.indices.allSatisfy { axis in
      if a[axis].isNaN || b[axis].isNaN { return a[axis].isNaN && b[axis].isNaN }
      if case .categorical = axes[axis].kind { return a[axis] == b[axis] }
      return (a[axis] - b[axis]).magnitude <= tolerance
    }
  }
}
