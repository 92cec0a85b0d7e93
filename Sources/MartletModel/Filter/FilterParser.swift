// From a filter's text to its syntax tree, by recursive descent.

/// Reads the grammar of docs/filter.md: `or` binds least, then `and` (also by standing beside each other), then `not`.
struct FilterParser {
  private typealias Term = (expression: FilterExpression, range: FilterRange)

  private var cursor: FilterCursor
  private var depth = 0
  private var count = 0

  init(_ text: String) { cursor = FilterCursor(text) }

  mutating func parse() throws(FilterError) -> ParsedFilter {
    guard cursor.units.count <= FilterLimits.length else {
      throw FilterError(
        "The filter has \(cursor.units.count) characters; at most \(FilterLimits.length) are allowed.",
        hint: "Say it more shortly, perhaps with 'in' or a regular expression.",
        at: FilterRange(FilterLimits.length, cursor.units.count))
    }
    if let place = cursor.units.firstIndex(of: 0) {
      throw FilterError("A filter holds no NUL.", hint: "Remove it.", at: FilterRange(place, place + 1))
    }
    cursor.skipSpaces()
    if cursor.isAtEnd { return ParsedFilter(.all, []) }
    let branches = try branches()
    guard cursor.isAtEnd else {
      let isBracket = cursor.isNext(")")
      throw FilterError(
        isBracket
          ? "This ')' closes nothing." : "'\(cursor.text(cursor.at, cursor.at + 1))' is not expected here.",
        hint: isBracket
          ? "Remove it, or open a bracket before it." : "Values with it stand in double quotes.",
        at: cursor.here)
    }
    if branches.count == 1 {
      return ParsedFilter(
        Self.joined(branches[0].map(\.expression)),
        branches[0].map { ParsedFilter.Clause(range: $0.range, expression: $0.expression) })
    }
    let whole = FilterExpression.or(branches.map { Self.joined($0.map(\.expression)) })
    let range = FilterRange(branches[0][0].range.from, branches.last?.last?.range.to ?? cursor.at)
    return ParsedFilter(whole, [ParsedFilter.Clause(range: range, expression: whole)])
  }

  private static func joined(_ terms: [FilterExpression]) -> FilterExpression {
    terms.count == 1 ? terms[0] : .and(terms)
  }

  // MARK: - or, and, not

  /// What stands between `or`, each as the terms that stand between `and`.
  private mutating func branches() throws(FilterError) -> [[Term]] {
    var branches = [try terms()]
    while peekKeyword() == .or {
      let place = takeWord()
      guard startsTerm else { throw missing(after: "or", place) }
      branches.append(try terms())
    }
    return branches
  }

  private mutating func terms() throws(FilterError) -> [Term] {
    var terms = [try term()]
    while true {
      cursor.skipSpaces()
      if peekKeyword() == .and {
        let place = takeWord()
        guard startsTerm else { throw missing(after: "and", place) }
      } else if !startsTerm {
        return terms
      }
      terms.append(try term())
    }
  }

  /// Whether something other than an end, a closing bracket, a comma or `or` follows.
  private var startsTerm: Bool {
    var copy = self
    copy.cursor.skipSpaces()
    guard !copy.cursor.isAtEnd, !copy.cursor.isNext(")"), !copy.cursor.isNext(",") else { return false }
    return copy.peekKeyword() != .or && copy.peekKeyword() != .and
  }

  private func missing(after word: String, _ place: FilterRange) -> FilterError {
    FilterError(
      "Something has to follow '\(word)'.", hint: "Add a condition, or remove the word.", at: place)
  }

  private mutating func term() throws(FilterError) -> Term {
    cursor.skipSpaces()
    let start = cursor.at
    if cursor.isNext("!") || peekKeyword() == .not {
      let place = cursor.isNext("!") ? takeUnit() : takeWord()
      guard startsTerm else { throw missing(after: cursor.text(place.from, place.to), place) }
      try enter(place)
      let inner = try term()
      depth -= 1
      return (.not(inner.expression), FilterRange(start, inner.range.to))
    }
    if cursor.isNext("(") {
      let place = takeUnit()
      try enter(place)
      guard startsTerm else {
        throw FilterError("Nothing stands in these brackets.", hint: "Remove them.", at: place)
      }
      let branches = try branches().map { Self.joined($0.map(\.expression)) }
      cursor.skipSpaces()
      guard cursor.isNext(")") else {
        throw FilterError("This '(' is never closed.", hint: "Add a ')'.", at: place)
      }
      _ = takeUnit()
      depth -= 1
      return (branches.count == 1 ? branches[0] : .or(branches), FilterRange(start, cursor.at))
    }
    let expression = try atom()
    return (expression, FilterRange(start, cursor.at))
  }

