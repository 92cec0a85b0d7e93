// Which of several results are better when each is judged by several numbers.

/// Pareto domination, on vectors of losses that are finite and of one length. Less is better in every one.
public enum Pareto {
  /// Whether `a` is nowhere worse than `b` and somewhere better.
  public static func dominates(_ a: [Double], _ b: [Double]) -> Bool {
    var isBetter = false
    for index in a.indices {
      if a[index] > b[index] { return false }
      if a[index] < b[index] { isBetter = true }
    }
    return isBetter
  }

  /// The places of those that no other dominates, ascending. Equal ones are all there.
  static func front(_ losses: [[Double]]) -> [Int] {
    let ranks = ranks(losses, upTo: 1)
    return losses.indices.filter { ranks[$0] == 0 }
  }

  /// For each its rank: 0 on the front, 1 on the front of what remains without it, and so on.
  ///
  /// Each takes the first front that has nobody who dominates it, in lexicographic order, so that only those before can
  /// dominate (Zhang et al.: An Efficient Approach to Nondominated Sorting, 2015). Two objectives need O(n log n), for
  /// of each front only the last member counts; more need O(n²) at worst.
  ///
  /// - Parameter limit: ranks are told apart until so many have one; the others all have the rank after the last.
  static func ranks(_ losses: [[Double]], upTo limit: Int = .max) -> [Int] {
    let order = losses.indices.sorted { a, b in
      for (left, right) in zip(losses[a], losses[b]) where left != right { return left < right }
      return a < b
    }
    var ranks = Array(repeating: 0, count: losses.count)
    var fronts: [[Int]] = []
    for (position, place) in order.enumerated() {
      if position > 0, losses[order[position - 1]] == losses[place] {
        ranks[place] = ranks[order[position - 1]]
        continue
      }
      let rank = firstFront(without: place, in: fronts, losses)
      ranks[place] = rank
      if rank == fronts.count { fronts.append([place]) } else { fronts[rank].append(place) }
    }
    return limit < losses.count ? cut(ranks, at: limit) : ranks
  }

  /// The first front none of whose members dominates the one at `place`. Members were put there in lexicographic order.
  private static func firstFront(without place: Int, in fronts: [[Int]], _ losses: [[Double]]) -> Int {
    let own = losses[place]
    if own.count <= 2 {
      // Within a front the second loss falls from member to member, so the last one decides; and if a front has nobody
      // who dominates, neither have those after it.
      var low = 0
      var high = fronts.count
      while low < high {
        let middle = (low + high) / 2
        if let last = fronts[middle].last, dominates(losses[last], own) {
          low = middle + 1
        } else {
          high = middle
        }
      }
      return low
    }
    return fronts.firstIndex { front in !front.reversed().contains { dominates(losses[$0], own) } }
      ?? fronts.count
  }

  /// The ranks with all those after the one that reaches `limit` made one.
  static func cut(_ ranks: [Int], at limit: Int) -> [Int] {
    var counts = Array(repeating: 0, count: (ranks.max() ?? 0) + 1)
    for rank in ranks { counts[rank] += 1 }
    var sum = 0
    guard
      let last = counts.firstIndex(where: {
        sum += $0
        return sum >= limit
      })
    else { return ranks }
    return ranks.map { min($0, last + 1) }
  }

  /// Each loss as its place between the smallest (0) and the largest (1) of its objective; 0 where all are equal.
  ///
  /// What depends only on order or on ratios of volumes can be computed of these, without overflow for losses as large
  /// as a number can be.
  static func normalized(_ losses: [[Double]]) -> [[Double]] {
    guard let first = losses.first else { return [] }
    var low = first
    var high = first
    for row in losses {
      for (objective, loss) in row.enumerated() {
        low[objective] = min(low[objective], loss)
        high[objective] = max(high[objective], loss)
      }
    }
    return losses.map { row in
      row.indices.map { objective in
        // Halves first: the whole range may be too large for a number.
        let range = high[objective] / 2 - low[objective] / 2
        return range > 0 ? (row[objective] / 2 - low[objective] / 2) / range : 0
      }
    }
  }

  /// How much room each has along its front (Deb et al.: NSGA-II, 2002, section III-B); infinite at the ends of an
  /// objective. `losses` are those of one front.
  static func crowding(_ losses: [[Double]]) -> [Double] {
    guard let objectives = losses.first?.count else { return [] }
    let losses = normalized(losses)
    var distance = Array(repeating: 0.0, count: losses.count)
    for objective in 0..<objectives {
      let order = losses.indices.sorted { (losses[$0][objective], $0) < (losses[$1][objective], $1) }
      distance[order[0]] = .infinity
      distance[order[order.count - 1]] = .infinity
      for position in order.indices.dropFirst().dropLast() {
        distance[order[position]] +=
          losses[order[position + 1]][objective] - losses[order[position - 1]][objective]
      }
    }
    return distance
  }
}
