// What NSGA-II and NSGA-III share: generations, tournaments, variation.

import MartletModel

/// Chooses parents among finished trials and makes children of them.
struct NSGAEngine: Sendable {
  /// Which of a front that is too large stay.
  enum Selection: Sendable {
    case crowding
    case directions([[Double]])
  }

  private let rules: Rules
  private var fold: HistoryFold<Generation>
  /// The population as of so many finished trials; a cache.
  private var present: (count: Int, members: [Member])?

  /// A member of the population.
  struct Member: Sendable {
    /// In the history.
    var place: Int
    var rank: Int
    var crowding: Double
  }

  private struct Generation: Sendable {
    var population: [Int] = []
    var fresh: [Int] = []
  }

  /// Reads `population`.
  static func population(_ problem: SearchProblem, _ options: inout OptionReader) throws(SearchError) -> Int {
    try options.int(
      "population", default: problem.budget.map { $0 <= 200 } ?? false ? 20 : 50, in: 4...10_000)
  }

  init(
    _ problem: SearchProblem, _ options: inout OptionReader, selection: Selection
  ) throws(SearchError) {
    let size = try Self.population(problem, &options)
    rules = Rules(
      problem: problem,
      variation: try Variation(problem.cube, &options, crossover: .blx, mutation: .polynomial), size: size,
      selection: selection)
    fold = HistoryFold(Generation(), every: size)
  }

  mutating func forget(from place: Int) {
    fold.forget(from: place)
    present = nil
  }

  mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    var generator = rules.problem.generator(trial: trial, attempt: attempt)
    guard history.count >= rules.size else { return .point(rules.problem.cube.draw(using: &generator)) }
    let members = population(history)
    guard !members.isEmpty else { return .point(rules.problem.cube.draw(using: &generator)) }
    let first = rules.winner(members, &generator)
    let second = rules.winner(members, &generator)
    return .point(
      rules.variation.child(
        history.observations[first].coordinates, history.observations[second].coordinates, using: &generator))
  }

  /// The present population.
  private mutating func population(_ history: History) -> [Member] {
    if let present, present.count == history.observations.count { return present.members }
    let generation = fold.state(after: history) { [rules] generation, place in
      generation.fresh.append(place)
      guard generation.fresh.count == rules.size else { return }
      let survivors = rules.survivors(generation.population + generation.fresh, history)
      generation = Generation(population: survivors.map(\.place))
    }
    let members = rules.survivors(generation.population + generation.fresh, history)
    present = (history.observations.count, members)
    return members
  }
}

/// Who survives, and who becomes a parent.
private struct Rules: Sendable {
  let problem: SearchProblem
  let variation: Variation
  let size: Int
  let selection: NSGAEngine.Selection
  typealias Member = NSGAEngine.Member

  /// The better of two by rank, then by room.
  func winner(_ members: [Member], _ generator: inout Xoshiro256) -> Int {
    let one = members[Int(generator.below(UInt64(members.count)))]
    let other = members[Int(generator.below(UInt64(members.count)))]
    if one.rank != other.rank { return one.rank < other.rank ? one.place : other.place }
    return one.crowding >= other.crowding ? one.place : other.place
  }

  /// The best of some trials, as many as the population has, whole fronts as long as they fit. Failed ones are none.
  func survivors(_ places: [Int], _ history: History) -> [Member] {
    var candidates: [Int] = []
    var standings: [Standing] = []
    for place in places {
      let standing = Standing(history.observations[place])
      if standing == .failed { continue }
      candidates.append(place)
      standings.append(standing)
    }
    let ranks = Standing.ranks(standings, upTo: size)
    var fronts: [[Int]] = Array(repeating: [], count: (ranks.max() ?? -1) + 1)
    for (index, rank) in ranks.enumerated() { fronts[rank].append(index) }
    var members: [Member] = []
    for (rank, front) in fronts.enumerated() where members.count < size {
      let crowding = Pareto.crowding(front.map { standings[$0].losses })
      let all = front.indices.map { Member(place: candidates[front[$0]], rank: rank, crowding: crowding[$0]) }
      let room = size - members.count
      guard all.count > room else {
        members += all
        continue
      }
      switch selection {
      case .crowding:
        members += all.sorted { ($1.crowding, $0.place) < ($0.crowding, $1.place) }.prefix(room)
      case .directions(let directions):
        let chosen = ReferenceDirections.fill(
          room, from: front.map { standings[$0].losses },
          beside: members.map { history.observations[$0.place].losses }, directions: directions)
        members += chosen.map { all[$0] }
      }
    }
    return members
  }
}
