// No search: only the points that were given by hand.

import MartletModel

/// Nothing beyond the points to try first: a list of experiments.
public struct PointsSampler: Sampler {
  public static let method = "points"

  public init(_ problem: SearchProblem) throws(SearchError) {
    try OptionReader(problem.options, of: Self.method).finish()
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    .exhausted("All points of the list have been tried.")
  }
}
