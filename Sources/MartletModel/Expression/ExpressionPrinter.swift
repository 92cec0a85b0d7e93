// An expression as text that reads back to the same.

extension MetricExpression: CustomStringConvertible {
  /// Its text, with spaces around operators and no more parentheses than it needs.
  public var description: String { text(within: .sum) }

  /// How tightly something holds together.
  private enum Level: Int {
    case sum, product, sign, power, atom
  }

  private var level: Level {
    switch self {
    case .number, .metric, .config, .step, .time, .call: .atom
    case .negative: .sign
    case .binary(.plus, _, _), .binary(.minus, _, _): .sum
    case .binary(.times, _, _), .binary(.over, _, _): .product
    case .binary(.power, _, _): .power
    }
  }

  /// - Parameter outer: what holds together less tightly than this stands in parentheses.
  private func text(within outer: Level) -> String {
    let plain = plainText
    return level.rawValue < outer.rawValue ? "(\(plain))" : plain
  }

  private var plainText: String {
    switch self {
    case .number(let value): Self.text(of: value)
    case .metric(let name): ExpressionLexer.isPlain(name) ? name : Self.quoted(name)
    case .config(let path):
      ExpressionLexer.isPlain("x.\(path)") ? "config.\(path)" : "config.\(Self.quoted(path))"
    case .step: "step"
    case .time: "time"
    case .negative(let operand): "-" + operand.text(within: .sign)
    case .binary(.power, let left, let right):
      "\(left.text(within: .atom)) ^ \(right.text(within: .sign))"
    case .binary(let sign, let left, let right):
      "\(left.text(within: level)) \(sign.rawValue) \(right.text(within: level == .sum ? .product : .sign))"
    case .call(let function, let arguments):
      "\(function.rawValue)(\(arguments.map(\.description).joined(separator: ", ")))"
    }
  }

  private static func text(of value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  private static func quoted(_ name: String) -> String { "`\(name.replacing("`", with: "``"))`" }
}
