// The text of a relation: comparisons of expressions, joined by `and`, `or`, `not` and parentheses.

public import MartletModel

extension Relation {
  /// Reads a rule.
  ///
  ///     rule       = clause { or clause }
  ///     clause     = part { and part }
  ///     part       = not part | ( rule ) | side comparison side { comparison side }
  ///     comparison = < | <= | > | >= | == | !=
  ///     side       = an expression over parameters | "text" | 'text'
  ///
  /// A chain holds when each of its comparisons does: `0 < a < c`. Texts are compared with one parameter, by == and !=.
  ///
  /// - Throws: `ExpressionError`, its range in the whole text.
  public init(parsing text: String) throws(ExpressionError) {
    guard text.utf8.count <= MetricExpression.longestText else {
      throw ExpressionError(
        "This rule has \(text.utf8.count) bytes; at most \(MetricExpression.longestText) are allowed.",
        hint: "Write several: all of a list have to hold.", at: 0..<text.utf16.count)
    }
    let parser = RelationParser(units: Array(text.utf16))
    self.init(text: text, term: try parser.rule(0..<parser.units.count, depth: 0))
  }
}

private struct RelationParser {
  typealias Term = Relation.Term
  typealias Comparison = Relation.Comparison

  let units: [UInt16]

  /// One side of a comparison, and the comparison that stands before it.
  private struct Piece {
    var comparison: Comparison?
    var range: Range<Int>
  }

  private enum Side {
    case expression(MetricExpression)
    case text(String)
  }

  private static let quotes = Set("`'\"".utf16)
  private static let opening = UInt16(UInt8(ascii: "("))
  private static let closing = UInt16(UInt8(ascii: ")"))

  // MARK: - Rules

  func rule(_ range: Range<Int>, depth: Int) throws(ExpressionError) -> Term {
    guard depth <= MetricExpression.deepest else {
      throw ExpressionError("This rule goes too deep.", at: range)
    }
    let choices = try split(range, at: "or")
    if choices.count > 1 {
      return .any(try choices.map { part throws(ExpressionError) in try rule(part, depth: depth + 1) })
    }
    let parts = try split(range, at: "and")
    if parts.count > 1 {
      return .all(try parts.map { part throws(ExpressionError) in try rule(part, depth: depth + 1) })
    }
    let inner = trimmed(range)
    if isWord("not", at: inner.lowerBound), inner.count > 3 {
      return .not(try rule((inner.lowerBound + 3)..<inner.upperBound, depth: depth + 1))
    }
    if let enclosed = try enclosed(inner) { return try rule(enclosed, depth: depth + 1) }
    return try chain(range)
  }

  /// What stands between the words, outside quotes and parentheses.
  private func split(_ range: Range<Int>, at word: String) throws(ExpressionError) -> [Range<Int>] {
    var parts: [Range<Int>] = []
    var start = range.lowerBound
    for place in try open(range) where place >= start && isWord(word, at: place) {
      parts.append(start..<place)
      start = place + word.utf16.count
    }
    return parts + [start..<range.upperBound]
  }

  /// The places of a range outside quotes and parentheses.
  private func open(_ range: Range<Int>) throws(ExpressionError) -> [Int] {
    var places: [Int] = []
    var quote: Int?
    var parentheses: [Int] = []
    for place in range {
      let unit = units[place]
      if let start = quote {
        if unit == units[start] { quote = nil }
      } else if Self.quotes.contains(unit) {
        quote = place
      } else if unit == Self.opening {
        parentheses.append(place)
      } else if unit == Self.closing {
        guard parentheses.popLast() != nil else {
          throw ExpressionError("This parenthesis closes nothing.", at: place..<(place + 1))
        }
      } else if parentheses.isEmpty {
        places.append(place)
      }
    }
    if let quote { throw ExpressionError("This quote has no end.", at: quote..<range.upperBound) }
    if let opening = parentheses.last {
      throw ExpressionError("This parenthesis is not closed.", at: opening..<(opening + 1))
    }
    return places
  }

  private func isWord(_ word: String, at place: Int) -> Bool {
    units[place...].starts(with: word.utf16) && isBoundary(place - 1) && isBoundary(place + word.utf16.count)
  }

