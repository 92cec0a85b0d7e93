// Names of fields as filters write them.

extension FilterField {
  /// Reads a field as it stands in a filter: `lr`, `val/loss.min`, `` `my metric`.max ``; nil when it is none.
  public init?(_ text: String) {
    guard text.utf16.count <= FilterLimits.length else { return nil }
    var parser = FilterParser(text)
    guard let field = try? parser.wholeField() else { return nil }
    self = field
  }

  public static func attribute(_ attribute: FilterAttribute) -> FilterField {
    FilterField([Piece(attribute.rawValue, isQuoted: false)])
  }

  public static func metric(_ name: String, _ aggregate: FilterAggregate = .last) -> FilterField {
    let base = Piece(name, isQuoted: !isPlain(name))
    guard aggregate != .last else { return FilterField([base]) }
    let ending = ".\(aggregate.text)"
    return base.isQuoted
      ? FilterField([base, Piece(ending, isQuoted: false)])
      : FilterField([Piece(name + ending, isQuoted: false)])
  }

  /// - Parameter isAlone: no metric, logged or derived, could be meant by the path.
  public static func config(_ path: String, isAlone: Bool) -> FilterField {
    if isAlone, isPlain(path) { return FilterField([Piece(path, isQuoted: false)]) }
    return prefixed("config.", path)
  }

  public static func summary(_ name: String) -> FilterField { prefixed("summary.", name) }

  private static func prefixed(_ prefix: String, _ name: String) -> FilterField {
    name.isEmpty || !name.utf16.allSatisfy(FilterCursor.isFieldPart)
      ? FilterField([Piece(prefix, isQuoted: false), Piece(name, isQuoted: true)])
      : FilterField([Piece(prefix + name, isQuoted: false)])
  }

  /// Whether a name means itself without back-quotes.
  private static func isPlain(_ name: String) -> Bool {
    guard !name.isEmpty, name.utf16.allSatisfy(FilterCursor.isFieldPart), FilterKeyword(name) == nil,
      FilterAttribute(rawValue: name) == nil, !name.hasPrefix("config."), !name.hasPrefix("summary.")
    else { return false }
    guard let dot = name.lastIndex(of: ".") else { return true }
    return FilterAggregate(String(name[name.index(after: dot)...])) == nil
  }
}

extension FilterLiteral {
  /// A value as a filter has to write it to mean just this.
  public static func exactly(_ value: FilterScalar) -> FilterLiteral {
    switch value {
    case .null: return FilterLiteral(.word("null"))
    case .bool(let flag): return FilterLiteral(.word(flag ? "true" : "false"))
    case .notANumber: return FilterLiteral(.word("nan"))
    case .number(.int(let number)): return FilterLiteral(.word(String(number)))
    case .number(.double(let number)):
      return FilterLiteral(.word(number.isInfinite ? (number < 0 ? "-inf" : "inf") : String(number)))
    case .text(let text): return exactly(text)
    }
  }

  /// A text: without quotes where it can stand so and is read as text.
  public static func exactly(_ text: String) -> FilterLiteral {
    let word = FilterLiteral(.word(text))
    let isPlain =
      !text.isEmpty && text.utf16.allSatisfy(FilterCursor.isValuePart) && !text.hasPrefix("'")
      && !(text.utf16.first.map(FilterCursor.beginsLikeAnOperator) ?? true)
    return isPlain && FilterWords.scalar(word) == .text(text) ? word : FilterLiteral(.string(text))
  }
}
