// Functions of expressions: of one value, and of a value and those before it.

import Foundation
import MartletModel

func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

/// A function of one value alone.
func plain(_ function: MetricExpression.Function, _ value: Double) -> Double {
  switch function {
  case .abs: Swift.abs(value)
  // Of a negative number it is NaN, whose sign nobody wants.
  case .sqrt: value < 0 ? .nan : value.squareRoot()
  case .log: value < 0 ? .nan : log(value)
  case .log10: value < 0 ? .nan : log10(value)
  case .exp: exp(value)
  case .min, .max, .clip, .ema, .diff, .cummin, .cummax, .cumsum, .lag, .rate, .last: value
  }
}

extension ExpressionProgram {
  /// What one function remembers of the points before.
  struct Memory: Sendable {
    private var average: MovingAverage
    /// Sum, minimum or maximum so far, or the value of the point before.
    private var number: Double
    private var time = Int64.min
    private var hasPoint = false
    /// The last points, of `lag`; a ring once there are enough.
    private var earlier: [Double] = []
    private let distance: Int
    private var oldest = 0

    init(_ function: MetricExpression.Function, setting: Double?) {
      average = MovingAverage(weight: function == .ema ? setting ?? MetricExpression.usualWeight : 0)
      distance = function == .lag ? Int(setting ?? 1) : 0
      number = .nan
    }

    /// The function's value where its argument is `value`.
    mutating func take(_ value: Value, _ function: MetricExpression.Function) -> Value {
      if function == .last { return kept(value) }
      guard value.kind == .fresh else { return .none }
      var result = value
      switch function {
      case .ema:
        average.add(value.number)
        result.number = average.value
      case .cumsum:
        if !value.number.isNaN { number = number.isNaN && !hasPoint ? value.number : number + value.number }
        hasPoint = hasPoint || !value.number.isNaN
        result.number = number
      case .cummin:
        number = .minimum(number, value.number)
        result.number = number
      case .cummax:
        number = .maximum(number, value.number)
        result.number = number
      case .diff:
        result.number = value.number - number
        if !hasPoint { result = .none }
        (number, hasPoint) = (value.number, true)
      case .rate:
        result.number = (value.number - number) / (Double(value.time &- time) / 1e6)
        if !hasPoint || value.time <= time { result = .none }
        (number, time, hasPoint) = (value.number, value.time, true)
      case .lag: return lagged(value)
      case .last, .abs, .sqrt, .log, .log10, .exp, .min, .max, .clip: break
      }
      return result
    }

    private mutating func kept(_ value: Value) -> Value {
      if value.kind == .fresh {
        (number, time, hasPoint) = (value.number, value.time, true)
        return value
      }
      return hasPoint ? Value(kind: .kept, number: number, time: time) : .none
    }

    private mutating func lagged(_ value: Value) -> Value {
      guard earlier.count == distance else {
        earlier.append(value.number)
        return .none
      }
      var result = value
      result.number = earlier[oldest]
      earlier[oldest] = value.number
      oldest = oldest + 1 == distance ? 0 : oldest + 1
      return result
    }
  }
}
