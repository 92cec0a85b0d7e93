// How good a trial is beside others, with constraints, failures and pruning.

import MartletModel

/// What a finished trial is judged by.
///
/// Constraint domination (Deb et al.: NSGA-II, 2002, section VI): whoever meets the constraints is better than who does
/// not, and of two who do not the one that misses them by less. Pruned trials come after all that were trained to their
/// end, by their last report; then failed ones, those with penalties by these; those without losses come last.
enum Standing: Hashable, Sendable {
  case feasible([Double])
  case infeasible(violation: Double, [Double])
  case pruned([Double])
  case penalized([Double])
  case failed

  init(_ observation: Observation) {
    if observation.losses.isEmpty {
      self = .failed
    } else if observation.state == .failed {
      self = .penalized(observation.losses)
    } else if observation.state != .complete {
      self = .pruned(observation.losses)
    } else if observation.violation > 0 {
      self = .infeasible(violation: observation.violation, observation.losses)
    } else {
      self = .feasible(observation.losses)
    }
  }

  private var tier: Int {
    switch self {
    case .feasible: 0
    case .infeasible: 1
    case .pruned: 2
    case .penalized: 3
    case .failed: 4
    }
  }

  /// Whether one is better than the other by the first of their losses.
  func isBetter(than other: Standing) -> Bool {
    switch (self, other) {
    case (.feasible(let own), .feasible(let others)), (.pruned(let own), .pruned(let others)),
      (.penalized(let own), .penalized(let others)):
      return own[0] < others[0]
    case (.infeasible(let own, let losses), .infeasible(let others, let otherLosses)):
      return own == others ? losses[0] < otherLosses[0] : own < others
    case (_, _): return tier < other.tier
    }
  }

  /// Whether neither is better by the first of their losses.
  func isEqual(to other: Standing) -> Bool { !isBetter(than: other) && !other.isBetter(than: self) }

  /// For each its rank by constraint domination: 0 on the front of the feasible ones, if there are such.
  ///
  /// - Parameter limit: ranks are told apart until so many have one; the others all have the rank after the last.
  static func ranks(_ standings: [Standing], upTo limit: Int = .max) -> [Int] {
    var ranks = Array(repeating: 0, count: standings.count)
    var next = 0
    var done = 0
    func rank(_ places: [Int], _ own: [Int]) {
      for (place, rank) in zip(places, own) { ranks[place] = next + rank }
      next += (own.max() ?? -1) + 1
      done += places.count
    }
    let tiers = (0..<5).map { tier in standings.indices.filter { standings[$0].tier == tier } }
    for (tier, places) in tiers.enumerated() where !places.isEmpty {
      guard done < limit else {
        for place in places { ranks[place] = next }
        continue
      }
      switch tier {
      case 0, 2, 3: rank(places, Pareto.ranks(places.map { standings[$0].losses }, upTo: limit - done))
      case 1:
        // Equal violations are told apart by their losses.
        let groups = Dictionary(grouping: places) { standings[$0].violation }
        for violation in groups.keys.sorted() {
          let group = groups[violation] ?? []
          rank(group, Pareto.ranks(group.map { standings[$0].losses }))
        }
      default: rank(places, places.map { _ in 0 })
      }
    }
    return limit < standings.count ? Pareto.cut(ranks, at: limit) : ranks
  }

  /// Whether it came to no end, penalty or not.
  var hasFailed: Bool { tier >= 3 }

  /// Empty for a failed trial without a penalty.
  var losses: [Double] {
    switch self {
    case .feasible(let losses), .infeasible(_, let losses), .pruned(let losses), .penalized(let losses):
      losses
    case .failed: []
    }
  }

  /// 0 unless constraints are missed.
  var violation: Double {
    if case .infeasible(let violation, _) = self { violation } else { 0 }
  }

  /// Places of `standings`, the best by the first loss first; of equals the earlier one.
  static func order(_ standings: [Standing]) -> [Int] {
    standings.indices.sorted {
      standings[$0].isBetter(than: standings[$1])
        || (!standings[$1].isBetter(than: standings[$0]) && $0 < $1)
    }
  }
}
