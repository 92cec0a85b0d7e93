// The covariance matrix adaptation evolution strategy.

public import MartletModel
import OrderedCollections

/// CMA-ES over numbers, with a margin for ordered axes and probabilities for categories.
///
/// Begins in the weighted middle of the best of some points drawn from the prior, or of what was told before. Any number
/// of trials may be pending: a generation ends as soon as enough of its results are there, and late ones count in the
/// next. Each trial's note says which generation drew it, and that of a generation's first trial which results ended the
/// one before; so the whole chain of models can be computed again from the trials.
///
/// Options: `population` (λ, 4...10000; usually 4 + ⌊3 ln d⌋, at least as many as are pending), `sigma` (the first
/// standard deviation as a share of each range, 0.01...1), `startup` (points from the prior before it begins,
/// 0...10000), `restarts` (`none`, `ipop`, `bipop`), `tolerance` (it has converged when all standard deviations are
/// below this share of the range). The defaults of `sigma` and `startup` did best of a few (0.15, 0.2, 0.25; 5, 10, 16)
/// on the public problems of the search benchmark, on average over 50, 100 and 200 trials.
public struct CMAESSampler: Sampler {
  public static let method = "cmaes"

  private let problem: SearchProblem
  private let settings: CMAESSettings
  private let startup: Int
  /// As of the last generation whose first successor is under way; nil: not begun.
  private var settled: CMAESRun?
  /// A generation that ended at an ask whose answer may still have been refused.
  private var tentative: Opening?
  /// Finished trials no generation has used yet, ascending.
  private var ready: [Entry] = []

  private struct Opening: Sendable {
    var run: CMAESRun
    /// The trial whose note tells what `run` was made of.
    var trial: Int
    var used: [Int]
  }

  private struct Entry: Sendable {
    var trial: Int
    var note: CMAESNote
  }

  public init(_ problem: SearchProblem) throws(SearchError) {
    try problem.requireOneObjective(for: Self.method)
    let layout = CMAESLayout(problem.cube)
    var options = OptionReader(problem.options, of: Self.method)
    let usual = max(
      CMAESWeights.usualSize(dimension: max(problem.cube.axes.count, 1)), 4, problem.parallelism)
    settings = CMAESSettings(
      layout: layout, size: try options.int("population", default: usual, in: 4...10_000),
      sigma: try options.double("sigma", default: 0.2, in: 0.01...1),
      tolerance: try options.double("tolerance", default: 1e-5, in: 1e-12...0.1),
      restarts: try options.choice("restarts", default: CMAESRestarts.bipop), seed: problem.seed)
    startup = try options.int("startup", default: 16, in: 0...10_000)
    try options.finish()
    self.problem = problem
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    var generator = problem.generator(trial: trial, attempt: attempt)
    if settled == nil, tentative == nil, history.count < startup {
      return .point(problem.cube.draw(using: &generator))
    }
    let opening = advance(history, trial)
    guard let run = opening?.run ?? settled else { return .wait }
    let note = CMAESNote(
      generation: run.generation, attempt: attempt, used: opening?.trial == trial ? opening?.used : nil)
    return .point(settings.layout.coordinates(run.model.draw(using: &generator)), note: note.json)
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    guard let note = CMAESNote(observation.note) else { return }
    let place = ready.firstIndex { $0.trial > observation.trial } ?? ready.count
    ready.insert(Entry(trial: observation.trial, note: note), at: place)
  }

  /// Ends a generation when it can, for the ask of `trial`.
  private mutating func advance(_ history: History, _ trial: Int) -> Opening? {
    if let opening = tentative {
      if opening.trial == trial { return opening }
      tentative = nil
      // Nobody may ever see a generation whose first trial never began.
      if history.pending(opening.trial) != nil || history.observation(of: opening.trial) != nil {
        settle(opening.run, opening.used)
      }
    }
    if let run = settled {
      let usable = ready.filter { run.model(of: $0.note.generation) != nil }
      guard usable.count >= run.model.constants.size else { return nil }
      let used = usable.prefix(run.model.constants.size).map(\.trial)
      tentative = Opening(run: closed(run, used, history), trial: trial, used: used)
    } else {
      let used = beginnings(history)
      tentative = Opening(run: begun(used, history), trial: trial, used: used)
    }
    return tentative
  }