  private mutating func enter(_ place: FilterRange) throws(FilterError) {
    depth += 1
    guard depth <= FilterLimits.depth else {
      throw FilterError(
        "More than \(FilterLimits.depth) brackets and 'not' stand within each other.",
        hint: "Say it more flatly.",
        at: place)
    }
  }

  // MARK: - Conditions

  private mutating func atom() throws(FilterError) -> FilterExpression {
    count += 1
    guard count <= FilterLimits.clauses else {
      throw FilterError(
        "The filter has more than \(FilterLimits.clauses) conditions.",
        hint: "'in' takes up to \(FilterLimits.values) values.", at: cursor.here)
    }
    if cursor.isNext("\"") { return .text(try quoted()) }
    if let keyword = peekKeyword() {
      let place = takeWord()
      throw FilterError(
        "'\(keyword.rawValue)' stands where a field is expected.",
        hint: "A field of that name stands in back-quotes: `\(keyword.rawValue)`.", at: place)
    }
    let field = try field()
    let end = cursor.at
    cursor.skipSpaces()
    if let keyword = peekKeyword(), keyword == .exists || keyword == .isIn {
      let place = takeWord()
      return keyword == .exists ? .exists(field) : .membership(field, try list(place))
    }
    guard let comparison = takeOperator() else {
      cursor.at = end
      throw FilterError(
        "'\(field.name)' is compared with nothing.",
        hint:
          "Write '\(field.name) exists', or \(field.name) = and a value; \"\(field.name)\" in double quotes looks for it as text.",
        at: field.range)
    }
    return .comparison(field, comparison.0, try value(after: comparison))
  }

  /// Reads nothing but a field.
  mutating func wholeField() throws(FilterError) -> FilterField {
    let field = try field()
    guard cursor.isAtEnd else {
      throw FilterError(
        "A field ends here.", hint: "Names with other signs stand in back-quotes.", at: cursor.here)
    }
    return field
  }

  private mutating func field() throws(FilterError) -> FilterField {
    let start = cursor.at
    var pieces: [FilterField.Piece] = []
    while let unit = cursor.unit() {
      if cursor.isNext("`") {
        pieces.append(FilterField.Piece(try backQuoted(), isQuoted: true))
      } else if FilterCursor.isFieldPart(unit) {
        pieces.append(FilterField.Piece(cursor.take(while: FilterCursor.isFieldPart), isQuoted: false))
      } else {
        break
      }
    }
    guard !pieces.isEmpty else {
      let what = cursor.text(cursor.at, min(cursor.at + 1, cursor.units.count))
      throw FilterError(
        "A field is expected here, not '\(what)'.",
        hint: what == "'"
          ? "Text stands in double quotes." : "Conditions look like lr<1e-3, state:running or \"text\".",
        at: cursor.here)
    }
    return FilterField(pieces, at: FilterRange(start, cursor.at))
  }

  private mutating func takeOperator() -> (FilterOperator, FilterRange)? {
    let start = cursor.at
    for (spelling, meaning) in Self.operators {
      let units = Array(spelling.utf16)
      guard units.indices.allSatisfy({ cursor.unit($0) == units[$0] }) else { continue }
      cursor.at += units.count
      return (meaning, FilterRange(start, cursor.at))
    }
    return nil
  }

  /// The longer ones first. `==` is what programmers write.
  private static let operators: [(String, FilterOperator)] =
    [("==", .equal)]
    + FilterOperator.allCases.map { ($0.rawValue, $0) }.sorted { $0.0.utf8.count > $1.0.utf8.count }

  private mutating func value(
    after comparison: (operator: FilterOperator, range: FilterRange)
  ) throws(FilterError) -> FilterLiteral {
    cursor.skipSpaces()
    if let unit = cursor.unit(), FilterCursor.beginsLikeAnOperator(unit) {
      let range = FilterRange(comparison.range.from, cursor.at + 1)
      throw FilterError(
        "'\(cursor.text(range.from, range.to))' is no operator.",
        hint: "There are =, !=, <, <=, >, >=, ~, !~ and :. Values that begin so stand in double quotes.",
        at: range)
    }
    guard let literal = try literal() else {
      throw FilterError(
        "A value is missing after '\(comparison.operator.rawValue)'.",
        hint: "Add a number, a word or \"text\".",
        at: comparison.range)
    }
    return literal
  }

