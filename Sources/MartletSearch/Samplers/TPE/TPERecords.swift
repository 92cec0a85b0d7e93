// The finished trials of a search, best first.

import MartletModel

/// How finished trials stand beside each other, kept beside the history and brought up to date with each trial that
/// ends.
struct TPERecords: Sendable {
  enum Tier: Int, Sendable { case feasible, pruned, infeasible, penalized, failed }

  /// Feasible trials come first, by loss; then pruned ones, those that came further first and of these by their last
  /// report; then those that miss constraints, by how much; failed ones last, those with penalties first and by these. Of
  /// equals the earlier one.
  ///
  /// With several objectives the losses say nothing here: `TPESplit` ranks the feasible ones.
  struct Key: Comparable, Sendable {
    let tier: Tier
    let first: Double
    let second: Double
    let trial: Int

    init(_ observation: Observation) {
      trial = observation.trial
      let loss = observation.losses.first ?? 0
      if observation.losses.isEmpty {
        (tier, first, second) = (.failed, 0, 0)
      } else if observation.state == .failed {
        (tier, first, second) = (.penalized, loss, 0)
      } else if observation.violation > 0 {
        (tier, first, second) = (.infeasible, observation.violation, loss)
      } else if observation.state == .complete {
        (tier, first, second) = (.feasible, loss, 0)
      } else {
        (tier, first, second) = (.pruned, -Double(observation.step ?? 0), loss)
      }
    }

    static func < (a: Key, b: Key) -> Bool {
      if a.tier != b.tier { return a.tier.rawValue < b.tier.rawValue }
      if a.first != b.first { return a.first < b.first }
      if a.second != b.second { return a.second < b.second }
      return a.trial < b.trial
    }
  }

  /// In the order of the history.
  private(set) var keys: [Key]
  /// Places of `keys`, the best first.
  private(set) var order: [Int]
  /// With several objectives the feasible ones that may be among the best.
  private(set) var contenders: TPEContenders
  private var counts = [0, 0, 0, 0, 0]

  /// All trials of a history.
  ///
  /// - Parameter limit: how many are called good at most.
  init(_ history: History, limit: Int) {
    let keys = history.observations.map(Key.init)
    self.keys = keys
    order = keys.indices.sorted { keys[$0] < keys[$1] }
    contenders = TPEContenders(limit: limit)
    for (key, observation) in zip(keys, history.observations) { count(key, observation) }
  }

  private mutating func count(_ key: Key, _ observation: Observation) {
    counts[key.tier.rawValue] += 1
    if key.tier == .feasible, observation.losses.count > 1 { contenders.add(key.trial, observation.losses) }
  }

  /// Another trial ended.
  mutating func add(_ observation: Observation) {
    let key = Key(observation)
    let place = place(of: key.trial)
    if place < keys.count {
      for index in order.indices where order[index] >= place { order[index] += 1 }
    }
    keys.insert(key, at: place)
    order.insert(place, at: order.partition { keys[$0] < key })
    count(key, observation)
  }

  /// The place of a trial that is known.
  func place(of trial: Int) -> Int { keys.partition { $0.trial < trial } }

  func count(_ tier: Tier) -> Int { counts[tier.rawValue] }

  /// How many trials have losses.
  var usableCount: Int { keys.count - count(.failed) }
}

extension Array {
  /// How many elements at the beginning are `before`, which holds for none after the first for which it does not.
  fileprivate func partition(_ before: (Element) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if before(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
