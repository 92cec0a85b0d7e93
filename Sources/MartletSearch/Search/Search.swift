// A search: a method with the history it learns from, and what holds for every method.

public import MartletModel

/// What to do next.
public enum SearchAnswer: Hashable, Sendable {
  case trial(Suggestion)
  /// Go on with a paused trial.
  case resume(trial: Int)
  /// Nothing until a pending trial ends.
  case wait
  /// There will never be another point; why, as a sentence.
  case exhausted(String)
}

/// A point to try.
public struct Suggestion: Hashable, Sendable {
  public var point: Point
  /// The point in the cube, canonical.
  public var coordinates: [Double]
  /// What the sampler wants back with the result.
  public var note: JSONValue?
  /// The trial whose checkpoint this one begins with.
  public var from: Int?
  /// Its place among the points that were given by hand: those to try first, then those enqueued. Nil: the method chose it.
  public var queued: Int?
  /// It is tried again, though it is known.
  public var isRepeat = false
}

/// A point given by hand.
private struct QueuedPoint: Hashable, Sendable {
  /// As it was given.
  var point: Point
  var coordinates: [Double]
  /// It is tried though it may be known.
  var isRepeat: Bool
}

/// One search over one space.
///
/// A value; what it answers is a function of the problem, the trials it was told of and `state`. No point is given
/// twice, neither to two workers at once nor later, as long as the space has others and nobody asks for it. When it has no others the search is
/// exhausted, or goes on with known points where `repeats` is set.
public struct Search: Sendable {
  public let method: String
  public let problem: SearchProblem
  public private(set) var history: History
  /// Whether a space without new points goes on giving known ones.
  public let repeats: Bool
  private var sampler: any Sampler
  /// Points to try before the sampler is asked; the first `queuePosition` were tried.
  private var queue: [QueuedPoint] = []
  private var queuePosition = 0
  /// How often a method may answer with a known point before its neighbours are looked at.
  static let attempts = 20

  /// A search at its beginning.
  ///
  /// - Parameters:
  ///   - first: points to try before the method is asked.
  ///   - repeats: whether a space without new points goes on giving known ones.
  /// - Throws: `SearchError` for a method nobody has, a problem it cannot search, wrong options, or a point that does
  ///   not lie in the space.
  public init(method: String, problem: SearchProblem, first: [Point] = [], repeats: Bool = false)
    throws(SearchError)
  {
    self.method = method
    self.repeats = repeats
    self.problem = problem
    history = History(cube: problem.cube)
    sampler = try samplerType(of: method).init(problem)
    for point in first { try enqueue(point) }
  }

  /// A point to try before the method is asked again, after those that wait already.
  ///
  /// - Parameter isRepeat: it is tried though it may be known; else a known one is passed over.
  /// - Throws: `SearchError.pointOutside` and `pointForbidden`.
  public mutating func enqueue(_ point: Point, isRepeat: Bool = false) throws(SearchError) {
    let coordinates = try coordinates(of: point)
    queue.append(
      QueuedPoint(
        point: problem.cube.point(like: point) ?? problem.cube.point(at: coordinates),
        coordinates: coordinates,
        isRepeat: isRepeat))
  }

  /// Whether `enqueue` takes a point.
  public func takes(_ point: Point) -> Bool { (try? coordinates(of: point)) != nil }

  private func coordinates(of point: Point) throws(SearchError) -> [Double] {
    guard let coordinates = problem.cube.coordinates(of: point) else { throw .pointOutside(point.flat) }
    if let objection = problem.space.objection(to: point) {
      throw .pointForbidden(point.flat, reason: objection)
    }
    return coordinates
  }

  /// How many points given by hand were not tried yet; those that were given last are the last to be tried.
  public var waitingCount: Int { queue.count - queuePosition }

  /// The point for trial number `trial`, 0 or more, which was never asked for before.
  public mutating func ask(trial: Int) -> SearchAnswer {
    while queuePosition < queue.count {
      queuePosition += 1
      let next = queue[queuePosition - 1]
      if next.isRepeat || !history.contains(next.coordinates) {
        return begin(
          trial, next.coordinates, point: next.point, queued: queuePosition - 1, isRepeat: next.isRepeat)
      }
    }
    if let cardinality = problem.space.cardinality, history.distinctCount >= cardinality {
      return exhausted(trial, "All \(cardinality) points of the space have been tried.")
    }
    guard !problem.cube.axes.isEmpty else {
      guard problem.cube.isAllowed([]) else {
        return .exhausted("The only point of the space breaks its rules.")
      }
      return begin(trial, [])
    }
    var last: (coordinates: [Double], note: JSONValue?)?
    for attempt in 0..<Self.attempts {
      switch sampler.ask(history, trial: trial, attempt: attempt) {
      case .point(let raw, let note, let from):
        let coordinates = problem.cube.canonical(raw)
        // What goes on from another trial's checkpoint is another trial even at the same point.
        if from != nil || !history.contains(coordinates), problem.cube.isAllowed(coordinates) {
          return begin(trial, coordinates, note: note, from: from)
        }
        last = (coordinates, note)
      case .resume(let other): return .resume(trial: other)
      case .wait: return .wait
      case .exhausted(let reason): return exhausted(trial, reason)
      }
    }
    guard let last else { return .wait }
    var generator = problem.generator(trial: trial, attempt: Self.attempts)
    guard let other = history.nearestUnseen(to: last.coordinates, using: &generator) else {
      return exhausted(
        trial,
        problem.cube.isRestricted
          ? "No further point that the rules of the space allow was found."
          : "All points of the space have been tried.")
    }
    return begin(trial, other, note: last.note)
  }

