// Which finished trials count as good, which as bad, and how much each.

import MartletModel

/// The trials that the two densities are made of.
struct TPESplit: Sendable {
  struct Member: Hashable, Sendable {
    /// The place of its observation in the history.
    var place: Int
    /// What it counts beside the others of its side.
    var weight: Double
  }

  /// The good ones, oldest first.
  var below: [Member]
  /// The others, oldest first; those under way are not among them.
  var above: [Member]
}

extension TPESplit {
  /// Of more trials than this on the bad side only some are looked at, so that an ask costs the same however long the
  /// search is.
  static let aboveLimit = 1_000
  /// Of those how many are there for being the best, and how many for being the newest.
  private static let kept = 250

  /// - Parameters:
  ///   - good: how many shall be good; fewer when not so many have losses.
  ///   - seed: decides which of very many bad trials are looked at.
  init(_ records: TPERecords, _ history: History, good: Int, seed: UInt64) {
    let isSingle = history.observations.first { !$0.losses.isEmpty }.map { $0.losses.count == 1 } ?? true
    let chosen =
      isSingle
      ? Self.weighted(Array(records.order.prefix(min(good, records.usableCount))))
      : Self.front(records, history, good: good)
    var isBelow = Array(repeating: false, count: records.keys.count)
    for member in chosen { isBelow[member.place] = true }
    below = chosen.sorted { $0.place < $1.place }
    let rest = records.keys.count - chosen.count
    guard rest > Self.aboveLimit else {
      above = isBelow.indices.filter { !isBelow[$0] }.map { Member(place: $0, weight: 1) }
      return
    }
    above = Self.sample(records, isBelow, rest: rest, seed: seed)
  }

  /// The best with weight 1 and the others ever less, to a fifth, by rank. Losses themselves would do worse: they may be
  /// of any size.
  private static func weighted(_ places: [Int]) -> [Member] {
    places.enumerated().map { rank, place in
      Member(place: place, weight: 1 - 0.8 * Double(rank) / Double(places.count))
    }
  }

  /// The best of the bad, the newest of them, and of the others as many as the limit leaves, which then stand for all.
  ///
  /// Each trial has a number by chance that never changes, and those below a bar are taken, which falls as trials are
  /// added: a function of the trials alone, in whatever order they ended.
  private static func sample(
    _ records: TPERecords, _ isBelow: [Bool], rest: Int, seed: UInt64
  ) -> [Member] {
    var isKept = Array(repeating: false, count: isBelow.count)
    var count = 0
    for place in records.order where !isBelow[place] && count < kept {
      isKept[place] = true
      count += 1
    }
    count = 0
    for place in isBelow.indices.reversed() where !isBelow[place] && count < kept {
      isKept[place] = true
      count += 1
    }
    let share = Double(aboveLimit - 2 * kept) / Double(rest)
    let bar = UInt64(share * 0x1p64)
    return isBelow.indices.compactMap { place in
      if isBelow[place] { return nil }
      if isKept[place] { return Member(place: place, weight: 1) }
      var number = SplitMix64(seed: seed ^ UInt64(bitPattern: Int64(records.keys[place].trial)))
      return number.next() < bar ? Member(place: place, weight: 1 / share) : nil
    }
  }
}

// MARK: - Several objectives

extension TPESplit {
  /// The first fronts, and of the front that does not fit as a whole those that dominate most together (Ozaki et al.:
  /// Multiobjective Tree-structured Parzen Estimator, 2022, section 4.2). Pruned trials, then those that miss
  /// constraints, fill what feasible ones leave.
  private static func front(_ records: TPERecords, _ history: History, good: Int) -> [Member] {
    let feasible = records.contenders.trials.map(records.place)
    let losses = Pareto.normalized(feasible.map { history.observations[$0].losses })
    let ranks = Pareto.ranks(losses, upTo: good)
    var chosen: [Int] = []
    var rank = 0
    while chosen.count < min(good, feasible.count) {
      let next = losses.indices.filter { ranks[$0] == rank }
      let room = good - chosen.count
      if next.count <= room {
        chosen += next
      } else {
        let own = Pareto.normalized(next.map { losses[$0] })
        chosen += Hypervolume.greedySubset(own, count: room, reference: reference(own)).map { next[$0] }
      }
      rank += 1
    }
    let others = records.order[records.count(.feasible)...].prefix(
      max(min(good, records.usableCount) - chosen.count, 0))
    return (chosen.map { feasible[$0] } + others).map { Member(place: $0, weight: 1) }
  }

  /// A little worse than the worst in every objective.
  private static func reference(_ normalized: [[Double]]) -> [Double] {
    (normalized.first ?? []).map { _ in 1.1 }
  }
}
