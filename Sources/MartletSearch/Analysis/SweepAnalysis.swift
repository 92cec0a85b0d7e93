// What can be learned from the trials of a sweep: one face for the command line and the dashboard.

public import MartletModel
import OrderedCollections

/// The trials of a search, ready to be asked about.
///
/// Everything here is a function of the trials alone. Values of metrics are as the sweep knows them (a maximised one is
/// turned back); everything answers as a value with a `json`.
///
/// How the search went is told of all trials; what is said of parameters, of those that lie in the space.
public struct SweepAnalysis: Sendable {
  public let history: History
  public let objectives: [Objective]
  /// Of the forest's draws.
  let seed: UInt64
  /// All trials that ended, ascending by number.
  public let ended: [Observation]
  /// How many of them do not lie in the space.
  public let outside: Int
  /// Of all that ended those that were trained to their end and have losses, feasible or not.
  public let finished: [Observation]
  /// Of these those that lie in the space.
  public let completed: [Observation]
  /// Their coordinates, by axis.
  let columns: [[Double]]

  /// - Parameters:
  ///   - others: trials that ended and do not lie in the history's space; they have no coordinates.
  ///   - objectives: what the losses stand for, in order; one at least.
  public init(
    _ history: History, others: [Observation] = [], objectives: [Objective], seed: UInt64 = 0
  ) {
    self.history = history
    self.objectives = objectives
    self.seed = seed
    outside = others.count
    let inside = Array(history.observations)
    ended = others.isEmpty ? inside : (inside + others).sorted { $0.trial < $1.trial }
    func isFinished(_ trial: Observation) -> Bool {
      trial.state == .complete && trial.losses.count == objectives.count
    }
    finished = ended.filter(isFinished)
    let places = inside.indices.filter { isFinished(inside[$0]) }
    completed = places.map { inside[$0] }
    columns = history.columns.map { column in places.map { column[$0] } }
  }

  /// The names of the parameters that are searched, in the order of the file.
  public var parameters: [String] { history.cube.axes.indices.map { history.cube.parameter(of: $0).name } }

  /// The metric's value that a loss stands for.
  public func value(_ loss: Double, _ objective: Int) -> Double {
    objectives[objective].goal == .maximize ? -loss : loss
  }

  func axis(named name: String) -> Int? {
    history.cube.axes.indices.first { history.cube.parameter(of: $0).name == name }
  }

  /// What a forest learned of one objective; nil when there is too little to learn from.
  ///
  /// Takes about a second for 10,000 trials: to be kept by who asks for several things.
  public func response(objective: Int = 0) -> ResponseModel? {
    guard objectives.indices.contains(objective) else { return nil }
    return ResponseModel(
      cube: history.cube, columns: columns, target: completed.map { $0.losses[objective] }, seed: seed)
  }
}

/// One axis as a chart needs it.
public struct AnalysisAxis: Hashable, Sendable {
  public var name: String
  /// `number` or `category`.
  public var isCategorical: Bool
  /// Whether equal distances are equal ratios.
  public var isLogarithmic: Bool
  /// Of a categorical or ordinal parameter all values, in order.
  public var values: [JSONValue]

  init(_ parameter: Parameter) {
    name = parameter.name
    (isCategorical, isLogarithmic, values) = (false, false, [])
    switch parameter.domain {
    case .categorical(let choices, _): (isCategorical, values) = (true, choices)
    case .ordinal(let choices): (isCategorical, values) = (true, choices)
    case .integers(_, _, _, let scale): isLogarithmic = scale == .logarithmic
    case .real(let distribution, _):
      switch distribution {
      case .logUniform, .logUniformValues, .invLogUniform, .invLogUniformValues, .logNormal:
        isLogarithmic = true
      case .uniform, .normal, .beta: break
      }
    case .constant: break
    }
  }

  public var json: JSONValue {
    [
      "name": .string(name), "kind": isCategorical ? "category" : "number",
      "scale": isLogarithmic ? "log" : "linear", "values": .array(values),
    ]
  }
}
