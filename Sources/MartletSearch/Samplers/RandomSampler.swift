// Random search: every parameter drawn on its own.

/// Points drawn from the prior, each parameter by its own distribution.
///
/// The n-th point is a function of the seed and n alone.
public struct RandomSampler: Sampler {
  public static let method = "random"
  private let problem: SearchProblem

  public init(_ problem: SearchProblem) throws(SearchError) {
    try OptionReader(problem.options, of: Self.method).finish()
    self.problem = problem
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    var generator = problem.generator(trial: trial, attempt: attempt)
    return .point(problem.cube.draw(using: &generator))
  }
}
