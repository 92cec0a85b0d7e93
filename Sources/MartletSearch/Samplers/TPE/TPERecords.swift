// The finished trials of a search, best first.

import MartletModel

/// What finished trials are sorted by, kept beside the history and brought up to date with each trial that ends.
struct TPERecords: Sendable {
  /// How good a trial is beside others.
  ///
  /// Feasible trials come first, by loss; then pruned ones, those that came further first and of these by their last
  /// report; then those that miss constraints, by how much; failed ones last. Of equals the earlier one.
  struct Key: Comparable, Sendable {
    enum Tier: Int, Sendable { case feasible, pruned, infeasible, failed }
    var tier: Tier
    var first: Double
    var second: Double
    var trial: Int

    init(_ observation: Observation) {
      trial = observation.trial
      guard let loss = observation.losses.first else {
        (tier, first, second) = (.failed, 0, 0)
        return
      }
      if observation.violation > 0 {
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
  private(set) var keys: [Key] = []
  /// Places of `keys`, the best first.
  private(set) var order: [Int] = []
  /// How many trials have losses.
  private(set) var usableCount = 0
  /// How many trials were trained to their end and meet all constraints.
  private(set) var feasibleCount = 0

  /// All trials of a history.
  init(_ history: History) {
    keys = history.observations.map(Key.init)
    order = keys.indices.sorted { keys[$0] < keys[$1] }
    usableCount = keys.count { $0.tier != .failed }
    feasibleCount = keys.count { $0.tier == .feasible }
  }

  /// Another trial ended; it is in the history already.
  mutating func add(_ observation: Observation) {
    let key = Key(observation)
    let place = Self.search(0..<keys.count) { keys[$0].trial < key.trial }
    if place < keys.count {
      for index in order.indices where order[index] >= place { order[index] += 1 }
    }
    keys.insert(key, at: place)
    let rank = Self.search(0..<order.count) { keys[order[$0]] < key }
    order.insert(place, at: rank)
    if key.tier != .failed { usableCount += 1 }
    if key.tier == .feasible { feasibleCount += 1 }
  }

  /// The first index for which `isBefore` does not hold.
  private static func search(_ range: Range<Int>, _ isBefore: (Int) -> Bool) -> Int {
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
