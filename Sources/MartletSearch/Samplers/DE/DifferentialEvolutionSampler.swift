// Differential evolution with success-history parameters.

import MartletModel
import OrderedCollections

/// Differential evolution, current-to-pbest/1 with an archive, parameters learnt from what succeeded, and a population
/// that shrinks towards the end of the budget.
///
/// Tanabe, Fukunaga: Improving the Search Performance of SHADE Using Linear Population Size Reduction (2014). Each
/// trial challenges one member and takes its place if it is at least as good; its note says which member, and with
/// which parameters. Results may come in any order and any number may be pending: members are replaced in the order of
/// the trials' numbers. Categories are taken over from the better points, or swapped where two differ.
///
/// Options: `population` (the first one, 4...10000; usually 18 trials an axis, but at most a twelfth of the budget
/// and at least 10), `shrink` (whether it shrinks, for which the budget must be known), `greed` (p: the share of the
/// best that lead, 0.01...1), `memory` (H: how many parameter pairs are remembered, 1...1000), `archive` (how many
/// beaten members are kept, as a multiple of the population, 0...10).
/// The defaults of `population` and `greed` did best of a few (a fifth and a twelfth of the budget, 10; 0.2, 0.3) on the
/// public problems of the search benchmark.
public struct DifferentialEvolutionSampler: Sampler {
  public static let method = "de"

  private let rules: DifferentialRules
  private var fold: HistoryFold<SuccessHistory>

  public init(_ problem: SearchProblem) throws(SearchError) {
    try problem.requireOneObjective(for: Self.method)
    var options = OptionReader(problem.options, of: Self.method)
    let wide = 18 * max(problem.cube.axes.count, 1)
    let usual = min(max(problem.budget.map { min(wide, $0 / 12) } ?? wide, 10), 200)
    let size = try options.int("population", default: usual, in: 4...10_000)
    let shrink = try options.bool("shrink", default: true)
    let greed = try options.double("greed", default: 0.3, in: 0.01...1)
    let memorySize = try options.int("memory", default: 6, in: 1...1000)
    let archiveShare = try options.double("archive", default: 1, in: 0...10)
    try options.finish()
    rules = DifferentialRules(
      problem: problem, size: size, shrink: shrink, greed: greed, archiveShare: archiveShare)
    fold = HistoryFold(SuccessHistory(memory: memorySize), every: size)
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    let state = fold.state(after: history) { [rules] state, place in rules.step(&state, place, history) }
    var generator = rules.problem.generator(trial: trial, attempt: attempt)
    guard history.count >= rules.size, state.members.count >= 4 else {
      return .point(rules.problem.cube.draw(using: &generator))
    }
    let slot = Int(generator.below(UInt64(state.members.count)))
    let (scale, rate) = state.parameters(&generator)
    let child = rules.mutant(state, slot, scale, rate, history, &generator)
    let note: JSONValue = ["de": [.int(Int64(state.members[slot].trial)), .double(scale), .double(rate)]]
    return .point(child, note: note)
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    fold.forget(from: history.place(of: observation.trial))
  }
}
