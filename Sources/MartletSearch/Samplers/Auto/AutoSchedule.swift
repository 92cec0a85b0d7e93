// Which method serves which trials of a search, by the rules of `auto`.

/// Methods one after the other.
struct AutoSchedule: Hashable, Sendable {
  struct Stage: Hashable, Sendable {
    var method: String
    /// Trials from this number on are no longer its own; nil: all that come.
    var end: Int?
  }

  /// At least one; only the last one has no end.
  var stages: [Stage]

  /// The place of the stage that serves a trial.
  func stage(of trial: Int) -> Int {
    stages.firstIndex { $0.end.map { trial < $0 } ?? true } ?? stages.count - 1
  }

  /// The rules.
  ///
  /// A Gaussian process makes the most of few trials, and needs distances: it begins wherever most parameters are
  /// numbers and none is conditional. Parzen estimators model branches and categories together. Where there are many trials
  /// of numbers alone, evolution strategies overtake models; they begin where the model has found a region.
  init(_ problem: SearchProblem) {
    let axes = problem.cube.axes
    let categorical = axes.count { if case .categorical = $0.kind { true } else { false } }
    let isConditional = problem.cube.isConditional
    let isMostlyNumbers = !isConditional && 2 * categorical <= axes.count
    let budget = problem.budget
    if problem.objectiveCount > 1 {
      let model = isMostlyNumbers && problem.objectiveCount <= 3 ? Stage(method: "gp", end: 200) : nil
      stages = [model, Stage(method: "tpe", end: 1000), Stage(method: "nsga2", end: nil)].compactMap(\.self)
      return
    }
    guard isMostlyNumbers else {
      stages = [Stage(method: "tpe", end: nil)]
      return
    }
    guard categorical == 0, let budget, budget > max(1000, 250 * axes.count) else {
      stages = [Stage(method: "gp", end: 500), Stage(method: "tpe", end: nil)]
      return
    }
    stages = [Stage(method: "gp", end: min(budget / 10, 200)), Stage(method: "cmaes", end: nil)]
  }

  /// Without the methods that are not there or cannot search such a problem; random search where none can.
  ///
  /// - Throws: what is wrong with the problem itself.
  func keepingWhatServes(_ problem: SearchProblem) throws(SearchError) -> AutoSchedule {
    var kept = self
    kept.stages = []
    for stage in stages {
      do {
        _ = try samplerType(of: stage.method).init(problem)
        kept.stages.append(stage)
      } catch .unsupported, .unknownMethod {
        continue
      }
    }
    if kept.stages.isEmpty { kept.stages = [Stage(method: RandomSampler.method, end: nil)] }
    kept.stages[kept.stages.count - 1].end = nil
    return kept
  }
}