  /// Whether no name goes on there.
  private func isBoundary(_ place: Int) -> Bool {
    guard units.indices.contains(place) else { return true }
    // Half of a character beyond the basic plane belongs to a name.
    guard let scalar = Unicode.Scalar(units[place]) else { return false }
    return scalar.properties.isWhitespace || "()`'\"<>=!".unicodeScalars.contains(scalar)
  }

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    func isSpace(_ place: Int) -> Bool {
      Unicode.Scalar(units[place])?.properties.isWhitespace ?? false
    }
    guard let first = range.first(where: { !isSpace($0) }), let last = range.last(where: { !isSpace($0) })
    else { return range.lowerBound..<range.lowerBound }
    return first..<(last + 1)
  }

  /// What stands between parentheses that enclose all of it and a comparison; nil: they do not.
  private func enclosed(_ range: Range<Int>) throws(ExpressionError) -> Range<Int>? {
    guard range.count > 2, units[range.lowerBound] == Self.opening,
      units[range.upperBound - 1] == Self.closing, try open(range).isEmpty
    else { return nil }
    let inner = (range.lowerBound + 1)..<(range.upperBound - 1)
    var depth = 0
    for place in inner {
      if units[place] == Self.opening { depth += 1 }
      if units[place] == Self.closing { depth -= 1 }
      // `(a < 1) (b < 2)`: the first one ends before.
      if depth < 0 { return nil }
    }
    return inner
  }

  // MARK: - Comparisons

  private func chain(_ range: Range<Int>) throws(ExpressionError) -> Term {
    let pieces = try pieces(range)
    guard pieces.count > 1 else {
      throw ExpressionError(
        "A comparison is missing.", hint: "Compare two sides with < <= > >= == or !=.", at: range)
    }
    let sides = try pieces.map { piece throws(ExpressionError) in try side(piece.range) }
    var terms: [Term] = []
    for place in 1..<pieces.count {
      guard let comparison = pieces[place].comparison else { continue }
      let span = pieces[place - 1].range.lowerBound..<pieces[place].range.upperBound
      terms.append(try term(sides[place - 1], comparison, sides[place], at: span))
    }
    return terms.count == 1 ? terms[0] : .all(terms)
  }

  private func pieces(_ range: Range<Int>) throws(ExpressionError) -> [Piece] {
    var pieces = [Piece(comparison: nil, range: range)]
    for place in try open(range) where place >= pieces[pieces.count - 1].range.lowerBound {
      let rest = units[place..<range.upperBound]
      // The longer ones come first.
      if let found = Comparison.allCases.first(where: { rest.starts(with: $0.rawValue.utf16) }) {
        let end = place + found.rawValue.utf16.count
        let start = pieces[pieces.count - 1].range.lowerBound
        pieces[pieces.count - 1].range = start..<place
        pieces.append(Piece(comparison: found, range: end..<range.upperBound))
      } else if rest.starts(with: "=".utf16) {
        throw ExpressionError(
          "'=' is no comparison.", hint: "Compare with < <= > >= == or !=.", at: place..<(place + 1))
      }
    }
    return pieces
  }

  private func term(
    _ left: Side, _ comparison: Comparison, _ right: Side, at range: Range<Int>
  ) throws(ExpressionError) -> Term {
    switch (left, right) {
    case (.expression(let left), .expression(let right)): return .numbers(left, comparison, right)
    case (.text, .text):
      throw ExpressionError(
        "Two texts are compared with each other.", hint: "Compare a parameter with a text.", at: range)
    case (.expression(let expression), .text(let text)), (.text(let text), .expression(let expression)):
      guard case .metric(let name) = expression else {
        throw ExpressionError(
          "A text is compared with an expression.", hint: "Compare one parameter with a text.", at: range)
      }
      guard comparison == .equal || comparison == .unequal else {
        throw ExpressionError(
          "'\(comparison.rawValue)' compares numbers.", hint: "Compare with texts by == or !=.", at: range)
      }
      return .text(name, isEqual: comparison == .equal, text)
    }
  }

  private func side(_ range: Range<Int>) throws(ExpressionError) -> Side {
    let inner = trimmed(range)
    if inner.count > 1, let first = units[inner].first, first == units[inner].last,
      first != UInt16(UInt8(ascii: "`")), Self.quotes.contains(first),
      !units[inner].dropFirst().dropLast().contains(first)
    {
      return .text(String(decoding: units[inner].dropFirst().dropLast(), as: UTF16.self))
    }
    do {
      return .expression(
        try MetricExpression(parsingParameters: String(decoding: units[range], as: UTF16.self)))
    } catch {
      let from = error.range.lowerBound + range.lowerBound
      throw ExpressionError(
        error.message, hint: error.hint, at: from..<(error.range.upperBound + range.lowerBound))
    }
  }
}
