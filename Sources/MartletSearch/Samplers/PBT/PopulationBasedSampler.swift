// Population based training.

import MartletModel
import OrderedCollections

/// Population based training: members train in short stretches; who falls behind goes on from the checkpoint of one of
/// the best, with changed parameters.
///
/// Jaderberg et al.: Population Based Training of Neural Networks (2017). Each trial is one stretch of one member,
/// which begins with the checkpoint of the trial that `Ask.point(from:)` names. A member that is among the worst copies
/// one of the best (exploit) and multiplies its numbers with 1 − `perturb` or 1 + `perturb`, or draws them anew
/// (explore); all others go on with what they have. Members are compared by their latest finished stretches, so that
/// nobody waits for anybody unless `wait` is set. The note keeps the lineage: `{"pbt": [member, stretch, trial it began
/// from or null]}`.
///
/// Options: `population` (2...10000; usually as many as are pending, 8...32), `truncation` (which share copies and
/// which is copied, 0.01...0.5), `perturb` (0.01...0.9), `resample` (the probability of drawing a number anew, 0...1),
/// `ready_interval` (after how many stretches a member is compared, 1...10000), `generations` (how many stretches a
/// member has, 1...1000000; without it, no end), `wait` (whether a stretch begins only when all have ended the one
/// before).
public struct PopulationBasedSampler: Sampler {
  public static let method = "pbt"

  private let problem: SearchProblem
  private let size: Int
  private let truncation: Double
  private let perturb: Double
  private let resample: Double
  private let interval: Int
  private let generations: Int?
  private let waits: Bool
  private var fold: HistoryFold<[Int: Stretch]>

  /// A finished stretch of a member.
  private struct Stretch: Sendable {
    var number: Int
    /// In the history.
    var place: Int
  }

  public init(_ problem: SearchProblem) throws(SearchError) {
    try problem.requireOneObjective(for: Self.method)
    var options = OptionReader(problem.options, of: Self.method)
    size = try options.int("population", default: min(max(problem.parallelism, 8), 32), in: 2...10_000)
    truncation = try options.double("truncation", default: 0.2, in: 0.01...0.5)
    perturb = try options.double("perturb", default: 0.2, in: 0.01...0.9)
    resample = try options.double("resample", default: 0.25, in: 0...1)
    interval = try options.int("ready_interval", default: 1, in: 1...10_000)
    let last = try options.int("generations", default: 0, in: 0...1_000_000)
    generations = last > 0 ? last : nil
    waits = try options.bool("wait", default: false)
    try options.finish()
    self.problem = problem
    fold = HistoryFold([:], every: 64)
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    var generator = problem.generator(trial: trial, attempt: attempt)
    let ended = fold.state(after: history) { members, place in
      guard let note = Lineage(history.observations[place].note) else { return }
      if let known = members[note.member], known.number > note.stretch { return }
      members[note.member] = Stretch(number: note.stretch, place: place)
    }
    let busy = Set(history.pending.compactMap { Lineage($0.note)?.member })
    if let unborn = (0..<size).first(where: { ended[$0] == nil && !busy.contains($0) }) {
      let note = Lineage(member: unborn, stretch: 0, from: nil)
      return .point(problem.cube.draw(using: &generator), note: note.json)
    }
    let free = ended.keys.filter { !busy.contains($0) }.sorted()
    func number(_ member: Int) -> Int { ended[member]?.number ?? 0 }
    guard let member = free.min(by: { (number($0), $0) < (number($1), $1) }), let own = ended[member] else {
      return .wait
    }
    if let generations, own.number + 1 >= generations {
      return busy.isEmpty ? .exhausted("Every member has been trained for \(generations) stretches.") : .wait
    }
    if waits, own.number > (busy.map { stretch(of: $0, history) - 1 }.min() ?? own.number) { return .wait }
    return goOn(member, own, ended, history, &generator)
  }

  public mutating func tell(_ observation: Observation, _ history: History) {
    fold.forget(from: history.place(of: observation.trial))
  }

  /// The stretch that member is at.
  private func stretch(of member: Int, _ history: History) -> Int {
    history.pending.compactMap { Lineage($0.note) }.last { $0.member == member }?.stretch ?? 0
  }

