// The tree-structured Parzen estimator.

public import MartletModel

public struct TPESampler: Sampler {
  public static let method = "tpe"

  private let problem: SearchProblem
  private let settings: TPESettings
  private var records: TPERecords
  private var model: (trial: Int, TPEModel)?

  public init(_ problem: SearchProblem) throws(SearchError) {
    self.problem = problem
    settings = try TPESettings(problem)
    records = TPERecords(History(cube: problem.cube))
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    var generator = problem.generator(trial: trial, attempt: attempt)
    if records.keys.count != history.observations.count { records = TPERecords(history) }
    guard records.usableCount >= settings.startup else {
      if settings.startupKind == "lhs", attempt == 0 { return .point(hypercube(trial, &generator)) }
      return .point(problem.cube.draw(using: &generator))
    }
    var current: TPEModel
    if let model, model.trial == trial, attempt > 0 {
      current = model.1
    } else {
      current = TPEModel(records, history, settings, problem)
    }
    let point = current.best(history, settings, &generator)
    model = (trial, current)
    return .point(point)
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    if records.keys.count == history.observations.count - 1 {
      records.add(observation)
    } else {
      records = TPERecords(history)
    }
  }

  public mutating func restore(_ state: JSONValue, _ history: History) throws(SearchError) {
    records = TPERecords(history)
  }

  /// One of `startup` points that together hold every axis' ranges once (a Latin hypercube).
  private func hypercube(_ trial: Int, _ generator: inout Xoshiro256) -> [Double] {
    let count = settings.startup
    let block = trial / count
    var order = Xoshiro256(seed: problem.seed, stream: UInt64.max - UInt64(block))
    let raw = problem.cube.axes.indices.map { axis -> Double in
      var ranges = Array(0..<count)
      for place in ranges.indices.reversed() {
        ranges.swapAt(place, Int(order.below(UInt64(place + 1))))
      }
      let unit = (Double(ranges[trial % count]) + generator.unit()) / Double(count)
      guard case .categorical(let values) = problem.cube.axes[axis].kind else { return unit }
      guard let probabilities = problem.cube.axes[axis].probabilities else {
        return min((unit * Double(values)).rounded(.down), Double(values - 1))
      }
      return Double(Domain.index(probabilities, at: unit))
    }
    return problem.cube.canonical(raw)
  }
}
