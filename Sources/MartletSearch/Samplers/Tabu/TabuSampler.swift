// Tabu search.

import MartletModel

/// Tabu search: the best of the neighbours of where it is, whether better or not, but not back on an axis that was
/// changed lately.
///
/// Glover: Tabu Search, part I (1989), and for numbers Hvattum, Glover: Finding Local Optima of High-Dimensional
/// Functions Using Direct Search Methods (2009). A neighbour differs on one axis: a step or about a fifth of the range
/// (less and less while no move is better, then more again), or another category. As many neighbours as two an axis are
/// tried, then the best that is not tabu is taken; at once one that is better, or better than all before, tabu or not.
/// Without a new best for a while it begins again at a point from the prior. Neighbours are counted in the order of the
/// trials' numbers, so that they may be pending together and end in any order.
///
/// Options: `startup` (points from the prior before it begins at the best of them, 1...10000), `neighbours` (1...10000;
/// usually 2 an axis, 16 at most), `tenure` (for how many moves an axis may not be changed back, 0...10000; usually 7 +
/// √axes, less than half of them), `step` (the share of the range, 0.0001...1), `restart` (moves without a new best,
/// 1...100000; usually 5 an axis).
/// The default of `step` did better than 0.1 on the public problems of the search benchmark.
public struct TabuSampler: Sampler {
  public static let method = "tabu"

  private let rules: TabuRules
  private var fold: HistoryFold<TabuRules.Walk>

  public init(_ problem: SearchProblem) throws(SearchError) {
    try problem.requireOneObjective(for: Self.method)
    let axes = problem.cube.axes.count
    var options = OptionReader(problem.options, of: Self.method)
    let startup = try options.int("startup", default: 10, in: 1...10_000)
    let neighbours = try options.int("neighbours", default: min(max(2 * axes, 2), 16), in: 1...10_000)
    let usual = min(7 + Int(Double(axes).squareRoot()), max((axes - 1) / 2, 0))
    let tenure = try options.int("tenure", default: usual, in: 0...10_000)
    let width = try options.double("step", default: 0.2, in: 1e-4...1)
    let patience = try options.int("restart", default: max(5 * axes, 5), in: 1...100_000)
    try options.finish()
    rules = TabuRules(
      problem: problem, startup: startup, neighbours: neighbours, tenure: tenure, width: width,
      patience: patience)
    fold = HistoryFold(TabuRules.Walk(forbidden: Array(repeating: 0, count: axes)), every: 32)
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    let walk = fold.state(after: history) { [rules] walk, place in rules.step(&walk, place, history) }
    var generator = rules.problem.generator(trial: trial, attempt: attempt)
    guard history.count >= rules.startup, let current = walk.current, !walk.isLost else {
      return .point(rules.problem.cube.draw(using: &generator))
    }
    // Steps of many sizes, from a third to three times the usual one, for nobody knows the scale of the minimum.
    let scale = Elementary.exp((2 * generator.unit() - 1) * 1.1) * (1 + Double(attempt) / 4)
    let move = Move(cube: rules.problem.cube, width: rules.width * walk.fineness * scale, axes: 1)
    let origin = history.observations[current]
    return .point(
      move.neighbour(of: origin.coordinates, using: &generator), note: ["tabu": .int(Int64(origin.trial))])
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    fold.forget(from: history.place(of: observation.trial))
  }
}

/// Which neighbour is gone to.
private struct TabuRules: Sendable {
  let problem: SearchProblem
  let startup: Int
  let neighbours: Int
  let tenure: Int
  /// The step as a share of the range.
  let width: Double
  /// Moves without a new best before it begins again.
  let patience: Int

  struct Walk: Sendable {
    /// In the history.
    var current: Int?
    /// The best there ever was.
    var best: Int?
    /// The neighbours of `current` that have ended.
    var tried: [Int] = []
    /// Until which move each axis must stay.
    var forbidden: [Int]
    var moves = 0
    /// Moves since the last new best.
    var idle = 0
    var seen = 0
    /// What the step is multiplied with.
    var fineness = 1.0
    /// The search begins anew at the next point from the prior.
    var isLost = false
  }

  func step(_ walk: inout Walk, _ place: Int, _ history: History) {
    let observation = history.observations[place]
    let standing = Standing(observation)
    func ended(at place: Int) -> Standing { Standing(history.observations[place]) }
    walk.seen += 1
    let isBest = standing != .failed && walk.best.map { standing.isBetter(than: ended(at: $0)) } ?? true
    if isBest, standing != .failed { walk.best = place }
    if walk.seen <= startup {
      walk.current = walk.best
      return
    }
    guard let current = walk.current else {
      if standing != .failed { walk.current = place }
      return
    }
    if walk.isLost {
      // The first that is nobody's neighbour is where it begins again.
      guard observation.note?["tabu"] == nil, standing != .failed else { return }
      begin(&walk, at: place)
      return
    }
    // Trials of elsewhere are nobody's neighbours.
    guard isBest || observation.note?["tabu"] != nil else { return }
    walk.tried.append(place)
    // What is better than all before is taken at once, tabu or not (aspiration), and so is what is better than where it
    // is; else all neighbours are waited for.
    if isBest, standing != .failed {
      take(&walk, place, history, isBetter: true)
      walk.idle = 0
    } else if standing.isBetter(than: ended(at: current)), !isTabu(walk, place, current, history) {
      take(&walk, place, history, isBetter: true)
      walk.idle += 1
    } else if walk.tried.count >= neighbours {
      let order = Standing.order(walk.tried.map { ended(at: $0) }).map { walk.tried[$0] }
      let free = order.first { place in
        ended(at: place) != .failed && !isTabu(walk, place, current, history)
      }
      walk.idle += 1
      if let free {
        take(&walk, free, history, isBetter: ended(at: free).isBetter(than: ended(at: current)))
      } else {
        walk.tried = []
        walk.fineness = finer(walk.fineness)
      }
    }
    if walk.idle >= patience {
      walk.isLost = true
      walk.tried = []
    }
  }

  private func begin(_ walk: inout Walk, at place: Int) {
    walk.current = place
    walk.isLost = false
    walk.idle = 0
    walk.fineness = 1
    walk.forbidden = walk.forbidden.map { _ in 0 }
  }

  /// Goes to a neighbour, and keeps the axes on which it differs as they are now for a while.
  private func take(_ walk: inout Walk, _ place: Int, _ history: History, isBetter: Bool) {
    if let current = walk.current {
      for axis in changed(current, place, history) { walk.forbidden[axis] = walk.moves + tenure }
    }
    walk.moves += 1
    walk.current = place
    walk.tried = []
    walk.fineness = isBetter ? min(walk.fineness * 1.5, 1) : finer(walk.fineness)
  }

  /// Half as large; after the finest steps wide ones again, which may lead out of where it is.
  private func finer(_ fineness: Double) -> Double { fineness > 0.1 ? fineness / 2 : 2 }

  private func isTabu(_ walk: Walk, _ place: Int, _ current: Int, _ history: History) -> Bool {
    changed(current, place, history).contains { walk.forbidden[$0] > walk.moves }
  }

  private func changed(_ one: Int, _ other: Int, _ history: History) -> [Int] {
    let a = history.observations[one].coordinates
    let b = history.observations[other].coordinates
    return a.indices.filter { a[$0] != b[$0] && !(a[$0].isNaN && b[$0].isNaN) }
  }
}
