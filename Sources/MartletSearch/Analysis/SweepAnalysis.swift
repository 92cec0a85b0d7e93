// What can be learned from the trials of a sweep: one face for the command line and the dashboard.

public import MartletModel
import OrderedCollections

/// The trials of a search, ready to be asked about.
///
/// Everything here is a function of the history alone. Values of metrics are as the sweep knows them (a maximised one is
/// turned back); everything answers as a value with a `json`.
public struct SweepAnalysis: Sendable {
  public let history: History
  public let objectives: [Objective]
  /// Of the forest's draws.
  let seed: UInt64
  /// The trials that were trained to their end and have losses, ascending by number, feasible or not.
  let completed: [Observation]
  /// Their coordinates, by axis.
  let columns: [[Double]]

  /// - Parameter objectives: what the losses stand for, in order; one at least.
  public init(_ history: History, objectives: [Objective], seed: UInt64 = 0) {
    self.history = history
    self.objectives = objectives
    self.seed = seed
    completed = history.observations.filter { $0.state == .complete && $0.losses.count == objectives.count }
    columns = history.cube.axes.indices.map { axis in
      history.observations.indices.lazy
        .filter { [observations = history.observations] place in
          observations[place].state == .complete && observations[place].losses.count == objectives.count
        }
        .map { history.columns[axis][$0] }
    }
  }

  /// The names of the parameters that are searched, in the order of the file.
  public var parameters: [String] { history.cube.axes.indices.map { history.cube.parameter(of: $0).name } }

  /// The metric's value that a loss stands for.
  func value(_ loss: Double, _ objective: Int) -> Double {
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
