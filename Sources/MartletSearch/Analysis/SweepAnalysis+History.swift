// How the search went, trial by trial: the best so far, shares below a value, fronts and their volume.

public import MartletModel
import OrderedCollections

/// The metric of each trial and the best up to it.
public struct OptimizationHistory: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var trial: Int
    /// `complete`, `pruned` or `failed`.
    public var state: TrialState
    /// It meets every constraint.
    public var isFeasible: Bool
    /// Nil: it has none.
    public var metric: Double?
    /// The best of the feasible completed trials up to this one; nil: there was none.
    public var best: Double?
  }

  /// Ascending by trial.
  public var rows: [Row]

  public var json: JSONValue {
    [
      "trials": .array(rows.map { .int(Int64($0.trial)) }),
      "states": .array(rows.map { .string($0.state.rawValue) }),
      "feasible": .array(rows.map { .bool($0.isFeasible) }),
      "metric": .array(rows.map { JSONValue($0.metric) }), "best": .array(rows.map { JSONValue($0.best) }),
    ]
  }
}

/// Which share of the completed trials is at least as good as a value.
public struct DistributionChart: Hashable, Sendable {
  /// The better first.
  public var metric: [Double]
  /// The share of trials up to and with this one: from 1/n to 1.
  public var share: [Double]

  public init(metric: [Double], share: [Double]) { (self.metric, self.share) = (metric, share) }

  /// The same at `count` of its values, evenly among the trials and with the best and the worst; as it is where there are no
  /// more. What is left is as true as before.
  ///
  /// - Parameter count: 2 or more.
  public func thinned(to count: Int) -> DistributionChart {
    guard metric.count > count, count > 1 else { return self }
    let places = (0..<count).map { $0 * (metric.count - 1) / (count - 1) }
    return DistributionChart(metric: places.map { metric[$0] }, share: places.map { share[$0] })
  }

  public var json: JSONValue {
    ["metric": .array(metric.map(JSONValue.double)), "share": .array(share.map(JSONValue.double))]
  }
}

/// The completed trials by their objectives.
public struct ParetoChart: Hashable, Sendable {
  public struct Row: Hashable, Sendable {
    public var trial: Int
    /// One an objective.
    public var metrics: [Double]
    public var isFeasible: Bool
    /// No feasible trial is better in one objective and as good in the others.
    public var isOnFront: Bool
  }

  public var objectives: [String]
  /// Ascending by trial.
  public var rows: [Row]

  public var json: JSONValue {
    [
      "objectives": .array(objectives.map(JSONValue.string)),
      "trials": .array(rows.map { .int(Int64($0.trial)) }),
      "metrics": .array(rows.map { .array($0.metrics.map(JSONValue.double)) }),
      "feasible": .array(rows.map { .bool($0.isFeasible) }),
      "front": .array(rows.map { .bool($0.isOnFront) }),
    ]
  }
}

/// How the volume that the front dominates has grown.
public struct HypervolumeHistory: Hashable, Sendable {
  /// The worst of each objective among the feasible trials: where the volume ends.
  public var reference: [Double]
  /// Ascending: the trials at which the front changed, the first feasible one among them.
  public var trials: [Int]
  /// The volume after each, as a share of the box between the best and the worst of every objective.
  public var volumes: [Double]

  public var json: JSONValue {
    [
      "reference": .array(reference.map(JSONValue.double)),
      "trials": .array(trials.map { .int(Int64($0)) }), "volumes": .array(volumes.map(JSONValue.double)),
    ]
  }
}

extension SweepAnalysis {
  public func optimizationHistory(objective: Int = 0) -> OptimizationHistory {
    var best: Double?
    return OptimizationHistory(
      rows: ended.map { trial in
        let loss = trial.losses.indices.contains(objective) ? trial.losses[objective] : nil
        if let loss, trial.isFeasible { best = min(best ?? loss, loss) }
        return OptimizationHistory.Row(
          trial: trial.trial, state: trial.state, isFeasible: trial.violation == 0,
          metric: loss.map { value($0, objective) }, best: best.map { value($0, objective) })
      })
  }

  /// The empirical distribution of an objective over the completed trials.
  public func distribution(objective: Int = 0) -> DistributionChart {
    let losses = finished.map { $0.losses[objective] }.sorted()
    return DistributionChart(
      metric: losses.map { value($0, objective) },
      share: losses.indices.map { Double($0 + 1) / Double(losses.count) })
  }

  public func pareto() -> ParetoChart {
    let feasible = finished.indices.filter { finished[$0].isFeasible }
    let front = Set(Pareto.front(feasible.map { finished[$0].losses }).map { feasible[$0] })
    return ParetoChart(
      objectives: objectives.map(\.metric),
      rows: finished.indices.map { place in
        let trial = finished[place]
        return ParetoChart.Row(
          trial: trial.trial,
          metrics: trial.losses.indices.map { value(trial.losses[$0], $0) }, isFeasible: trial.isFeasible,
          isOnFront: front.contains(place))
      })
  }

  /// The places of feasible complete trials by one objective, by their numbers: 1 the best; equals share the first of
  /// their places.
  public func places(objective: Int = 0) -> [Int: Int] {
    let order = finished.filter(\.isFeasible).sorted { $0.losses[objective] < $1.losses[objective] }
    var places: [Int: Int] = [:]
    var place = 1
    for (index, trial) in order.enumerated() {
      if index > 0, order[index - 1].losses[objective] != trial.losses[objective] { place = index + 1 }
      places[trial.trial] = place
    }
    return places
  }

  /// - Returns: nil with one objective, or when no trial is feasible.
  public func hypervolumeHistory() -> HypervolumeHistory? {
    let feasible = finished.filter(\.isFeasible)
    guard objectives.count > 1, !feasible.isEmpty else { return nil }
    // In units of the ranges, so that huge losses do not overflow.
    let scaled = Pareto.normalized(feasible.map(\.losses))
    let reference = objectives.map { _ in 1.0 }
    var front: [[Double]] = []
    var (trials, volumes) = ([Int](), [Double]())
    for (trial, losses) in zip(feasible, scaled) {
      guard !front.contains(where: { $0 == losses || Pareto.dominates($0, losses) }) else { continue }
      front.removeAll { Pareto.dominates(losses, $0) }
      front.append(losses)
      trials.append(trial.trial)
      volumes.append(Hypervolume.of(front, reference: reference))
    }
    return HypervolumeHistory(
      reference: objectives.indices.map { objective in
        value(feasible.map { $0.losses[objective] }.max() ?? 0, objective)
      }, trials: trials, volumes: volumes)
  }
}
