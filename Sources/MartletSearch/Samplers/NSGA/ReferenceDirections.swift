// The directions along which NSGA-III spreads its population.

/// Points of the unit simplex, and who is nearest to which.
///
/// Deb, Jain: An Evolutionary Many-Objective Optimization Algorithm Using Reference-Point-Based Nondominated Sorting
/// Approach, part I (2014), sections IV-B to IV-E.
enum ReferenceDirections {
  /// How many points there are: combinations of objectives + divisions − 1 by divisions; `Int.max` beyond that.
  static func count(objectives: Int, divisions: Int) -> Int {
    var count = 1
    for step in 0..<min(divisions, objectives - 1) {
      let product = count.multipliedReportingOverflow(by: objectives + divisions - 1 - step)
      if product.overflow { return .max }
      count = product.partialValue / (step + 1)
    }
    return count
  }

  /// All points whose coordinates are multiples of 1/divisions and add up to 1 (Das, Dennis 1998), in lexicographic
  /// order.
  static func all(objectives: Int, divisions: Int) -> [[Double]] {
    var points: [[Double]] = []
    func fill(_ prefix: [Int], _ left: Int) {
      if prefix.count == objectives - 1 {
        points.append((prefix + [left]).map { Double($0) / Double(divisions) })
        return
      }
      for share in 0...left { fill(prefix + [share], left - share) }
    }
    fill([], divisions)
    return points
  }

  /// Places of `room` of `front` that fill the gaps best which `chosen` leave: again and again the direction with the
  /// fewest takes the one nearest to it. Where the paper draws lots, the earlier one is taken.
  static func fill(
    _ room: Int, from front: [[Double]], beside chosen: [[Double]], directions: [[Double]]
  ) -> [Int] {
    let scaled = normalized(chosen + front)
    var counts = Array(repeating: 0, count: directions.count)
    for point in scaled.prefix(chosen.count) { counts[nearest(point, directions).direction] += 1 }
    let near = scaled.dropFirst(chosen.count).map { nearest($0, directions) }
    var waiting = Array(repeating: [Int](), count: directions.count)
    for (place, match) in near.enumerated() { waiting[match.direction].append(place) }
    for direction in waiting.indices {
      waiting[direction].sort { (near[$0].distance, $0) < (near[$1].distance, $1) }
    }
    var result: [Int] = []
    while result.count < min(room, front.count) {
      var emptiest: Int?
      for direction in directions.indices where !waiting[direction].isEmpty {
        if let best = emptiest, counts[best] <= counts[direction] { continue }
        emptiest = direction
      }
      guard let emptiest else { break }
      result.append(waiting[emptiest].removeFirst())
      counts[emptiest] += 1
    }
    return result
  }

  /// Losses less the best of each objective, divided by the intercepts of the plane through the extreme points
  /// (section IV-C); by the worst of each where there is no such plane.
  static func normalized(_ losses: [[Double]]) -> [[Double]] {
    // First to 0...1 an objective: the rest is then free of overflow, and of the units of the losses.
    let shifted = Pareto.normalized(losses)
    guard let objectives = shifted.first?.count, objectives > 1 else { return shifted }
    // For each axis the point that is best in all the others.
    let extremes = (0..<objectives).map { axis -> [Double] in
      func achievement(_ point: [Double]) -> Double {
        point.indices.map { $0 == axis ? point[$0] : point[$0] * 1e6 }.max() ?? 0
      }
      var best = shifted[0]
      for point in shifted where achievement(point) < achievement(best) { best = point }
      return best
    }
    guard let plane = solve(extremes), plane.allSatisfy({ $0 > 1e-6 && $0.isFinite }) else { return shifted }
    let intercepts = plane.map { 1 / $0 }
    guard intercepts.allSatisfy({ $0 > 1e-6 && $0 <= 1.000001 }) else { return shifted }
    return shifted.map { point in zip(point, intercepts).map { $0 / $1 } }
  }

  /// x with A x = 1, by Gaussian elimination with row pivots; nil when A is singular.
  private static func solve(_ matrix: [[Double]]) -> [Double]? {
    let n = matrix.count
    var rows = matrix.map { $0 + [1] }
    for column in 0..<n {
      var pivot = column
      for row in column..<n where rows[row][column].magnitude > rows[pivot][column].magnitude { pivot = row }
      guard rows[pivot][column].magnitude > 1e-10 else { return nil }
      rows.swapAt(column, pivot)
      for row in 0..<n where row != column {
        let factor = rows[row][column] / rows[column][column]
        for entry in column...n { rows[row][entry] -= factor * rows[column][entry] }
      }
    }
    return (0..<n).map { rows[$0][n] / rows[$0][$0] }
  }

  /// The direction whose ray from the origin is nearest.
  private static func nearest(
    _ point: [Double], _ directions: [[Double]]
  ) -> (direction: Int, distance: Double) {
    var best = (direction: 0, distance: Double.infinity)
    for (place, direction) in directions.enumerated() {
      var along = 0.0
      var length = 0.0
      var own = 0.0
      for objective in point.indices {
        along += point[objective] * direction[objective]
        length += direction[objective] * direction[objective]
        own += point[objective] * point[objective]
      }
      let distance = max(own - along * along / length, 0)
      if distance < best.distance { best = (place, distance) }
    }
    return best
  }
}
