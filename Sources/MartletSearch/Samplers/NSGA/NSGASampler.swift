// NSGA-II and NSGA-III, for several objectives or one.

import MartletModel

/// NSGA-II: parents by rank and by how much room they have on their front.
///
/// Deb, Pratap, Agarwal, Meyarivan: A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II (2002). Every
/// `population` finished trials, in the order of their numbers, are a generation; between two generations the results
/// there are compete already, so that any number may be pending and results may come in any order.
///
/// Options: `population` (4...10000; 20 for budgets up to 200, else 50) and those of `Variation`.
public struct NSGA2Sampler: Sampler {
  public static let method = "nsga2"
  private var engine: NSGAEngine

  public init(_ problem: SearchProblem) throws(SearchError) {
    var options = OptionReader(problem.options, of: Self.method)
    engine = try NSGAEngine(problem, &options, selection: .crowding)
    try options.finish()
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    engine.ask(history, trial: trial, attempt: attempt)
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    engine.forget(from: history.place(of: observation.trial))
  }
}

/// NSGA-III: like NSGA-II, but spread along directions that are given beforehand; for three objectives and more.
///
/// Deb, Jain: An Evolutionary Many-Objective Optimization Algorithm Using Reference-Point-Based Nondominated Sorting
/// Approach, part I (2014).
///
/// Options: those of `nsga2`, and `divisions` (how many steps each objective's axis has, 1...100; usually as many as
/// give about as many directions as the population has members).
public struct NSGA3Sampler: Sampler {
  public static let method = "nsga3"
  private var engine: NSGAEngine

  public init(_ problem: SearchProblem) throws(SearchError) {
    var options = OptionReader(problem.options, of: Self.method)
    let size = try NSGAEngine.population(problem, &options)
    var usual = 1
    while ReferenceDirections.count(objectives: problem.objectiveCount, divisions: usual + 1) <= size,
      problem.objectiveCount > 1
    {
      usual += 1
    }
    let divisions = try options.int("divisions", default: usual, in: 1...100)
    guard ReferenceDirections.count(objectives: problem.objectiveCount, divisions: divisions) <= 100_000
    else {
      throw .invalidOption(
        method: Self.method, name: "divisions",
        message: "gives more than 100000 directions for so many objectives")
    }
    let directions = ReferenceDirections.all(objectives: problem.objectiveCount, divisions: divisions)
    engine = try NSGAEngine(problem, &options, selection: .directions(directions))
    try options.finish()
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    engine.ask(history, trial: trial, attempt: attempt)
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    engine.forget(from: history.place(of: observation.trial))
  }
}
