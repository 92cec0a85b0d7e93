// From a syntax tree back to text that reads as the same tree.

extension FilterExpression: CustomStringConvertible {
  /// The filter in one form: parsing it gives this tree again.
  public var description: String { text(within: .or) }

  /// What an expression stands in, from the loosest to the tightest.
  private enum Place: Int { case or, and, not }

  private func text(within place: Place) -> String {
    switch self {
    case .or(let branches):
      // In another `or`, too, brackets keep the tree as it is.
      let text = branches.map { $0.text(within: .and, isOr: true) }.joined(separator: " or ")
      return place == .or ? text : "(\(text))"
    case .and(let terms):
      let text = terms.map { $0.text(within: .not) }.joined(separator: " ")
      return place == .not ? "(\(text))" : text
    case .not(let inner): return "not \(inner.text(within: .not))"
    case .comparison(let field, let comparison, let literal):
      return "\(field.text)\(Self.spaced(comparison))\(literal.source)"
    case .membership(let field, let values):
      return "\(field.text) in (\(values.map(\.source).joined(separator: ", ")))"
    case .exists(let field): return "\(field.text) exists"
    case .text(let text): return FilterLiteral(.string(text)).source
    }
  }

  /// A branch of an `or`: an `or` in it needs brackets, an `and` does not.
  private func text(within place: Place, isOr: Bool) -> String {
    if case .or = self { return text(within: .not) }
    return text(within: place)
  }

  private static func spaced(_ comparison: FilterOperator) -> String {
    comparison == .holds ? ":" : " \(comparison.rawValue) "
  }
}

extension FilterField {
  /// As it is written in a filter.
  public var text: String {
    pieces.map { $0.isQuoted ? "`\($0.text.replacing("`", with: "``"))`" : $0.text }.joined()
  }
}

extension FilterLiteral {
  /// As it is written in a filter.
  public var source: String {
    switch form {
    case .word(let word): word
    case .string(let text): "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }
  }
}
