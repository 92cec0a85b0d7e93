// What a forest has learned of how the loss depends on the parameters.

/// A random forest over the completed trials, and the means and variances that follow from it exactly.
///
/// Hutter, Hoos, Leyton-Brown, "An Efficient Approach for Assessing Hyperparameter Importance" (2014): the mean of a tree
/// over all parameters but some (equation 3) is a sum over its boxes, and so are the variances of those means (functional
/// ANOVA). Here every parameter is weighted by its prior.
///
/// A parameter with a condition is judged where it has a value: the variance of its mean is divided by the share of points
/// that have one, so that two parameters of equal effect in their branches are told apart by the branches' sizes alone.
public struct ResponseModel: Sendable {
  /// How many trees there are.
  static let treeCount = 64
  /// A tree sees so many trials at most.
  static let sampleSize = 1500
  /// It takes so many completed trials to say anything.
  public static let leastTrials = 4

  let cube: UnitCube
  let axes: [AxisBins]
  /// By axis and bin its share, and the sums of those before, one more of them.
  let measures: [[Double]]
  private let edges: [[Double]]
  /// For each axis the share of points of the prior that have a value on it.
  let activity: [Double]
  private let trees: [TreeBoxes]

  /// - Parameters:
  ///   - columns: by axis, by trial.
  ///   - target: by trial, all finite.
  /// - Returns: nil for fewer than `leastTrials` trials, or losses that are all equal.
  init?(cube: UnitCube, columns: [[Double]], target: [Double], seed: UInt64) {
    guard target.count >= Self.leastTrials, !cube.axes.isEmpty else { return nil }
    let target = Self.clipped(target)
    guard let low = target.min(), let high = target.max(), low < high else { return nil }
    self.cube = cube
    var axes = cube.axes.map(AxisBins.init)
    for axis in axes.indices { axes[axis].order(by: target, at: columns[axis]) }
    self.axes = axes
    measures = axes.map(\.measure)
    edges = measures.map { shares in
      var sum = 0.0
      return [0]
        + shares.map {
          sum += $0
          return sum
        }
    }
    activity = Self.activity(cube, seed: seed)
    let bins = zip(axes, columns).map { axis, column in column.map(axis.bin) }
    var grower = TreeGrower(axes: axes, bins: bins, target: target)
    let size = min(target.count, Self.sampleSize)
    trees = (0..<Self.treeCount).map { tree in
      var generator = Xoshiro256(seed: seed, stream: UInt64(tree))
      return grower.grow((0..<size).map { _ in Int32(generator.below(UInt64(target.count))) })
    }
  }

  /// Losses beyond ten interquartile ranges from the quartiles count as that far: a few trials that diverged would be all
  /// of the variance.
  static func clipped(_ target: [Double]) -> [Double] {
    let low = PercentileRule.quantile(0.25, of: target)
    let high = PercentileRule.quantile(0.75, of: target)
    let reach = 10 * (high - low)
    guard reach.isFinite, reach > 0 else { return target.map { min(max($0, -1e150), 1e150) } }
    return target.map { min(max($0, low - reach), high + reach) }
  }

  private static func activity(_ cube: UnitCube, seed: UInt64) -> [Double] {
    guard cube.isConditional else { return cube.axes.map { _ in 1 } }
    var generator = Xoshiro256(seed: seed, stream: 1 << 32)
    var counts = cube.axes.map { _ in 0 }
    for _ in 0..<1024 {
      for (axis, coordinate) in cube.draw(using: &generator).enumerated() where !coordinate.isNaN {
        counts[axis] += 1
      }
    }
    return counts.map { max(Double($0), 1) / 1024 }
  }

  // MARK: - Variances

  /// By axis, the share of the variance of the loss that its mean explains alone: 0 to 1, the mean over trees.
  public var mainEffects: [Double] {
    var shares = axes.map { _ in 0.0 }
    for tree in trees {
      let volumes = volumes(of: tree)
      let (mean, variance) = moments(of: tree, volumes)
      guard variance > 0 else { continue }
      for axis in axes.indices {
        let effect = self.variance(of: line(tree, volumes, axis), measures[axis], mean)
        shares[axis] += min(effect / activity[axis] / variance, 1)
      }
    }
    return shares.map { $0 / Double(trees.count) }
  }

  /// For each pair of axes the share of the variance that they explain together and neither alone, 0 to 1.
  func interactions(_ pairs: [(Int, Int)]) -> [Double] {
    let involved = Set(pairs.flatMap { [$0.0, $0.1] }).sorted()
    var shares = pairs.map { _ in 0.0 }
    for tree in trees {
      let volumes = volumes(of: tree)
      let (mean, variance) = moments(of: tree, volumes)
      guard variance > 0 else { continue }
      var alone = axes.map { _ in 0.0 }
      for axis in involved {
        alone[axis] = self.variance(of: line(tree, volumes, axis), measures[axis], mean)
      }
      for (place, (a, b)) in pairs.enumerated() {
        let joint = self.variance(of: surface(tree, volumes, a, b), a, b, mean)
        let together = max(joint - alone[a] - alone[b], 0) / (activity[a] * activity[b])
        shares[place] += min(together / variance, 1)
      }
    }
    return shares.map { $0 / Double(trees.count) }
  }

