// What a sampler is asked to search.

public import MartletModel
public import OrderedCollections

/// A space, what is measured of its points, and hints about how the search will be run.
///
/// Every sampler minimises: whoever tells results turns the sign of what is to be maximised.
public struct SearchProblem: Hashable, Sendable {
  public var space: Space
  /// The parameters as coordinates.
  public var cube: UnitCube
  /// How many numbers a finished trial is judged by, 1 or more.
  public var objectiveCount: Int
  /// How many numbers must be 0 or less for a finished trial to be feasible.
  public var constraintCount: Int
  /// How many trials there will be; nil: nobody knows. A hint.
  public var budget: Int?
  /// How many trials will be pending at a time. A hint.
  public var parallelism: Int
  public var seed: UInt64
  /// The method's own settings, by name.
  public var options: JSONObject

  public init(
    space: Space, objectiveCount: Int = 1, constraintCount: Int = 0, budget: Int? = nil, parallelism: Int = 1,
    seed: UInt64, options: JSONObject = [:]
  ) {
    self.space = space
    cube = UnitCube(space)
    self.objectiveCount = objectiveCount
    self.constraintCount = constraintCount
    self.budget = budget
    self.parallelism = parallelism
    self.seed = seed
    self.options = options
  }

  /// The random numbers of one ask: a function of the seed, the trial's number and how often it was asked for, and of
  /// nothing that happened before, so that a search that was saved and restored draws the same.
  public func generator(trial: Int, attempt: Int = 0) -> Xoshiro256 {
    Xoshiro256(seed: seed, stream: UInt64(trial) &* 64 &+ UInt64(attempt))
  }

  /// For methods that know one direction of better.
  ///
  /// - Throws: `SearchError.unsupported` where there are several objectives.
  func requireOneObjective(for method: String) throws(SearchError) {
    guard objectiveCount > 1 else { return }
    throw .unsupported(
      method: method,
      reason: "it minimises one objective, and there are \(objectiveCount); use nsga2 for several")
  }
}
