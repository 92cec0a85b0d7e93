// Which trials count as good, which as bad, and how much each.

/// The trials a model is made of.
struct TPESplit: Sendable {
  struct Member: Hashable, Sendable {
    /// The place of its observation in the history.
    var place: Int
    var weight: Double
  }

  /// The good ones, oldest first.
  var below: [Member]
  /// The others, oldest first, without those under way.
  var above: [Member]
}

extension TPESplit {
  /// - Parameter count: how many shall be good.
  init(_ records: TPERecords, _ history: History, good count: Int, _ settings: TPESettings, seed: UInt64) {
    let count = min(count, records.usableCount)
    var isBelow = Array(repeating: false, count: records.keys.count)
    var weights = Array(repeating: 1.0, count: records.keys.count)
    if history.observations.isEmpty {
      (below, above) = ([], [])
      return
    }
    for (rank, place) in records.order[..<count].enumerated() {
      isBelow[place] = true
      if settings.belowWeights == "rank" {
        weights[place] = log(Double(count) + 1) - log(Double(rank) + 1)
      } else if settings.belowWeights == "value", count < records.order.count {
        let edge = records.keys[records.order[count]].first
        let best = records.keys[records.order[0]].first
        let own = records.keys[place].first
        weights[place] = edge > best ? 0.1 + (edge - own) / (edge - best) : 1
      }
    }
    below = records.keys.indices.filter { isBelow[$0] }.map { Member(place: $0, weight: weights[$0]) }
    let others = records.keys.indices.filter { !isBelow[$0] }
    above = others.enumerated().map {
      Member(
        place: $1,
        weight: settings.aboveWeights == "recent" ? Self.recency($0, of: others.count) : 1)
    }
  }

  private static func recency(_ index: Int, of count: Int) -> Double {
    let ramp = count - 25
    if count < 25 || index >= ramp { return 1 }
    if ramp == 1 { return 1 / Double(count) }
    return 1 / Double(count) + (1 - 1 / Double(count)) * Double(index) / Double(ramp - 1)
  }
}