  /// By axis, its part in how far splits lowered the sum of squares; they add up to 1 (mean decrease in impurity).
  public var impurityDecreases: [Double] {
    var sums = axes.map { _ in 0.0 }
    for tree in trees {
      let whole = tree.gains.reduce(0, +)
      guard whole > 0 else { continue }
      for axis in axes.indices { sums[axis] += tree.gains[axis] / whole }
    }
    let whole = sums.reduce(0, +)
    return whole > 0 ? sums.map { $0 / whole } : sums
  }

  // MARK: - Means

  /// The mean loss by bin of one axis, over all others.
  func means(along axis: Int) -> [Double] {
    var means = Array(repeating: 0.0, count: axes[axis].count)
    for tree in trees {
      for (bin, value) in line(tree, volumes(of: tree), axis).enumerated() { means[bin] += value }
    }
    return means.map { $0 / Double(trees.count) }
  }

  /// The mean loss by bins of two axes, over all others: the bins of `b` within those of `a`.
  func means(along a: Int, _ b: Int) -> [Double] {
    var means = Array(repeating: 0.0, count: axes[a].count * axes[b].count)
    for tree in trees {
      for (place, value) in surface(tree, volumes(of: tree), a, b).enumerated() { means[place] += value }
    }
    return means.map { $0 / Double(trees.count) }
  }

  private func width(_ tree: TreeBoxes, _ box: Int, _ axis: Int) -> Double {
    edges[axis][tree.high(box, axis)] - edges[axis][tree.low(box, axis)]
  }

  private func volumes(of tree: TreeBoxes) -> [Double] {
    (0..<tree.count).map { box in
      var volume = 1.0
      for axis in axes.indices where tree.high(box, axis) - tree.low(box, axis) < axes[axis].count {
        volume *= width(tree, box, axis)
      }
      return volume
    }
  }

  private func moments(of tree: TreeBoxes, _ volumes: [Double]) -> (mean: Double, variance: Double) {
    var mean = 0.0
    for (volume, value) in zip(volumes, tree.values) { mean += volume * value }
    var variance = 0.0
    for (volume, value) in zip(volumes, tree.values) { variance += volume * (value - mean) * (value - mean) }
    return (mean, variance)
  }

  private func variance(of means: [Double], _ weights: [Double], _ mean: Double) -> Double {
    var sum = 0.0
    for (value, weight) in zip(means, weights) { sum += weight * (value - mean) * (value - mean) }
    return sum
  }

  private func variance(of surface: [Double], _ a: Int, _ b: Int, _ mean: Double) -> Double {
    var (sum, place) = (0.0, 0)
    for outer in measures[a] {
      for inner in measures[b] {
        sum += outer * inner * (surface[place] - mean) * (surface[place] - mean)
        place += 1
      }
    }
    return sum
  }

  /// Each box adds its value, times its size in all other axes, from its first bin to its last: what changes at a bin is
  /// noted and added up once.
  private func line(_ tree: TreeBoxes, _ volumes: [Double], _ axis: Int) -> [Double] {
    var changes = Array(repeating: 0.0, count: axes[axis].count + 1)
    for box in 0..<tree.count where volumes[box] > 0 {
      let weight = tree.values[box] * volumes[box] / width(tree, box, axis)
      changes[tree.low(box, axis)] += weight
      changes[tree.high(box, axis)] -= weight
    }
    var running = 0.0
    return changes.dropLast().map {
      running += $0
      return running
    }
  }

  private func surface(_ tree: TreeBoxes, _ volumes: [Double], _ a: Int, _ b: Int) -> [Double] {
    let (rows, columns) = (axes[a].count, axes[b].count)
    var changes = Array(repeating: 0.0, count: (rows + 1) * (columns + 1))
    for box in 0..<tree.count where volumes[box] > 0 {
      let weight = tree.values[box] * volumes[box] / (width(tree, box, a) * width(tree, box, b))
      let (top, bottom) = (tree.low(box, a) * (columns + 1), tree.high(box, a) * (columns + 1))
      changes[top + tree.low(box, b)] += weight
      changes[top + tree.high(box, b)] -= weight
      changes[bottom + tree.low(box, b)] -= weight
      changes[bottom + tree.high(box, b)] += weight
    }
    var surface: [Double] = []
    surface.reserveCapacity(rows * columns)
    var above = Array(repeating: 0.0, count: columns)
    for row in 0..<rows {
      var running = 0.0
      for column in 0..<columns {
        running += changes[row * (columns + 1) + column]
        above[column] += running
        surface.append(above[column])
      }
    }
    return surface
  }
}
