// A search driven to its end by a test.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

/// Asks and tells, with several trials pending that end in an order of their own.
struct SearchRun {
  var search: Search
  private(set) var told: [(suggestion: Suggestion, losses: [Double])] = []
  private var pending: [(trial: Int, suggestion: Suggestion)] = []
  private var next = 0
  private var lots = SplitMix64(seed: 99)

  init(
    _ method: String, _ space: Space, objectives: Int = 1, constraints: Int = 0, budget: Int? = nil,
    parallelism: Int = 1, seed: UInt64 = 1, options: JSONObject = [:]
  ) throws {
    search = try Search(
      method: method,
      problem: SearchProblem(
        space: space, objectiveCount: objectives, constraintCount: constraints, budget: budget,
        parallelism: parallelism, seed: seed, options: options))
  }

  var best: Double { told.compactMap(\.losses.first).min() ?? .infinity }

  /// - Parameters:
  ///   - pending: how many trials are under way when one ends; which one is drawn.
  ///   - restoring: at every ask a second search is restored from what a database would hold, and must answer alike.
  ///   - result: how a point ends; without losses it has failed.
  mutating func go(
    _ trials: Int, pending width: Int = 1, restoring: Bool = false,
    _ result: (Suggestion) -> (losses: [Double], violations: [Double])
  ) throws {
    for _ in 0..<trials {
      while pending.count < width {
        let saved = restoring ? try restored() : nil
        let answer = search.ask(trial: next)
        if var saved { #expect(saved.ask(trial: next).text == answer.text, "trial \(next)") }
        guard case .trial(let suggestion) = answer else { break }
        pending.append((next, suggestion))
        next += 1
      }
      guard !pending.isEmpty else { return }
      let (trial, suggestion) = pending.remove(at: Int(lots.next() % UInt64(pending.count)))
      let (losses, violations) = result(suggestion)
      search.tell(
        trial: trial, state: losses.isEmpty ? .failed : .complete, losses: losses, violations: violations)
      told.append((suggestion, losses))
    }
  }

  /// As `go`, for one objective that is a function of the coordinates.
  mutating func minimize(
    _ trials: Int, pending width: Int = 1, restoring: Bool = false, _ loss: ([Double]) -> Double
  ) throws {
    try go(trials, pending: width, restoring: restoring) { ([loss($0.coordinates)], []) }
  }

  private func restored() throws -> Search {
    var copy = try Search(method: search.method, problem: search.problem)
    try copy.restore(
      JSONValue.parse(search.state.text), observations: search.history.observations,
      pending: search.history.pending)
    return copy
  }
}

extension SearchAnswer {
  /// All there is to it; inactive coordinates are NaN, so that answers that are alike are not equal.
  var text: String { "\(self)" }
}

/// Spaces and functions the tests of search methods share.
enum Fixtures {
  static func reals(_ count: Int) throws -> Space {
    try Space((0..<count).map { Parameter("x\($0)", .real(.uniform(min: 0, max: 1))) })
  }

  /// Numbers with and without steps, categories, and parameters that have values only for some.
  static func mixed() throws -> Space {
    try Space([
      Parameter("lr", .real(.logUniformValues(min: 1e-5, max: 1))),
      Parameter("kind", .categorical(["a", "b", "c"])),
      Parameter("width", .integers(min: 1, max: 64)),
      Parameter("q", .real(.uniform(min: 0, max: 1), quantum: Quantum(0.25))),
      Parameter("flag", .categorical([true, false], probabilities: [0.3, 0.7])),
      Parameter("depth", .integers(min: 1, max: 4), when: .isOne(of: ["b"], "kind")),
      Parameter("slope", .real(.normal(mu: 0, sigma: 1)), when: .atLeast(3, "depth")),
    ])
  }

  static func mixedLoss(_ coordinates: [Double]) -> Double {
    var sum = 0.0
    for (axis, value) in coordinates.enumerated() where !value.isNaN {
      let target = axis == 1 ? 1.0 : 0.3
      sum += (value - target) * (value - target)
    }
    return sum
  }

  static func sphere(_ coordinates: [Double]) -> Double {
    coordinates.reduce(0) { $0 + ($1 - 0.62) * ($1 - 0.62) }
  }

  /// Rosenbrock's function on -2...2 in every coordinate.
  static func rosenbrock(_ coordinates: [Double]) -> Double {
    let x = coordinates.map { 4 * $0 - 2 }
    return zip(x, x.dropFirst()).reduce(0) { sum, pair in
      let (a, b) = pair
      return sum + 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a)
    }
  }
}
