// Who is better than how many others, where all stand on the same rung.

/// Loss vectors in fronts: those that none dominates, those that only the first dominate, and so on (Deb et al., "A Fast
/// and Elitist Multiobjective Genetic Algorithm: NSGA-II", 2002, section III-A). With one objective a front is one loss.
///
/// What it answers depends on the vectors alone, not on their order.
struct RungRanking: Hashable, Sendable {
  /// One objective: the losses, ascending.
  private var sorted: [Double] = []
  /// Several objectives.
  private var vectors: [[Double]] = []
  /// `fronts[i]` is the front of `vectors[i]`, 0 the best: the length of the longest chain of others that dominate each
  /// other down to it.
  private var fronts: [Int] = []

  var count: Int { max(sorted.count, vectors.count) }

  mutating func insert(_ losses: [Double]) {
    if losses.count == 1 {
      sorted.insert(losses[0], at: countBelow(losses[0]))
      return
    }
    vectors.append(losses)
    fronts.append(front(of: losses))
    // Those it dominates move back, and whom they dominate in turn.
    var moved = [vectors.count - 1]
    while let mover = moved.popLast() {
      for index in vectors.indices
      where fronts[index] <= fronts[mover] && Pareto.dominates(vectors[mover], vectors[index]) {
        fronts[index] = fronts[mover] + 1
        moved.append(index)
      }
    }
  }

  /// How many vectors stand in better fronts than one with these losses.
  func countBetter(than losses: [Double]) -> Int {
    if losses.count == 1 { return countBelow(losses[0]) }
    let front = front(of: losses)
    return fronts.count { $0 < front }
  }

  /// The highest loss among the best `count`; nil with several objectives, or when there are fewer.
  func bound(ofBest count: Int) -> Double? { sorted.indices.contains(count - 1) ? sorted[count - 1] : nil }

  private func front(of losses: [Double]) -> Int {
    var front = 0
    for (vector, own) in zip(vectors, fronts) where own >= front && Pareto.dominates(vector, losses) {
      front = own + 1
    }
    return front
  }

  private func countBelow(_ loss: Double) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < loss { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