  /// There is no new point: a known one, if those may come again.
  private mutating func exhausted(_ trial: Int, _ reason: String) -> SearchAnswer {
    guard repeats else { return .exhausted(reason) }
    if !problem.cube.axes.isEmpty,
      case .point(let raw, let note, let from) = sampler.ask(history, trial: trial, attempt: 0)
    {
      let coordinates = problem.cube.canonical(raw)
      if problem.cube.isAllowed(coordinates) { return begin(trial, coordinates, note: note, from: from) }
    }
    var generator = problem.generator(trial: trial, attempt: Self.attempts)
    let coordinates = problem.cube.draw(using: &generator)
    return problem.cube.isAllowed(coordinates) ? begin(trial, coordinates) : .exhausted(reason)
  }

  private mutating func begin(
    _ trial: Int, _ coordinates: [Double], point: Point? = nil, note: JSONValue? = nil, from: Int? = nil,
    queued: Int? = nil, isRepeat: Bool = false
  ) -> SearchAnswer {
    history.begin(PendingTrial(trial: trial, coordinates: coordinates, note: note))
    return .trial(
      Suggestion(
        point: point ?? problem.cube.point(at: coordinates), coordinates: coordinates, note: note, from: from,
        queued: queued, isRepeat: isRepeat))
  }

  /// How a trial that was asked for ended.
  ///
  /// - Parameters:
  ///   - losses: one an objective, to be minimised; empty when there is none. If one of them is not finite, none counts. Of a
  ///     failed trial: what it counts as beside others that failed.
  ///   - step: the last one a pruned trial reported.
  public mutating func tell(
    trial: Int, state: TrialState, losses: [Double], violations: [Double] = [], step: Int? = nil
  ) {
    guard let pending = history.pending(trial) else { return }
    tell(
      Observation(
        trial: trial, coordinates: pending.coordinates, state: state, losses: losses, violations: violations,
        note: pending.note, step: step))
  }

  /// A trial of elsewhere, to learn from.
  ///
  /// - Throws: `SearchError.pointOutside`.
  public mutating func learn(_ point: Point, losses: [Double], violations: [Double] = []) throws(SearchError)
  {
    guard let coordinates = problem.cube.coordinates(of: point) else { throw .pointOutside(point.flat) }
    let last = history.observations.last { $0.trial < 0 }?.trial
    let number = last.map { $0 + 1 } ?? -1_000_000_000
    tell(
      Observation(
        trial: number, coordinates: coordinates, state: losses.isEmpty ? .failed : .complete, losses: losses,
        violations: violations))
  }

  /// A trial that ended, by its coordinates in this space.
  mutating func tell(_ observation: Observation) {
    var observation = observation
    observation.losses = usable(observation.losses)
    history.end(observation)
    sampler.tell(observation, history)
  }

  /// Losses as the search keeps them: one an objective, all of them finite, or none.
  package func usable(_ losses: [Double]) -> [Double] {
    losses.count == problem.objectiveCount && losses.allSatisfy(\.isFinite) ? losses : []
  }

  /// All that `restore` needs beside the trials.
  public var state: JSONValue {
    ["method": .string(method), "queue": .int(Int64(queuePosition)), "sampler": sampler.state]
  }

  /// Goes on from a saved `state`, with the trials there were then.
  ///
  /// - Throws: `SearchError.unusableState`.
  public mutating func restore(
    _ state: JSONValue, observations: some Sequence<Observation>, pending: [PendingTrial]
  ) throws(SearchError) {
    guard state["method"]?.string == method, let position = state["queue"]?.int, position >= 0 else {
      throw .unusableState(method: method, reason: "it was not saved by this method")
    }
    queuePosition = Int(position)
    for trial in pending { history.begin(trial) }
    for observation in observations { history.end(observation) }
    try sampler.restore(state["sampler"] ?? .null, history)
  }
}
