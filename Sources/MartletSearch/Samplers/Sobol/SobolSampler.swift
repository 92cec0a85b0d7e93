// Sobol search: points that leave no large gaps, whatever was measured.

public import MartletModel

/// The points of a scrambled Sobol sequence, by the prior of each parameter.
///
/// Axes beyond `SobolSequence.largestDimension` are drawn at random.
public struct SobolSampler: Sampler {
  public static let method = "sobol"
  private let problem: SearchProblem
  private let sequence: SobolSequence
  /// The place of the next point in the sequence.
  private var next = 0

  public init(_ problem: SearchProblem) throws(SearchError) {
    try OptionReader(problem.options, of: Self.method).finish()
    self.problem = problem
    sequence = SobolSequence(dimension: problem.cube.axes.count, seed: problem.seed)
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    let shares = sequence.point(next)
    next += 1
    let cube = problem.cube
    var generator = problem.generator(trial: trial, attempt: attempt)
    return .point(
      cube.axes.indices.map { axis in
        axis < shares.count
          ? cube.coordinate(on: axis, at: shares[axis]) : cube.draw(axis: axis, using: &generator)
      })
  }

  public var state: JSONValue { ["next": JSONValue(next)] }

  public mutating func restore(_ state: JSONValue, _ history: History) throws(SearchError) {
    guard !state.isNull else { return }
    guard let place = state["next"]?.int, place >= 0 else {
      throw .unusableState(method: Self.method, reason: "it has no 'next'")
    }
    next = Int(place)
  }
}
