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

/// Computes the points of expressions, and of another one that is their axis, from those of logged metrics.
///
/// Several expressions are computed in one pass over what they are made of. Nothing is kept but one piece of each metric: the points come as they are asked for, and go as they are made.
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
  private let count: Int
  /// Of the run's first row.
  private let start: Int64

  /// - Parameters:
  ///   - expressions: of logged metrics.
  ///   - axis: points where it has no value are left out.
  ///   - start: when the run's first row was logged, microseconds since 1970.
  ///   - config: a number of the run's configuration; nil: it has none at this path.
  public init(
    _ expressions: [MetricExpression], axis: MetricExpression? = nil, start: Int64,
    config: (String) -> Double?
  ) {
    program = ExpressionProgram(
      expressions + (axis.map { [$0] } ?? []), hasAxis: axis != nil, config: config)
    count = expressions.count
    self.start = start
  }

  /// Of one expression.
  public init(
    _ expression: MetricExpression, axis: MetricExpression? = nil, start: Int64,
    config: (String) -> Double?
  ) {
    self.init([expression], axis: axis, start: start, config: config)
  }

  /// The logged metrics whose points are needed, as `refill` counts them.
  public var metrics: [String] { program.metrics }

  /// Parts of expressions that are computed between two calls of `spend`.
  static let stretch = 65_536

  /// Computes all points of one expression, by step.
  ///
  /// - Parameters:
  ///   - refill: the next points of a metric, above all that came before; nil or none: there are no more.
  ///   - take: called for each point that is made.
  public mutating func compute(
    refill: (Int) throws -> PointRun?, take: (Point) throws -> Void
  ) rethrows {
    try compute(refill: refill, spend: { _ in }, take: { try take($1) })
  }

  /// Computes all points, by step.
  ///
  /// - Parameters:
  ///   - refill: the next points of a metric, above all that came before; nil or none: there are no more.
  ///   - spend: called every so often, with the parts of expressions that were computed since: what it throws ends this.
  ///   - take: called for each point that is made, with the number of its expression.
  public mutating func compute(
    refill: (Int) throws -> PointRun?, spend: (Int) throws -> Void, take: (Int, Point) throws -> Void
  ) rethrows {
    let count = count
    var made: [(expression: Int, point: Point)] = []
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
      guard let step else {
        try spend(program.effort)
        program.effort = 0
        return
      }
      for index in leaves.indices {
        let place = leaves[index].place
        guard !leaves[index].hasEnded, leaves[index].points.steps[place] == step else {
          values[index] = .none
          continue
        }
        let time = leaves[index].points.times[place]
        values[index] = ExpressionProgram.Value(
          kind: .fresh, number: leaves[index].points.values[place], time: time)
        leaves[index].place += 1
      }
      made.removeAll(keepingCapacity: true)
      program.compute(step: step, start: start, leaves: values) { index, value in
        if index < count {
          guard value.kind == .fresh else { return }
          made.append((index, Point(step: step, time: value.time, value: value.number)))
        } else if value.kind == .none {
          made.removeAll(keepingCapacity: true)
        } else {
          for place in made.indices { made[place].point.x = value.number }
        }
      }
      for (expression, point) in made { try take(expression, point) }
      if program.effort >= Self.stretch {
        try spend(program.effort)
        program.effort = 0
      }
    }
  }
}
