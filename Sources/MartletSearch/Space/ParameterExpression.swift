// Expressions over the values of a point: parameters derived from others.

public import MartletModel

/// A parameter that is computed from others, like `value_weight: 1 - policy_weight`.
///
/// It is part of every point and of no search. It has no value while a parameter it names has none.
public struct DerivedParameter: Hashable, Sendable {
  /// Where the value belongs in a nested configuration.
  public var path: [String]
  public var expression: MetricExpression

  public var name: String { path.joined(separator: ".") }

  public init(path: [String], expression: MetricExpression) {
    self.path = path
    self.expression = expression
  }

  /// - Throws: `ExpressionError`.
  public init(_ name: String, parsing text: String) throws(ExpressionError) {
    self.init(path: [name], expression: try MetricExpression(parsingParameters: text))
  }

  /// Its value where `value` gives those of the others; nil: one of them has none.
  ///
  /// Whole numbers of whole numbers are whole; others are rounded to 15 digits, so that 1 − 0.7 is 0.3.
  func value(_ value: (String) -> JSONValue?) -> JSONValue? {
    guard let number = expression.value(value) else { return nil }
    let areWhole = expression.names.allSatisfy { if case .int = value($0) { true } else { false } }
    if areWhole, let whole = Int64(exactly: number) { return .int(whole) }
    return .double(number.roundedToDecimals)
  }
}

extension Double {
  /// The nearest number with at most 15 significant decimal digits.
  fileprivate var roundedToDecimals: Double {
    guard isFinite, self != 0 else { return self }
    var scale = 1.0
    // Digits before the point, counted with exact powers of ten.
    var digits = 0
    while magnitude >= scale, digits < 15 {
      scale *= 10
      digits += 1
    }
    let places = 15 - digits
    let factor = (0..<places).reduce(1.0) { power, _ in power * 10 }
    let scaled = (self * factor).rounded()
    return scaled.magnitude < 0x1p53 ? scaled / factor : self
  }
}

extension MetricExpression {
  /// Its value where the names in it are parameters; true counts as 1; nil where one has no value or no number.
  func value(_ value: (String) -> JSONValue?) -> Double? {
    evaluated { name in value(name)?.asNumber }
  }
}

extension JSONValue {
  /// A number, or 1 and 0 for true and false.
  var asNumber: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number): number
    case .bool(let flag): flag ? 1 : 0
    case .null, .string, .array, .object: nil
    }
  }
}
