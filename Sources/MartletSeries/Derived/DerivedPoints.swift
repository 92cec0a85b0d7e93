// Series joined at equal steps, and what an expression makes of them.

public import MartletModel

/// Points of one series: steps that strictly increase, times in microseconds since 1970, values; all of one length.
public struct PointRun: Sendable {
  public var steps: [Int64]
  public var times: [Int64]
  public var values: [Double]

  /// - Parameters: of one length.
  public init(steps: [Int64], times: [Int64], values: [Double]) {
    (self.steps, self.times, self.values) = (steps, times, values)
  }
}

/// Computes the points of an expression, and of another one that is its axis, from those of logged metrics.
///
/// Nothing is kept but one piece of each metric: the points come as they are asked for, and go as they are made.
public struct DerivedPoints {
  /// One point.
  public struct Point: Sendable, Hashable {
    public var step: Int64
    /// Microseconds since 1970: the latest of the points it is made of.
    public var time: Int64
    public var value: Double
    /// The axis at this step; nil where there is none.
    public var x: Double?

    public init(step: Int64, time: Int64, value: Double, x: Double? = nil) {
      (self.step, self.time, self.value, self.x) = (step, time, value, x)
    }
  }

  private struct Leaf {
    var points = PointRun(steps: [], times: [], values: [])
    var place = 0
    var hasEnded = false
  }

  private var program: ExpressionProgram
  private let hasAxis: Bool
  /// Of the run's first row.
  private let start: Int64

  /// - Parameters:
  ///   - expression: of logged metrics.
  ///   - axis: points where it has no value are left out.
  ///   - start: when the run's first row was logged, microseconds since 1970.
  ///   - config: a number of the run's configuration; nil: it has none at this path.
  public init(
    _ expression: MetricExpression, axis: MetricExpression? = nil, start: Int64,
    config: (String) -> Double?
  ) {
    program = ExpressionProgram([expression] + (axis.map { [$0] } ?? []), config: config)
    hasAxis = axis != nil
    self.start = start
  }

  /// The logged metrics whose points are needed, as `refill` counts them.
  public var metrics: [String] { program.metrics }

  /// Computes all points, by step.
  ///
  /// - Parameters:
  ///   - refill: the next points of a metric, above all that came before; nil or none: there are no more.
  ///   - take: called for each point that is made.
  public mutating func compute(
    refill: (Int) throws -> PointRun?, take: (Point) throws -> Void
  ) rethrows {
    var leaves = [Leaf](repeating: Leaf(), count: metrics.count)
    var values = [ExpressionProgram.Value](repeating: .none, count: metrics.count)
    while true {
      var step: Int64?
      for index in leaves.indices {
        if leaves[index].place == leaves[index].points.steps.count, !leaves[index].hasEnded {
          let points = try refill(index)
          leaves[index] = Leaf(points: points ?? PointRun(steps: [], times: [], values: []))
          leaves[index].hasEnded = leaves[index].points.steps.isEmpty
        }
        guard !leaves[index].hasEnded else { continue }
        let first = leaves[index].points.steps[leaves[index].place]
        if step.map({ first < $0 }) ?? true { step = first }
      }
      guard let step else { return }
      var latest = Int64.min
      for index in leaves.indices {
        let place = leaves[index].place
        guard !leaves[index].hasEnded, leaves[index].points.steps[place] == step else {
          values[index] = .none
          continue
        }
        let time = leaves[index].points.times[place]
        values[index] = ExpressionProgram.Value(
          kind: .fresh, number: leaves[index].points.values[place], time: time)
        latest = max(latest, time)
        leaves[index].place += 1
      }
      var point: Point?
      program.compute(
        step: step, seconds: Double(latest &- start) / 1e6, leaves: values
      ) { index, value in
        if index == 0 {
          guard value.kind == .fresh else { return }
          point = Point(step: step, time: value.time, value: value.number)
        } else if value.kind == .none {
          point = nil
        } else {
          point?.x = value.number
        }
      }
      if let point { try take(point) }
    }
  }
}
