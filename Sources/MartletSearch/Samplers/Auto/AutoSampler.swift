// The method for who does not want to choose one.

public import MartletModel
import OrderedCollections

/// Chooses among the methods by the problem: the types and number of its parameters, its objectives, and how many trials
/// there will be. Names, bounds and seeds decide nothing.
///
/// `AutoSchedule` says which method serves which trials; this sampler hands every question on to the one whose turn it is.
/// One that takes over learns from all trials before it.
///
/// Options: `startup`, that of the methods which have it (2...1000; usually their own).
public struct AutoSampler: Sampler {
  public static let method = "auto"
  private let problem: SearchProblem
  private let schedule: AutoSchedule
  private var stage = 0
  private var sampler: any Sampler

  public init(_ problem: SearchProblem) throws(SearchError) {
    self.problem = problem
    schedule = try AutoSchedule(problem).keepingWhatServes(problem)
    sampler = try Self.sampler(of: schedule.stages[0].method, for: problem)
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    // Trials of elsewhere that were learnt count too: what serves is a matter of how many are known.
    let due = max(stage, schedule.stage(of: max(trial, history.observations.count)))
    // Every stage was begun once in `init`: none of them throws.
    if due != stage, let next = try? begin(due, state: nil, history) {
      sampler = next
      stage = due
    }
    return sampler.ask(history, trial: trial, attempt: attempt)
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    sampler.tell(observation, history)
  }

  public var state: JSONValue { ["stage": JSONValue(stage), "sampler": sampler.state] }

  public mutating func restore(_ state: JSONValue, _ history: History) throws(SearchError) {
    let saved = state.isNull ? 0 : state["stage"]?.int.map(Int.init)
    guard let saved, schedule.stages.indices.contains(saved) else {
      throw .unusableState(method: Self.method, reason: "it has no 'stage' of this search")
    }
    sampler = try begin(saved, state: state["sampler"], history)
    stage = saved
  }

  /// A method with those of the options that are its own.
  ///
  /// - Throws: what is wrong with the options of this method, or what the other one says to the problem.
  static func sampler(of method: String, for problem: SearchProblem) throws(SearchError) -> any Sampler {
    var reader = OptionReader(problem.options, of: Self.method)
    // What is usual is for each to know.
    let startup = try reader.int("startup", default: 0, in: 2...1000)
    try reader.finish()
    var own = problem
    own.options = startup > 0 && methodsThatStartUp.contains(method) ? ["startup": JSONValue(startup)] : [:]
    return try samplerType(of: method).init(own)
  }

  private static let methodsThatStartUp: Set = [GPSampler.method, TPESampler.method, CMAESSampler.method]

  /// - Parameter state: nil: as it is at a beginning.
  private func begin(_ stage: Int, state: JSONValue?, _ history: History) throws(SearchError) -> any Sampler {
    var sampler = try Self.sampler(of: schedule.stages[stage].method, for: problem)
    try sampler.restore(state ?? sampler.state, history)
    return sampler
  }
}
