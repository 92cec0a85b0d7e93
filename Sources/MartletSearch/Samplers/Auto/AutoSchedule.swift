// Which method serves which trials of a search, by the rules of `auto`.

/// Methods one after the other.
struct AutoSchedule: Hashable, Sendable {
  struct Stage: Hashable, Sendable {
    var method: String
    /// Trials from this number on, or with as many known, are no longer its own; nil: all that come.
    var end: Int?
  }

  /// At least one; only the last one has no end.
  var stages: [Stage]

  /// The place of the stage that serves a trial of this number.
  func stage(of trial: Int) -> Int {
    stages.firstIndex { $0.end.map { trial < $0 } ?? true } ?? stages.count - 1
  }

  /// The rules.
  ///
  /// A Gaussian process makes the most of few trials in every kind of space. Later a Parzen estimator goes on, for it is as
  /// fast with thousands of trials; where there will be many of numbers alone an evolution strategy, which begins where the
  /// process has found a region.
  ///
  /// On the public problems (20, ten seeds, score against random search) the process alone measured 77, 87 and 92 after
  /// 50, 100 and 200 trials, the estimator 58, 75 and 81, CMA-ES 35, 59 and 70. It was ahead of the estimator on the
  /// conditional ones too, and with categories alone. The ends, and what comes after them, are bounds of time rather than
  /// measured: an ask takes about 100 ms with 500 trials.
  init(_ problem: SearchProblem) {
    let axes = problem.cube.axes
    let categorical = axes.count { if case .categorical = $0.kind { true } else { false } }
    let isNumbers = categorical == 0 && !problem.cube.isConditional
    if problem.objectiveCount > 1 {
      let model = problem.objectiveCount <= 3 ? Stage(method: "gp", end: 200) : nil
      stages = [model, Stage(method: "tpe", end: 1000), Stage(method: "nsga2", end: nil)].compactMap(\.self)
      return
    }
    guard isNumbers, let budget = problem.budget, budget > max(1000, 250 * axes.count) else {
      stages = [Stage(method: "gp", end: 500), Stage(method: "tpe", end: nil)]
      return
    }
    stages = [Stage(method: "gp", end: min(budget / 10, 200)), Stage(method: "cmaes", end: nil)]
  }

  /// Without the methods that cannot search such a problem; random search where none can.
  ///
  /// - Throws: what is wrong with the problem itself.
  func keepingWhatServes(_ problem: SearchProblem) throws(SearchError) -> AutoSchedule {
    var kept = self
    kept.stages = []
    for stage in stages {
      do {
        _ = try AutoSampler.sampler(of: stage.method, for: problem)
        kept.stages.append(stage)
      } catch .unsupported {
        continue
      }
    }
    if kept.stages.isEmpty { kept.stages = [Stage(method: RandomSampler.method, end: nil)] }
    kept.stages[kept.stages.count - 1].end = nil
    return kept
  }
}