  /// The next stretch of a member.
  private func goOn(
    _ member: Int, _ own: Stretch, _ ended: [Int: Stretch], _ history: History,
    _ generator: inout Xoshiro256
  ) -> Ask {
    let members = ended.keys.sorted()
    let places = members.compactMap { ended[$0]?.place }
    let standings = places.map { Standing(history.observations[$0]) }
    let order = Standing.order(standings)
    let edge = max(Int((truncation * Double(members.count)).rounded()), 1)
    let isReady = (own.number + 1) % interval == 0
    let rank = order.firstIndex { members[$0] == member } ?? 0
    let hasFailed = standings[order[rank]].hasFailed
    var source = own.place
    var coordinates = history.observations[own.place].coordinates
    if hasFailed || (isReady && rank >= members.count - edge) {
      let leaders = order.prefix(edge).filter { members[$0] != member && !standings[$0].hasFailed }
      guard !leaders.isEmpty else {
        if !hasFailed { return answer(member, own.number + 1, coordinates, from: source, history) }
        // Nobody has anything to copy: begin anew.
        let note = Lineage(member: member, stretch: own.number + 1, from: nil)
        return .point(problem.cube.draw(using: &generator), note: note.json)
      }
      source = places[leaders[Int(generator.below(UInt64(leaders.count)))]]
      coordinates = explored(history.observations[source].coordinates, &generator)
    }
    return answer(member, own.number + 1, coordinates, from: source, history)
  }

  private func answer(
    _ member: Int, _ stretch: Int, _ coordinates: [Double], from place: Int, _ history: History
  ) -> Ask {
    let trial = history.observations[place].trial
    return .point(
      coordinates, note: Lineage(member: member, stretch: stretch, from: trial).json, from: trial)
  }

  // MARK: - Exploring

  private func explored(_ coordinates: [Double], _ generator: inout Xoshiro256) -> [Double] {
    var result = coordinates
    for axis in result.indices {
      // Drawn for every axis, so that they do not depend on each other.
      let isDrawn = generator.unit() < resample
      let isUp = generator.below(2) == 0
      let drawn = problem.cube.draw(axis: axis, using: &generator)
      result[axis] = isDrawn || result[axis].isNaN ? drawn : perturbed(axis, result[axis], isUp)
    }
    return problem.cube.canonical(result)
  }

  /// The number times 1 + `perturb` or 1 − `perturb`, within its bounds; a tenth of the range where that changes
  /// nothing. Categories stay.
  private func perturbed(_ axis: Int, _ coordinate: Double, _ isUp: Bool) -> Double {
    let cube = problem.cube
    if case .categorical = cube.axes[axis].kind { return coordinate }
    let domain = cube.parameter(of: axis).domain
    if let number = domain.value(at: coordinate).double, number != 0 {
      let product = number * (isUp ? 1 + perturb : 1 - perturb)
      let goesUp = product > number
      let moved =
        domain.coordinate(of: .double(product)) ?? (goesUp ? 1 : 0)
      if cube.cell(of: coordinate, on: axis) != cube.cell(of: moved, on: axis) { return moved }
    }
    if case .ordered = cube.axes[axis].kind {
      return cube.neighbour(of: coordinate, on: axis, up: isUp) ?? coordinate
    }
    return min(max(coordinate + (isUp ? 0.1 : -0.1), 0), 1)
  }
}

/// Where a stretch of a member came from.
private struct Lineage {
  var member: Int
  var stretch: Int
  var from: Int?

  init(member: Int, stretch: Int, from: Int?) {
    (self.member, self.stretch, self.from) = (member, stretch, from)
  }

  init?(_ json: JSONValue?) {
    guard let members = json?["pbt"]?.array, members.count >= 2, let member = members[0].int,
      let stretch = members[1].int
    else {
      return nil
    }
    self.member = Int(member)
    self.stretch = Int(stretch)
    from = members.count > 2 ? members[2].int.map(Int.init) : nil
  }

  var json: JSONValue {
    ["pbt": [.int(Int64(member)), .int(Int64(stretch)), JSONValue(from)]]
  }
}
