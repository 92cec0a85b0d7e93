// The method for who does not want to choose one.

public import MartletModel

/// Chooses among the methods by the problem: the types and number of its parameters, its objectives, and how many trials
/// there will be. Names, bounds and seeds decide nothing.
///
/// `AutoSchedule` says which method serves which trials; this sampler hands every question on to the one whose turn it is.
/// One that takes over learns from all trials before it.
public struct AutoSampler: Sampler {
  public static let method = "auto"
  private let problem: SearchProblem
  private let schedule: AutoSchedule
  private var stage = 0
  /// Those that take turns in the present stage.
  private var samplers: [any Sampler]

  public init(_ problem: SearchProblem) throws(SearchError) {
    try OptionReader(problem.options, of: Self.method).finish()
    self.problem = problem
    schedule = try AutoSchedule(problem).keepingWhatServes(problem)
    samplers = try Self.samplers(schedule.stages[0], problem)
  }

  private static func samplers(
    _ stage: AutoSchedule.Stage, _ problem: SearchProblem
  ) throws(SearchError) -> [any Sampler] {
    var samplers: [any Sampler] = []
    for method in stage.methods { samplers.append(try samplerType(of: method).init(problem)) }
    return samplers
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    // Trials of elsewhere that were learnt count too: what serves is a matter of how many are known.
    let due = max(stage, schedule.stage(of: max(trial, history.observations.count)))
    // Every stage was begun once in `init`: none of them throws.
    if due != stage, let next = try? begin(due, states: nil, history) {
      samplers = next
      stage = due
    }
    let turn = schedule.stages[stage].turn(of: trial)
    return samplers[turn].ask(history, trial: trial, attempt: attempt)
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    for turn in samplers.indices { samplers[turn].tell(observation, history) }
  }

  public var state: JSONValue { ["stage": JSONValue(stage), "samplers": .array(samplers.map(\.state))] }

  public mutating func restore(_ state: JSONValue, _ history: History) throws(SearchError) {
    let saved = state.isNull ? 0 : state["stage"]?.int.map(Int.init)
    guard let saved, schedule.stages.indices.contains(saved) else {
      throw .unusableState(method: Self.method, reason: "it has no 'stage' of this search")
    }
    samplers = try begin(saved, states: state["samplers"]?.array, history)
    stage = saved
  }

  /// - Parameter states: nil: as they are at a beginning.
  private func begin(
    _ stage: Int, states: [JSONValue]?, _ history: History
  ) throws(SearchError) -> [any Sampler] {
    var samplers = try Self.samplers(schedule.stages[stage], problem)
    if let states, states.count != samplers.count {
      throw .unusableState(method: Self.method, reason: "its methods are others")
    }
    for turn in samplers.indices {
      try samplers[turn].restore(states?[turn] ?? samplers[turn].state, history)
    }
    return samplers
  }
}
