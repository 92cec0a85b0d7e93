// All that a search knows: the trials that ended, in columns, and those under way.

import HashTreeCollections
public import MartletModel
import OrderedCollections

/// A trial that ended.
public struct Observation: Hashable, Sendable {
  /// Its number in the search. Imported trials have numbers below 0.
  public var trial: Int
  /// One number an axis of the cube; NaN: inactive.
  public var coordinates: [Double]
  /// `complete`, `pruned` or `failed`.
  public var state: TrialState
  /// To be minimised, one an objective, all finite; empty: there is none (no usable number, or failed and no more is said).
  /// Of a pruned trial its last report, which may be better or worse than its end would have been. Of a failed one its
  /// penalty: it tells how bad the failure was beside others, and is never as good as what was measured.
  public var losses: [Double]
  /// One a constraint, met when 0 or less; empty: none were told.
  public var violations: [Double]
  /// What the sampler wrote beside the point when it was asked.
  public var note: JSONValue?
  /// The last step a pruned trial reported; nil: not known.
  public var step: Int?

  public init(
    trial: Int, coordinates: [Double], state: TrialState, losses: [Double], violations: [Double] = [],
    note: JSONValue? = nil, step: Int? = nil
  ) {
    self.trial = trial
    self.coordinates = coordinates
    self.state = state
    self.losses = losses
    self.violations = violations
    self.note = note
    self.step = step
  }

  /// By how much all constraints together are missed: 0 when all are met, infinite when one is NaN.
  public var violation: Double {
    violations.reduce(0) { $0 + ($1.isNaN ? .infinity : max($1, 0)) }
  }

  /// It was trained to its end, has losses, and meets every constraint.
  public var isFeasible: Bool { state == .complete && !losses.isEmpty && violation == 0 }
}

/// A trial under way.
public struct PendingTrial: Hashable, Sendable {
  public var trial: Int
  public var coordinates: [Double]
  public var note: JSONValue?

  public init(trial: Int, coordinates: [Double], note: JSONValue? = nil) {
    self.trial = trial
    self.coordinates = coordinates
    self.note = note
  }
}

/// The trials of a search.
///
/// In order of their numbers, whatever the order in which they ended: what a sampler makes of it does not depend on
/// which of two workers was a moment faster in telling.
///
/// What there may be thousands of is kept so that copies share it: whoever decides on a copy, which becomes the search when
/// the decision is written down, pays the same for each trial however many there are.
public struct History: Sendable {
  public let cube: UnitCube
  /// Ascending by number.
  public private(set) var observations = Pages<Observation>()
  /// `columns[axis][i]` is the coordinate of `observations[i]`.
  public private(set) var columns: [Pages<Double>]
  /// Ascending by number.
  public private(set) var pending: [PendingTrial] = []
  /// How often each point has been asked for or told.
  private var seen: TreeDictionary<UnitCube.Key, Int> = [:]

  public init(cube: UnitCube) {
    self.cube = cube
    columns = Array(repeating: Pages(), count: cube.axes.count)
  }

  /// A trial is under way.
  public mutating func begin(_ trial: PendingTrial) {
    let place = pending.lastIndex { $0.trial < trial.trial }.map { $0 + 1 } ?? 0
    pending.insert(trial, at: place)
    seen[cube.key(trial.coordinates), default: 0] += 1
  }

  /// A trial ended, whether it was under way or comes from elsewhere.
  public mutating func end(_ observation: Observation) {
    if let place = pending.firstIndex(where: { $0.trial == observation.trial }) {
      pending.remove(at: place)
    } else {
      seen[cube.key(observation.coordinates), default: 0] += 1
    }
    let place = place(of: observation.trial)
    observations.insert(observation, at: place)
    for axis in columns.indices { columns[axis].insert(observation.coordinates[axis], at: place) }
  }

  /// Whether a trial with this point is known, ended or under way. `coordinates` must be canonical.
  public func contains(_ coordinates: [Double]) -> Bool { seen[cube.key(coordinates)] != nil }

  /// How many different points are known.
  public var distinctCount: Int { seen.count }
}

extension History {
  public func pending(_ trial: Int) -> PendingTrial? { pending.first { $0.trial == trial } }

  /// The feasible trial with the lowest loss, the earliest of equals; with several objectives all feasible trials that no
  /// other dominates. By number.
  public var best: [Observation] {
    let feasible = observations.filter(\.isFeasible)
    guard let first = feasible.first, first.losses.count > 1 else {
      return feasible.min { $0.losses[0] < $1.losses[0] }.map { [$0] } ?? []
    }
    return Pareto.front(feasible.map(\.losses)).map { feasible[$0] }
  }

  private func isNew(_ coordinates: [Double]) -> Bool {
    !contains(coordinates) && cube.isAllowed(coordinates)
  }

  /// The point nearest to a known one that is not known itself; nil: there is none, or none was found.
  ///
  /// Looks at the points that differ in one axis, then in more, by a walk; in a finite space that is small at all of
  /// them.
  func nearestUnseen(to start: [Double], using generator: inout Xoshiro256) -> [Double]? {
    guard !cube.axes.isEmpty else { return nil }
    for steps in 1...200 {
      var coordinates = start
      for _ in 0..<(1 + steps / 40) {
        let axis = Int(generator.below(UInt64(cube.axes.count)))
        guard !coordinates[axis].isNaN else { continue }
        switch cube.axes[axis].kind {
        case .continuous:
          coordinates[axis] += 0.01 * Double(steps) / 20 * generator.normal()
        case .ordered:
          coordinates[axis] =
            cube.neighbour(of: coordinates[axis], on: axis, up: generator.below(2) == 0) ?? coordinates[axis]
        case .categorical:
          coordinates[axis] = cube.draw(axis: axis, using: &generator)
        }
        coordinates = cube.canonical(coordinates)
      }
      if isNew(coordinates) { return coordinates }
    }
    for _ in 0..<200 {
      let coordinates = cube.draw(using: &generator)
      if isNew(coordinates) { return coordinates }
    }
    guard let cardinality = cube.space.cardinality, cardinality <= 100_000 else { return nil }
    for index in 0..<cardinality {
      guard let point = cube.space.point(at: index), let coordinates = cube.coordinates(of: point) else {
        continue
      }
      if isNew(coordinates) { return coordinates }
    }
    return nil
  }
}
