// Simulated annealing.

import MartletModel

/// Simulated annealing: a walk that always takes a better point and sometimes a worse one, ever more rarely.
///
/// Kirkpatrick, Gelatt, Vecchi: Optimization by Simulated Annealing (1983). How much worse a point is counts by how
/// much losses vary among those seen lately, so that the temperature has no unit. The moves shrink with the
/// temperature; an ordered axis moves by at least a step, a category to any other. After a while without a new best the
/// walk begins again at the best point, warmer. With several pending, all are moves from the present point; each is
/// taken or left in the order of the trials' numbers.
///
/// Options: `startup` (points from the prior before the walk, 1...10000), `hot` (the first temperature, 0.0001...100),
/// `cold` (the last one), `cooling` (the factor a trial; usually so that `cold` is reached at the end of the budget, or
/// 0.97), `restart` (trials without a new best before the walk begins again, 1...100000; usually 10 + 5 an axis).
public struct AnnealSampler: Sampler {
  public static let method = "anneal"

  private let schedule: AnnealSchedule
  private var fold: HistoryFold<AnnealSchedule.Walk>

  public init(_ problem: SearchProblem) throws(SearchError) {
    try problem.requireOneObjective(for: Self.method)
    var options = OptionReader(problem.options, of: Self.method)
    let startup = try options.int("startup", default: 10, in: 1...10_000)
    let hot = try options.double("hot", default: 1, in: 1e-4...100)
    let cold = try options.double("cold", default: min(0.01, hot), in: 1e-9...100)
    let trials = Double(max((problem.budget ?? 0) - startup, 0))
    let usual = trials > 1 ? min(max(Elementary.pow(cold / hot, 1 / trials), 0.5), 0.9999) : 0.97
    let cooling = try options.double("cooling", default: usual, in: 0.01...1)
    let patience = try options.int("restart", default: 10 + 5 * problem.cube.axes.count, in: 1...100_000)
    try options.finish()
    schedule = AnnealSchedule(
      problem: problem, startup: startup, hot: hot, cold: cold, cooling: cooling, patience: patience)
    fold = HistoryFold(AnnealSchedule.Walk(temperature: hot, heat: hot), every: 32)
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    let walk = fold.state(after: history) { [schedule] walk, place in schedule.step(&walk, place, history) }
    var generator = schedule.problem.generator(trial: trial, attempt: attempt)
    guard history.count >= schedule.startup, let current = walk.current else {
      return .point(schedule.problem.cube.draw(using: &generator))
    }
    let move = schedule.move(walk, attempt: attempt)
    return .point(move.neighbour(of: history.observations[current].coordinates, using: &generator))
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    fold.forget(from: history.place(of: observation.trial))
  }
}

/// How a walk cools, and what it accepts.
private struct AnnealSchedule: Sendable {
  let problem: SearchProblem
  let startup: Int
  let hot: Double
  let cold: Double
  let cooling: Double
  /// Trials without a new best before the walk begins again.
  let patience: Int

  struct Walk: Sendable {
    /// In the history.
    var current: Int?
    var best: Int?
    var temperature: Double
    /// Where the temperature begins after a restart.
    var heat: Double
    var steps = 0
    var idle = 0
    /// The mean difference of the losses of neighbours in the walk.
    var scale = 0.0
  }

  /// From 0.3 of each range down to 0.01 as it gets colder; a little wider after refused answers.
  func move(_ walk: Walk, attempt: Int) -> Move {
    let share = Elementary.pow(walk.temperature / hot, 0.25) * Elementary.pow(1.1, Double(attempt))
    return Move(
      cube: problem.cube, width: min(max(0.3 * share, 0.01), 0.5), axes: 1 + Int((2 * share).rounded()))
  }

  func step(_ walk: inout Walk, _ place: Int, _ history: History) {
    let standing = Standing(history.observations[place])
    func ended(at place: Int) -> Standing { Standing(history.observations[place]) }
    walk.steps += 1
    walk.idle += 1
    let isBest = standing != .failed && walk.best.map { standing.isBetter(than: ended(at: $0)) } ?? true
    if isBest, standing != .failed {
      walk.best = place
      walk.idle = 0
    }
    guard walk.steps > startup else {
      walk.current = walk.best
      return
    }
    walk.temperature = max(walk.temperature * cooling, cold)
    guard let current = walk.current else {
      if standing != .failed { walk.current = place }
      return
    }
    if isAccepted(&walk, standing, over: ended(at: current), history.observations[place].trial) {
      walk.current = place
    }
    if walk.idle >= patience, let best = walk.best {
      walk.idle = 0
      walk.heat = max(walk.heat / 2, cold)
      walk.temperature = max(walk.temperature, walk.heat)
      walk.current = best
    }
  }

  /// The rule of Metropolis, with the difference in units of the usual difference.
  private func isAccepted(_ walk: inout Walk, _ new: Standing, over old: Standing, _ trial: Int) -> Bool {
    let worse: Double
    switch (new, old) {
    case (.failed, _): return false
    case (.feasible(let new), .feasible(let old)): worse = new[0] / 2 - old[0] / 2
    case (.infeasible(let new, _), .infeasible(let old, _)): worse = new / 2 - old / 2
    case (_, _): return new.isBetter(than: old)
    }
    guard worse.isFinite else { return false }
    // Large differences are seen as no larger than ten usual ones, so that a single huge loss does not melt the rest.
    let size = walk.scale > 0 ? min(worse.magnitude, 10 * walk.scale) : worse.magnitude
    walk.scale = walk.scale > 0 ? 0.9 * walk.scale + 0.1 * size : size
    guard worse > 0 else { return true }
    var generator = problem.generator(trial: max(trial, 0), attempt: 63)
    return generator.unit() < Elementary.exp(-worse / (walk.scale * walk.temperature))
  }
}
