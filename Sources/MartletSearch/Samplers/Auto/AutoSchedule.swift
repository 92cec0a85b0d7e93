// Which method serves which trials of a search, by the rules of `auto`.

/// Methods one after the other.
struct AutoSchedule: Hashable, Sendable {
  struct Stage: Hashable, Sendable {
    var method: String
    /// Another method that has a share of the trials; nil: none.
    var helper: String?
    /// Every how manieth trial is the helper's.
    var period = 4
    /// Trials from this number on, or with as many known, are no longer its own; nil: all that come.
    var end: Int?

    /// All that take turns.
    var methods: [String] { [method] + (helper.map { [$0] } ?? []) }

    /// The place in `methods` of the one that serves a trial. The first ones spread evenly by the method itself.
    func turn(of trial: Int) -> Int {
      helper != nil && trial >= 10 && trial % period == period - 1 ? 1 : 0
    }
  }

  /// At least one; only the last one has no end.
  var stages: [Stage]

  /// The place of the stage that serves a trial of this number.
  func stage(of trial: Int) -> Int {
    stages.firstIndex { $0.end.map { trial < $0 } ?? true } ?? stages.count - 1
  }

  /// The rules.
  ///
  /// A Gaussian process makes the most of few trials; every fourth one is a Parzen estimator's, which looks elsewhere when
  /// the process is content with what it has. Later the estimator goes on alone, for it is as fast with thousands of
  /// trials. Where there will be many trials of numbers alone, an evolution strategy overtakes both; it begins where they
  /// have found a region.
  init(_ problem: SearchProblem) {
    let axes = problem.cube.axes
    let categorical = axes.count { if case .categorical = $0.kind { true } else { false } }
    let isNumbers = categorical == 0 && !problem.cube.isConditional
    if problem.objectiveCount > 1 {
      let model = problem.objectiveCount <= 3 ? Stage(method: "gp", helper: "tpe", end: 200) : nil
      stages = [model, Stage(method: "tpe", end: 1000), Stage(method: "nsga2", end: nil)].compactMap(\.self)
      return
    }
    guard isNumbers, let budget = problem.budget, budget > max(1000, 250 * axes.count) else {
      stages = [Stage(method: "gp", helper: "tpe", end: 500), Stage(method: "tpe", end: nil)]
      return
    }
    stages = [
      Stage(method: "gp", helper: "tpe", end: min(budget / 10, 200)), Stage(method: "cmaes", end: nil),
    ]
  }

  /// Without the methods that cannot search such a problem; random search where none can.
  ///
  /// - Throws: what is wrong with the problem itself.
  func keepingWhatServes(_ problem: SearchProblem) throws(SearchError) -> AutoSchedule {
    var kept = self
    kept.stages = []
    for var stage in stages {
      var able: [String] = []
      for method in stage.methods {
        do {
          _ = try samplerType(of: method).init(problem)
          able.append(method)
        } catch .unsupported {
          continue
        }
      }
      guard let method = able.first else { continue }
      stage.method = method
      stage.helper = able.count > 1 ? able[1] : nil
      kept.stages.append(stage)
    }
    if kept.stages.isEmpty { kept.stages = [Stage(method: RandomSampler.method, end: nil)] }
    kept.stages[kept.stages.count - 1].end = nil
    return kept
  }
}