  /// Nil where there is none.
  private mutating func literal() throws(FilterError) -> FilterLiteral? {
    let start = cursor.at
    if cursor.isNext("\"") {
      let text = try quoted()
      return FilterLiteral(.string(text), at: FilterRange(start, cursor.at))
    }
    if cursor.isNext("`") {
      throw FilterError(
        "Back-quotes are for names of fields.", hint: "Put the value in double quotes.", at: cursor.here)
    }
    if cursor.isNext("'") {
      throw FilterError(
        "Single quotes mean nothing here.", hint: "Text stands in double quotes.", at: cursor.here)
    }
    let word = cursor.take(while: FilterCursor.isValuePart)
    return word.isEmpty ? nil : FilterLiteral(.word(word), at: FilterRange(start, cursor.at))
  }

  /// The values of an `in`, whose place is `place`.
  private mutating func list(_ place: FilterRange) throws(FilterError) -> [FilterLiteral] {
    cursor.skipSpaces()
    guard cursor.isNext("(") else {
      throw FilterError("A list has to follow 'in'.", hint: "Write in (a, b).", at: place)
    }
    let open = takeUnit()
    var values: [FilterLiteral] = []
    repeat {
      cursor.skipSpaces()
      guard let literal = try literal() else {
        throw FilterError("A value is missing in this list.", hint: "Write in (a, b).", at: cursor.here)
      }
      values.append(literal)
      guard values.count <= FilterLimits.values else {
        throw FilterError(
          "The list has more than \(FilterLimits.values) values.", hint: "Split it with 'or'.",
          at: literal.range)
      }
      cursor.skipSpaces()
    } while takeComma()
    guard cursor.isNext(")") else {
      throw FilterError(
        cursor.isAtEnd ? "This list is never closed." : "Values of a list stand with commas between them.",
        hint: cursor.isAtEnd ? "Add a ')'." : "Write in (a, b).", at: cursor.isAtEnd ? open : cursor.here)
    }
    _ = takeUnit()
    return values
  }

  private mutating func takeComma() -> Bool {
    guard cursor.isNext(",") else { return false }
    cursor.at += 1
    return true
  }

  // MARK: - Quotes and words

  /// In a string a backslash stands before `"` and `\`; before anything else it is itself, as regular expressions need.
  private mutating func quoted() throws(FilterError) -> String {
    let open = takeUnit()
    var units: [UInt16] = []
    while let unit = cursor.unit() {
      cursor.at += 1
      if unit == 0x22 { return String(decoding: units, as: UTF16.self) }
      if unit == 0x5C, let next = cursor.unit(), next == 0x22 || next == 0x5C {
        cursor.at += 1
        units.append(next)
      } else {
        units.append(unit)
      }
    }
    throw FilterError("This text is never closed.", hint: "Add a '\"'.", at: open)
  }

  /// Two back-quotes stand for one.
  private mutating func backQuoted() throws(FilterError) -> String {
    let open = takeUnit()
    var units: [UInt16] = []
    while let unit = cursor.unit() {
      cursor.at += 1
      guard unit == 0x60 else {
        units.append(unit)
        continue
      }
      guard cursor.isNext("`") else { return String(decoding: units, as: UTF16.self) }
      cursor.at += 1
      units.append(unit)
    }
    throw FilterError("This name is never closed.", hint: "Add a '`'.", at: open)
  }

  private mutating func takeUnit() -> FilterRange {
    cursor.at += 1
    return FilterRange(cursor.at - 1, cursor.at)
  }

  /// Takes the word at the cursor; returns its place.
  private mutating func takeWord() -> FilterRange {
    cursor.skipSpaces()
    let start = cursor.at
    _ = cursor.take(while: FilterCursor.isFieldPart)
    return FilterRange(start, cursor.at)
  }

  /// The keyword at the cursor, after spaces.
  private func peekKeyword() -> FilterKeyword? {
    var copy = cursor
    copy.skipSpaces()
    let word = copy.take(while: FilterCursor.isFieldPart)
    // `in`x is a field in two pieces.
    return copy.isNext("`") ? nil : FilterKeyword(word)
  }
}
