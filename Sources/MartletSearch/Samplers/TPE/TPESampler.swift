// The tree-structured Parzen estimator.

public import MartletModel

/// TPE: trials are split into good and bad ones, the density of each is estimated, and the next point is where the good
/// are most frequent beside the bad (Bergstra et al., 2011), with all parameters modelled together (Falkner et al.:
/// BOHB, 2018; Watanabe: Tree-Structured Parzen Estimator, 2023), also across the branches of a conditional space.
///
/// Takes every problem: several objectives, constraints, conditions. Pruned trials come after finished ones, failed
/// trials are bad ones like others. An ask takes time linear in the trials, and beyond `TPESplit.aboveLimit` of them
/// hardly more for more.
///
/// Options: `startup` (10: trials drawn from the prior at the beginning), `candidates` (24: points compared for an ask)
/// and `polish` (10: steps uphill from the best of them), `gamma` (0.1: the share of trials that are good; one more is)
/// and `good_limit` (25; several objectives: 50), `prior_weight` (1), `bandwidth` (1: multiplies the widths of kernels).
public struct TPESampler: Sampler {
  public static let method = "tpe"

  private let problem: SearchProblem
  private let settings: TPESettings
  private var records: TPERecords
  /// That of the ask before, for the case that its answer was refused.
  private var model: (trial: Int, model: TPEModel)?

  public init(_ problem: SearchProblem) throws(SearchError) {
    self.problem = problem
    let settings = try TPESettings(problem)
    self.settings = settings
    records = TPERecords(History(cube: problem.cube), limit: settings.goodLimit)
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    var generator = problem.generator(trial: trial, attempt: attempt)
    guard records.usableCount >= settings.startup else {
      return .point(problem.cube.draw(using: &generator))
    }
    if attempt == 0 || model?.trial != trial {
      model = (trial, TPEModel(records, history, settings, seed: problem.seed))
    }
    let point = model?.model.best(history, settings, using: &generator)
    return .point(point ?? problem.cube.draw(using: &generator))
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    model = nil
    records.add(observation)
  }

  public mutating func restore(_ state: JSONValue, _ history: History) throws(SearchError) {
    records = TPERecords(history, limit: settings.goodLimit)
  }
}
