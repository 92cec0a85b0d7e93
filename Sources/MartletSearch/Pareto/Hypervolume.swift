// How much of the space of losses a set of results dominates.

/// The volume between points and a reference that is worse than they are. Points that are not better than the reference
/// in every objective count for nothing. The volume must be small enough for a number: use `Pareto.normalized` first
/// where losses may be huge.
enum Hypervolume {
  /// The volume dominated by `losses` and dominating `reference`. O(n log n) for 2 objectives, O(n²) at worst for 3,
  /// exponential in the number of objectives beyond.
  static func of(_ losses: [[Double]], reference: [Double]) -> Double {
    volume(losses.compactMap { gain($0, reference) })
  }

  /// By how much the volume would shrink without each.
  static func contributions(_ losses: [[Double]], reference: [Double]) -> [Double] {
    let gains = losses.map { gain($0, reference) }
    return gains.indices.map { place in
      guard let own = gains[place] else { return 0 }
      return exclusive(own, beside: gains.indices.filter { $0 != place }.compactMap { gains[$0] })
    }
  }

  /// The places of `count` of `losses` that together dominate much, in the order in which they were chosen: always the
  /// one that adds most, of equals the first. That is at least 1 − 1/e of the largest volume possible (Nemhauser et al.
  /// 1978).
  ///
  /// What a point adds only falls as others are chosen, so most of what it added in earlier rounds need not be computed
  /// again (Minoux 1978).
  static func greedySubset(_ losses: [[Double]], count: Int, reference: [Double]) -> [Int] {
    let gains = losses.map { gain($0, reference) }
    // Upper bounds of what each adds to those that are chosen.
    var bounds = gains.map { $0.map(product) ?? 0 }
    var isFresh = Array(repeating: true, count: losses.count)
    var isChosen = Array(repeating: false, count: losses.count)
    var chosen: [Int] = []
    var volumes: [[Double]] = []
    while chosen.count < min(count, losses.count) {
      var best = -1
      while true {
        best = -1
        for place in losses.indices where !isChosen[place] && (best < 0 || bounds[place] > bounds[best]) {
          best = place
        }
        if isFresh[best] { break }
        bounds[best] = gains[best].map { exclusive($0, beside: volumes) } ?? 0
        isFresh[best] = true
      }
      chosen.append(best)
      isChosen[best] = true
      if let gain = gains[best] { volumes.append(gain) }
      for place in losses.indices where !isChosen[place] { isFresh[place] = false }
    }
    return chosen
  }

  /// By how much `loss` would let the volume of `front` grow.
  static func improvement(_ loss: [Double], over front: [[Double]], reference: [Double]) -> Double {
    guard let own = gain(loss, reference) else { return 0 }
    return exclusive(own, beside: front.compactMap { gain($0, reference) })
  }

  // MARK: - Boxes from the origin

  // From here on a point is the corner of a box that begins at 0: the reference minus the losses, all above 0.

  private static func gain(_ losses: [Double], _ reference: [Double]) -> [Double]? {
    let gain = zip(reference, losses).map { $0 - $1 }
    return gain.allSatisfy { $0 > 0 } ? gain : nil
  }

  private static func product(_ corner: [Double]) -> Double { corner.reduce(1, *) }

  /// The part of the box of `corner` that lies in none of the other boxes.
  private static func exclusive(_ corner: [Double], beside others: [[Double]]) -> Double {
    max(product(corner) - volume(others.map { clip($0, to: corner) }), 0)
  }

  private static func clip(_ corner: [Double], to limit: [Double]) -> [Double] {
    zip(corner, limit).map { min($0, $1) }
  }

  /// The volume of the union of boxes.
  private static func volume(_ corners: [[Double]]) -> Double {
    guard let dimension = corners.first?.count else { return 0 }
    switch dimension {
    case 1: return corners.reduce(0) { max($0, $1[0]) }
    case 2: return area(corners)
    case 3: return sweep(corners)
    default: return slices(corners, dimension)
    }
  }

  private static func area(_ corners: [[Double]]) -> Double {
    var sum = 0.0
    var height = 0.0
    for corner in corners.sorted(by: { $0[0] > $1[0] || ($0[0] == $1[0] && $0[1] > $1[1]) })
    where corner[1] > height {
      sum += corner[0] * (corner[1] - height)
      height = corner[1]
    }
    return sum
  }

  /// Three dimensions: from the highest box down, with the area of all boxes that reach this high kept as a staircase.
  private static func sweep(_ corners: [[Double]]) -> Double {
    let sorted = corners.sorted { $0[2] > $1[2] }
    // Widths ascending, depths descending.
    var stairs: [(width: Double, depth: Double)] = []
    var area = 0.0
    var sum = 0.0
    for (place, corner) in sorted.enumerated() {
      let (width, depth) = (corner[0], corner[1])
      // The first stair that is as wide.
      var low = 0
      var high = stairs.count
      while low < high {
        let middle = (low + high) / 2
        if stairs[middle].width < width { low = middle + 1 } else { high = middle }
      }
      let behind = low < stairs.count ? stairs[low].depth : 0
      if depth > behind {
        // Stairs that are narrower and not as deep end in the new one.
        var first = low
        while first > 0, stairs[first - 1].depth <= depth { first -= 1 }
        var left = first > 0 ? stairs[first - 1].width : 0
        for stair in stairs[first..<low] {
          area += (stair.width - left) * (depth - stair.depth)
          left = stair.width
        }
        area += (width - left) * (depth - behind)
        var last = low
        if last < stairs.count, stairs[last].width == width { last += 1 }
        stairs.replaceSubrange(first..<last, with: [(width, depth)])
      }
      let next = place + 1 < sorted.count ? sorted[place + 1][2] : 0
      sum += area * (corner[2] - next)
    }
    return sum
  }

  /// More dimensions (While, Bradstreet, Barone: A Fast Way of Calculating Exact Hypervolumes, 2012): what each box
  /// adds to those after it. With boxes in ascending order of the last dimension all later ones are as high, and one
  /// dimension less remains.
  private static func slices(_ corners: [[Double]], _ dimension: Int) -> Double {
    let sorted = corners.sorted { $0[dimension - 1] < $1[dimension - 1] }
    var sum = 0.0
    for (place, corner) in sorted.enumerated() {
      let own = Array(corner.dropLast())
      let later = sorted[(place + 1)...].map { clip(Array($0.dropLast()), to: own) }
      sum += corner[dimension - 1] * max(product(own) - volume(outermost(later)), 0)
    }
    return sum
  }

  /// The boxes that do not lie within another, each once.
  private static func outermost(_ corners: [[Double]]) -> [[Double]] {
    var kept: [[Double]] = []
    for corner in corners.sorted(by: { product($0) > product($1) })
    where !kept.contains(where: { other in zip(other, corner).allSatisfy { $0 >= $1 } }) {
      kept.append(corner)
    }
    return kept
  }
}
