// One regression tree over binned axes, grown to be read as boxes.

/// A box of the space and the mean loss of the trials within.
struct TreeBoxes: Sendable {
  let axisCount: Int
  /// The mean loss in each box.
  fileprivate(set) var values: [Double] = []
  /// `bounds[(box * axisCount + axis) * 2]` is the first bin of the box, the next number the one after its last.
  fileprivate(set) var bounds: [UInt16] = []
  /// By axis: by how much splits along it lowered the sum of squares.
  fileprivate(set) var gains: [Double]

  var count: Int { values.count }

  func low(_ box: Int, _ axis: Int) -> Int { Int(bounds[(box * axisCount + axis) * 2]) }
  func high(_ box: Int, _ axis: Int) -> Int { Int(bounds[(box * axisCount + axis) * 2 + 1]) }
}

/// Grows a tree: at each node the split with the largest fall in the sum of squares, until values are equal or none is
/// left (Breiman et al., "Classification and Regression Trees", 1984, section 8.4).
///
/// Along a parameter that not every trial of a node has a value of, the node is not split: a split along what its
/// condition asks about must come first.
struct TreeGrower {
  let axes: [AxisBins]
  /// `bins[axis][trial]`.
  let bins: [[UInt16]]
  let target: [Double]
  /// By bin of the axis that is looked at: the sum of losses and the number of trials.
  private var sums: [Double]
  private var counts: [Int32]
  /// The bins with a trial, ascending, where there are few trials.
  private var occupied: [Int] = []
  private var boxes: TreeBoxes

  private struct Split {
    var axis: Int
    /// The first bin of the upper part.
    var bin: Int
    var gain: Double
  }

  init(axes: [AxisBins], bins: [[UInt16]], target: [Double]) {
    (self.axes, self.bins, self.target) = (axes, bins, target)
    let most = axes.map(\.count).max() ?? 1
    sums = Array(repeating: 0, count: most)
    counts = Array(repeating: 0, count: most)
    boxes = TreeBoxes(axisCount: axes.count, gains: Array(repeating: 0, count: axes.count))
  }

  /// The boxes of a tree over `rows`, places of trials, of which some may come several times.
  mutating func grow(_ rows: [Int32]) -> TreeBoxes {
    boxes = TreeBoxes(axisCount: axes.count, gains: Array(repeating: 0, count: axes.count))
    var rows = rows
    var bounds = axes.flatMap { axis -> [UInt16] in [0, UInt16(axis.count)] }
    split(&rows, 0..<rows.count, &bounds)
    return boxes
  }

  private mutating func split(_ rows: inout [Int32], _ range: Range<Int>, _ bounds: inout [UInt16]) {
    var sum = 0.0
    var (low, high) = (Double.infinity, -Double.infinity)
    for place in range {
      let value = target[Int(rows[place])]
      sum += value
      low = min(low, value)
      high = max(high, value)
    }
    guard low < high, let best = bestSplit(rows, range, sum, bounds) else {
      boxes.values.append(sum / Double(range.count))
      boxes.bounds += bounds
      return
    }
    boxes.gains[best.axis] += best.gain
    let column = bins[best.axis]
    var middle = range.lowerBound
    for place in range where Int(column[Int(rows[place])]) < best.bin {
      rows.swapAt(place, middle)
      middle += 1
    }
    let (first, last) = (bounds[2 * best.axis], bounds[2 * best.axis + 1])
    bounds[2 * best.axis + 1] = UInt16(best.bin)
    split(&rows, range.lowerBound..<middle, &bounds)
    (bounds[2 * best.axis], bounds[2 * best.axis + 1]) = (UInt16(best.bin), last)
    split(&rows, middle..<range.upperBound, &bounds)
    bounds[2 * best.axis] = first
  }

  private mutating func bestSplit(
    _ rows: [Int32], _ range: Range<Int>, _ sum: Double, _ bounds: [UInt16]
  ) -> Split? {
    let count = Double(range.count)
    let whole = sum * sum / count
    var best: Split?
    for axis in axes.indices {
      let (low, high) = (Int(bounds[2 * axis]), Int(bounds[2 * axis + 1]))
      guard high - low > 1, fill(rows, range, axis, low, high) else { continue }
      var (leftSum, leftCount, previous) = (0.0, 0.0, -1)
      for bin in occupied {
        if previous >= 0 {
          let rightSum = sum - leftSum
          let gain = leftSum * leftSum / leftCount + rightSum * rightSum / (count - leftCount) - whole
          if gain > best?.gain ?? 0 { best = Split(axis: axis, bin: (previous + bin + 1) / 2, gain: gain) }
        }
        leftSum += sums[bin]
        leftCount += Double(counts[bin])
        previous = bin
        (sums[bin], counts[bin]) = (0, 0)
      }
    }
    return best
  }

  /// Sums and counts by bin, and which bins are occupied; false: a trial has no value on this axis.
  private mutating func fill(
    _ rows: [Int32], _ range: Range<Int>, _ axis: Int, _ low: Int, _ high: Int
  ) -> Bool {
    let column = bins[axis]
    let areFew = range.count < (high - low) / 2
    occupied.removeAll(keepingCapacity: true)
    for place in range {
      let row = Int(rows[place])
      let bin = Int(column[row])
      guard bin < high else {
        // No value here: what was noted is taken back.
        for bin in low..<high { (sums[bin], counts[bin]) = (0, 0) }
        return false
      }
      sums[bin] += target[row]
      counts[bin] += 1
      if areFew, counts[bin] == 1 {
        var position = occupied.count
        while position > 0, occupied[position - 1] > bin { position -= 1 }
        occupied.insert(bin, at: position)
      }
    }
    if !areFew { for bin in low..<high where counts[bin] > 0 { occupied.append(bin) } }
    return true
  }
}
