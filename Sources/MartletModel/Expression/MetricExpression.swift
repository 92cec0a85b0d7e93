// What a derived metric is computed from: numbers, metrics, configuration, and functions of them.

public import OrderedCollections

/// An expression over the metrics of one run, as docs/derived.md defines it.
public indirect enum MetricExpression: Sendable, Hashable {
  /// Finite.
  case number(Double)
  /// A metric, logged or derived, by its name in normal form C.
  case metric(String)
  /// A number of the run's configuration, by its path with dots.
  case config(String)
  /// The step of the point.
  case step
  /// Seconds from the run's first row to the point.
  case time
  case negative(MetricExpression)
  case binary(Operator, MetricExpression, MetricExpression)
  case call(Function, [MetricExpression])

  public enum Operator: String, Sendable, CaseIterable {
    case plus = "+"
    case minus = "-"
    case times = "*"
    case over = "/"
    case power = "^"
  }

  public enum Function: String, Sendable, CaseIterable {
    case abs, sqrt, log, log10, exp, min, max, clip, ema, diff, cummin, cummax, cumsum, lag, rate, last

    /// How many arguments it takes.
    public var arity: ClosedRange<Int> {
      switch self {
      case .abs, .sqrt, .log, .log10, .exp, .diff, .cummin, .cummax, .cumsum, .rate, .last: 1...1
      case .min, .max: 2...8
      case .clip: 3...3
      case .ema, .lag: 1...2
      }
    }

    /// How it is written, for messages.
    public var usage: String {
      switch self {
      case .min, .max: "\(rawValue)(a, b)"
      case .clip: "clip(x, lowest, highest)"
      case .ema: "ema(x) or ema(x, weight)"
      case .lag: "lag(x) or lag(x, n)"
      case .abs, .sqrt, .log, .log10, .exp, .diff, .cummin, .cummax, .cumsum, .rate, .last: "\(rawValue)(x)"
      }
    }

    /// Whether a value of it depends on earlier points, too.
    public var looksBack: Bool {
      switch self {
      case .ema, .diff, .cummin, .cummax, .cumsum, .lag, .rate, .last: true
      case .abs, .sqrt, .log, .log10, .exp, .min, .max, .clip: false
      }
    }
  }

  /// The weight of the past in `ema(x)`.
  public static let usualWeight = 0.9
  /// Points that `lag(x, n)` may go back.
  public static let farthestLag = 10_000
}

extension MetricExpression {
  /// What this is directly made of.
  public var operands: [MetricExpression] {
    switch self {
    case .number, .metric, .config, .step, .time: []
    case .negative(let operand): [operand]
    case .binary(_, let left, let right): [left, right]
    case .call(_, let arguments): arguments
    }
  }

  /// The metrics it names, each once, in the order of their first appearance.
  public var metrics: OrderedSet<String> {
    var names: OrderedSet<String> = []
    func collect(_ expression: MetricExpression) {
      if case .metric(let name) = expression { names.append(name) }
      for operand in expression.operands { collect(operand) }
    }
    collect(self)
    return names
  }

  /// Operators, functions, names and numbers.
  public var size: Int { operands.reduce(1) { $0 + $1.size } }

  /// Whether a value depends on earlier points, too: then it cannot be computed from the middle of a run on.
  public var looksBack: Bool {
    if case .call(let function, _) = self, function.looksBack { return true }
    return operands.contains(where: \.looksBack)
  }

  /// Whether a metric is in it, whose points say at which steps it has a value.
  public var hasMetric: Bool {
    if case .metric = self { return true }
    return operands.contains(where: \.hasMetric)
  }

  /// With other expressions in the place of metrics; nil leaves a metric as it is.
  public func replacing(_ other: (String) throws -> MetricExpression?) rethrows -> MetricExpression {
    switch self {
    case .number, .config, .step, .time: self
    case .metric(let name): try other(name) ?? self
    case .negative(let operand): .negative(try operand.replacing(other))
    case .binary(let sign, let left, let right):
      .binary(sign, try left.replacing(other), try right.replacing(other))
    case .call(let function, let arguments):
      .call(function, try arguments.map { try $0.replacing(other) })
    }
  }
}
