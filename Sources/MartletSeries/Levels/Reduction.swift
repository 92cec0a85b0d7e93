// A window of a series in a given number of buckets.

/// Gathers the points or blocks of one series, in the order of their steps, into buckets.
///
/// The window is cut into equal widths of steps. Every point is in exactly one bucket: minima, maxima and counts are exact.
/// A block goes whole into the bucket in which its middle lies, so that a border moves to the nearest border of a block.
public struct Reduction: Sendable {
  /// Buckets that hold something, in order.
  public private(set) var buckets: [PointBlock] = []
  /// At the last point of each bucket; empty without an average. Of points only: a bucket of blocks has NaN.
  public private(set) var averages: [Double] = []
  /// The x of each bucket's first point; empty without an axis.
  public private(set) var xs: [Double] = []
  /// May be given the values before the window, so that a curve does not depend on the zoom.
  public var average: MovingAverage?

  private let window: ClosedRange<Int64>
  private let count: Int
  private var current = -1

  /// - Parameters:
  ///   - window: the first and the last step of the points.
  ///   - buckets: 1 or more.
  ///   - average: also gives an average at each bucket's last point.
  public init(window: ClosedRange<Int64>, buckets: Int, average: MovingAverage? = nil) {
    self.window = window
    self.count = Swift.max(1, buckets)
    self.average = average
  }

  /// The bucket, from 0, that a step of the window falls into.
  public func bucket(of step: Int64) -> Int {
    let width = (Double(window.upperBound) - Double(window.lowerBound) + 1) / Double(count)
    return min(count - 1, Int((Double(step) - Double(window.lowerBound)) / width))
  }

  /// - Parameter block: its steps are within the window and above all those before.
  public mutating func add(_ block: PointBlock) {
    let half = Int64(bitPattern: UInt64(bitPattern: block.lastStep &- block.firstStep) / 2)
    place(block, in: bucket(of: block.firstStep &+ half))
  }

  private mutating func place(_ block: PointBlock, in bucket: Int) {
    if bucket == current {
      buckets[buckets.count - 1].merge(block)
    } else {
      current = bucket
      buckets.append(block)
    }
  }

  /// Points whose steps are within the window, strictly increasing, and above all those before.
  ///
  /// - Parameter xs: one for each point, where the series has an axis of its own.
  public mutating func add(steps: [Int64], times: [Int64], values: [Double], xs: [Double]? = nil) {
    for index in values.indices {
      let isNew = bucket(of: steps[index]) != current
      place(
        PointBlock(step: steps[index], time: times[index], value: values[index]), in: bucket(of: steps[index])
      )
      if let xs, isNew { self.xs.append(xs[index]) }
      average?.add(values[index])
      if let average {
        if isNew { averages.append(average.value) } else { averages[averages.count - 1] = average.value }
      }
    }
  }
}
