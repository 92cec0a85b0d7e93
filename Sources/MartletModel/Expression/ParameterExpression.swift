// Expressions over the parameters of a trial: one number, no points.

import Foundation

extension MetricExpression {
  /// Whether a step or a time is in it.
  var namesPoints: Bool {
    self == .step || self == .time || operands.contains(where: \.namesPoints)
  }

  /// Every name in it, of a metric, a parameter or a setting, in the order in which they stand.
  public var names: [String] {
    switch self {
    case .metric(let name), .config(let name): [name]
    case .number, .step, .time, .negative, .binary, .call: operands.flatMap(\.names)
    }
  }

  /// Its value, where every name has one; nil where a name has none.
  ///
  /// - Parameter value: the number that a name stands for.
  public func evaluated(_ value: (String) -> Double?) -> Double? {
    switch self {
    case .number(let number): return number
    case .metric(let name), .config(let name): return value(name)
    case .step, .time: return nil
    case .negative(let operand): return operand.evaluated(value).map { -$0 }
    case .binary(let sign, let left, let right):
      guard let a = left.evaluated(value), let b = right.evaluated(value) else { return nil }
      switch sign {
      case .plus: return a + b
      case .minus: return a - b
      case .times: return a * b
      case .over: return a / b
      case .power: return pow(a, b)
      }
    case .call(let function, let arguments):
      let numbers = arguments.compactMap { $0.evaluated(value) }
      guard numbers.count == arguments.count else { return nil }
      switch function {
      case .abs: return abs(numbers[0])
      case .sqrt: return numbers[0].squareRoot()
      case .log: return log(numbers[0])
      case .log10: return log10(numbers[0])
      case .exp: return exp(numbers[0])
      case .min: return numbers.reduce(.infinity, Swift.min)
      case .max: return numbers.reduce(-.infinity, Swift.max)
      case .clip: return Swift.max(numbers[1], Swift.min(numbers[2], numbers[0]))
      case .ema, .diff, .cummin, .cummax, .cumsum, .lag, .rate, .last: return nil
      }
    }
  }
}
