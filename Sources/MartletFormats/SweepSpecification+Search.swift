// A sweep file's search: the problem, the search at its beginning or as it was kept, and who stops trials early.

package import MartletModel
package import MartletScheduling
package import MartletSearch
import OrderedCollections

/// The method that lists every point.
let gridMethod = "grid"
/// The method that draws points at random.
let randomMethod = "random"
/// The method that tries the points of the file and no others.
let pointsMethod = "points"

/// A point of a file's list.
package struct NamedPoint: Sendable, Hashable {
  package var name: String?
  package var point: Point

  package init(name: String?, point: Point) { (self.name, self.point) = (name, point) }
}

/// What a trial has to come to.
package struct OutcomeConstraint: Sendable, Hashable {
  package var metric: String
  package var statistic: Objective.Statistic
  /// At least one of them is there.
  package var least: Double?
  package var most: Double?

  package init(
    metric: String, statistic: Objective.Statistic = .last, least: Double? = nil, most: Double? = nil
  ) {
    (self.metric, self.statistic, self.least, self.most) = (metric, statistic, least, most)
  }

  /// The number that is bounded; nil: nothing is known.
  package func value(in summary: MetricSummary?) -> Double? {
    let value = summary.flatMap {
      Objective(metric: metric, goal: .minimize, statistic: statistic).value(in: $0)
    }
    return value.flatMap { $0.isNaN ? nil : $0 }
  }

  /// By how much it is missed, 0 or less when it is met; NaN when nothing is known.
  package func violation(in summary: MetricSummary?) -> Double {
    guard let value = value(in: summary) else { return .nan }
    return max(least.map { $0 - value } ?? -.infinity, most.map { value - $0 } ?? -.infinity)
  }

  package var json: JSONValue {
    [
      "metric": .string(metric), "of": .string(statistic.rawValue), "min": JSONValue(least),
      "max": JSONValue(most),
    ]
  }
}

/// Trials of elsewhere that a search learned from at its beginning.
package struct ImportedTrials: Sendable, Hashable {
  package struct Item: Sendable, Hashable {
    package var parameters: JSONObject
    /// To be minimised.
    package var losses: [Double]
    package var violations: [Double]

    package init(parameters: JSONObject, losses: [Double], violations: [Double]) {
      (self.parameters, self.losses, self.violations) = (parameters, losses, violations)
    }
  }

  package var items: [Item] = []

  package init(items: [Item] = []) { self.items = items }

  package init(json: JSONValue) {
    items = (json.array ?? []).compactMap { item in
      guard let parameters = item["params"]?.object else { return nil }
      func numbers(_ key: String) -> [Double] { item[key]?.array?.map { $0.double ?? .nan } ?? [] }
      return Item(parameters: parameters, losses: numbers("losses"), violations: numbers("violations"))
    }
  }

  /// Null: there are none.
  package var json: JSONValue {
    guard !items.isEmpty else { return .null }
    return .array(
      items.map { item in
        [
          "params": .object(item.parameters), "losses": .array(item.losses.map(JSONValue.double)),
          "violations": .array(item.violations.map(JSONValue.double)),
        ]
      })
  }
}

extension SweepSpecification {
  package func problem(seed: UInt64) -> SearchProblem {
    SearchProblem(
      space: space, objectiveCount: max(1, objectives.count), constraintCount: constraints.count,
      budget: budget, parallelism: max(1, maxParallel), seed: seed, options: methodOptions)
  }

  /// The search at its beginning.
  ///
  /// - Parameters:
  ///   - added: points that somebody added by hand since.
  ///   - imported: those of them that do not lie in the space are left out.
  package func search(
    seed: UInt64, added: [AddedPoint] = [], imported: ImportedTrials = ImportedTrials()
  ) throws(SearchError) -> Search {
    var search = try emptySearch(seed: seed, added: added)
    for item in imported.items {
      let point = Point(values: item.parameters)
      guard search.problem.cube.coordinates(of: point) != nil else { continue }
      try search.learn(point, losses: item.losses, violations: item.violations)
    }
    return search
  }

  /// The search as it was kept.
  package func search(
    seed: UInt64, added: [AddedPoint], imported: ImportedTrials, state: JSONValue,
    trials: [SweepMachine.TrialRecord]
  ) throws(SearchError) -> Search {
    let learned = Array(try search(seed: seed, added: added, imported: imported).history.observations)
    var search = try emptySearch(seed: seed, added: added)
    try search.restore(state, trials: trials, objectives: objectives, imported: learned)
    return search
  }

  private func emptySearch(seed: UInt64, added: [AddedPoint]) throws(SearchError) -> Search {
    var search = try Search(method: method, problem: problem(seed: seed), first: points.map(\.point))
    for item in added {
      // The file may have changed since, so that it lies outside.
      guard let point = item.point, search.takes(point) else { continue }
      for _ in 0..<item.places { try search.enqueue(point, isRepeat: item.isRepeat) }
    }
    return search
  }

  /// The rule by which running trials are stopped; nil: there is none.
  package func stoppingRule() throws(SearchError) -> StoppingRuleConfiguration? {
    if earlyTerminate.isNull { return nil }
    return try StoppingRuleConfiguration(earlyTerminate, objectives: objectives)
  }

  /// Who looks at the values of running trials; nil: nobody does.
  package func watcher(seed: UInt64) throws(SearchError) -> EarlyStopping? {
    try stoppingRule().map { EarlyStopping($0, objectives: objectives, seed: seed) }
  }

  /// - Parameter budget: trials at most, which people may have changed since.
  package func limits(budget: Int?) -> SweepLimits {
    var limits = furtherLimits
    limits.trials = budget
    return limits
  }

  /// What failed trials count as, a sentence; nil: nothing more is said of them than that they failed.
  package var penaltyWords: String? {
    penalties == PenaltyRule() ? nil : objective.map { penalties.words(metric: $0.metric) }
  }

  /// What was asked of the search beside the method, for people.
  package var searchJSON: JSONObject {
    var members = JSONObject()
    members["objectives"] = .array(objectives.map(\.json))
    if !methodOptions.isEmpty { members["options"] = .object(methodOptions) }
    if !constraints.isEmpty { members["constraints"] = .array(constraints.map(\.json)) }
    if !softBounds.isEmpty { members["soft_constraints"] = .array(softBounds.map(\.json)) }
    if !earlyTerminate.isNull { members["early_terminate"] = earlyTerminate }
    if penalties != PenaltyRule() { members["penalties"] = penalties.json }
    if furtherLimits != SweepLimits() { members["budget"] = furtherLimits.json }
    if targets.count == 1, let target = targets[0] { members["target"] = .double(target) }
    if targets.count > 1 { members["targets"] = .array(targets.map { JSONValue($0) }) }
    if !points.isEmpty { members["points"] = .int(Int64(points.count)) }
    if !warmStart.isEmpty { members["warm_start"] = JSONValue(warmStart) }
    if !metadata.isEmpty { members["metadata"] = .object(metadata) }
    return members
  }
}