  private mutating func settle(_ run: CMAESRun, _ used: [Int]) {
    settled = run
    let used = Set(used)
    ready.removeAll { used.contains($0.trial) || run.model(of: $0.note.generation) == nil }
  }

  /// The best of what was found by others: a tenth, but at least 5 (or half) and at most 20, the best first.
  private func beginnings(_ history: History) -> [Int] {
    let found = history.observations.filter { $0.state == .complete && !$0.losses.isEmpty }
    let count = max(min((found.count + 9) / 10, 20), min((found.count + 1) / 2, 5))
    return Standing.order(found.map(Standing.init)).prefix(count).map { found[$0].trial }
  }

  private func begun(_ used: [Int], _ history: History) -> CMAESRun {
    CMAESRun(settings, found: used.compactMap { history.observation(of: $0)?.coordinates })
  }

  private func closed(_ run: CMAESRun, _ used: [Int], _ history: History) -> CMAESRun {
    let results = used.compactMap { trial -> CMAESResult? in
      guard let observation = history.observation(of: trial), let note = CMAESNote(observation.note),
        let model = run.model(of: note.generation)
      else {
        return nil
      }
      // What the model drew before it was rounded is not kept, for it can be drawn again.
      var generator = problem.generator(trial: trial, attempt: note.attempt)
      var sample = model.draw(using: &generator)
      let cube = problem.cube
      if cube.key(settings.layout.coordinates(sample)) != cube.key(observation.coordinates) {
        sample = settings.layout.sample(observation.coordinates, base: sample)
      }
      if note.generation != run.generation { sample.isForeign = true }
      return CMAESResult(sample: sample, standing: Standing(observation), attempt: note.attempt)
    }
    return run.closed(with: results)
  }

  public mutating func restore(_ state: JSONValue, _ history: History) throws(SearchError) {
    let ended = history.observations.compactMap { observation in
      CMAESNote(observation.note).map { Entry(trial: observation.trial, note: $0) }
    }
    let pending = history.pending.compactMap { trial in
      CMAESNote(trial.note).map { Entry(trial: trial.trial, note: $0) }
    }
    var spent: Set<Int> = []
    for entry in (ended + pending).sorted(by: { $0.trial < $1.trial }) {
      guard let used = entry.note.used else { continue }
      if let run = settled {
        settle(closed(run, used, history), [])
      } else {
        settle(begun(used, history), [])
      }
      spent.formUnion(used)
    }
    ready = ended.filter { entry in
      !spent.contains(entry.trial) && settled?.model(of: entry.note.generation) != nil
    }
  }
}

/// What CMA-ES writes beside a trial.
struct CMAESNote: Hashable, Sendable {
  var generation: Int
  var attempt: Int
  /// The trials that ended the generation before, beside the first of a generation.
  var used: [Int]?

  init(generation: Int, attempt: Int, used: [Int]?) {
    (self.generation, self.attempt, self.used) = (generation, attempt, used)
  }

  init?(_ json: JSONValue?) {
    guard let members = json?["cma"]?.array, members.count >= 2, let generation = members[0].int,
      let attempt = members[1].int
    else {
      return nil
    }
    self.generation = Int(generation)
    self.attempt = Int(attempt)
    used = members.count > 2 ? members[2].array?.compactMap { $0.int.map(Int.init) } : nil
  }

  /// `{"cma": [generation, attempt]}`, or with a list of numbers as third.
  var json: JSONValue {
    var members: [JSONValue] = [.int(Int64(generation)), .int(Int64(attempt))]
    if let used { members.append(.array(used.map { .int(Int64($0)) })) }
    return ["cma": .array(members)]
  }
}
