// A window of a series in a given number of buckets.

/// Gathers the points or blocks of one series, in the order of their steps, into buckets.
///
/// The window is cut into equal widths of steps. Every point is in exactly one bucket, so that no minimum, maximum or count is
/// lost. A block goes whole into the bucket in which its middle lies: the border between two buckets moves to the nearest border
/// of a block, past half a block's points at most.
public struct Reduction: Sendable {
  /// Buckets that hold something, in order.
  public private(set) var buckets: [PointBlock] = []
  /// At the last point of each bucket; empty without an average. A bucket of blocks alone has what was before it.
  public private(set) var averages: [Double] = []
  /// The x of each bucket's first point; empty without an axis.
  public private(set) var xs: [Double] = []
  /// Given the values before the window first, the curve does not depend on the zoom.
  public var average: MovingAverage?

  private let window: ClosedRange<Int64>
  private let count: UInt64
  /// The bucket that is last in `buckets`.
  private var current: Int?

  /// - Parameters:
  ///   - window: the first and the last step that there are to be.
  ///   - buckets: 1 or more.
  ///   - average: gives an average at each bucket's last point.
  public init(window: ClosedRange<Int64>, buckets: Int, average: MovingAverage? = nil) {
    self.window = window
    self.count = UInt64(max(1, buckets))
    self.average = average
  }

  /// The bucket, from 0, that a step falls into: exact for all of Int64. Steps outside of the window fall into the first or the last.
  public func bucket(of step: Int64) -> Int {
    guard step > window.lowerBound else { return 0 }
    let offset = UInt64(bitPattern: min(step, window.upperBound) &- window.lowerBound)
    let product = offset.multipliedFullWidth(by: count)
    let last = UInt64(bitPattern: window.upperBound &- window.lowerBound)
    // ⌊offset · count / (last + 1)⌋; last + 1 is 2^64 in a window of all steps.
    return last == .max ? Int(product.high) : Int((last + 1).dividingFullWidth(product).quotient)
  }

  /// - Parameter block: above all that came before.
  public mutating func add(_ block: PointBlock) {
    let half = Int64(bitPattern: UInt64(bitPattern: block.lastStep &- block.firstStep) / 2)
    place(block, in: bucket(of: block.firstStep &+ half), x: .nan)
  }

  /// Points whose steps strictly increase and are above all that came before.
  ///
  /// - Parameters:
  ///   - steps, times, values: of one length.
  ///   - xs: one for each point, where the series has an axis of its own; then always.
  public mutating func add(steps: [Int64], times: [Int64], values: [Double], xs: [Double]? = nil) {
    var start = 0
    while start < values.count {
      let bucket = bucket(of: steps[start])
      let end = end(of: bucket, from: start, in: steps)
      guard let block = PointBlock(steps: steps, times: times, values: values, range: start..<end) else {
        return
      }
      if average != nil { for value in values[start..<end] { average?.add(value) } }
      if let xs {
        place(block, in: bucket, x: xs[start])
      } else {
        place(block, in: bucket, x: nil)
      }
      start = end
    }
  }

  /// Behind the last of the points from `start` that fall into `bucket`, as the first of them does.
  private func end(of bucket: Int, from start: Int, in steps: [Int64]) -> Int {
    // Steps twice as wide each time, then halves.
    var inside = start
    var outside = start + 1
    while outside < steps.count, self.bucket(of: steps[outside]) == bucket {
      inside = outside
      outside = min(steps.count, outside + 2 * (outside - start))
    }
    while outside - inside > 1 {
      let middle = (inside + outside) / 2
      if self.bucket(of: steps[middle]) == bucket { inside = middle } else { outside = middle }
    }
    return outside
  }

  private mutating func place(_ block: PointBlock, in bucket: Int, x: Double?) {
    if bucket == current {
      buckets[buckets.count - 1].merge(block)
      if let average { averages[averages.count - 1] = average.value }
    } else {
      current = bucket
      buckets.append(block)
      if let average { averages.append(average.value) }
      if let x { xs.append(x) }
    }
  }
}
