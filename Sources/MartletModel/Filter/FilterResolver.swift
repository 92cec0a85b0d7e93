// From a syntax tree to its meaning: names are looked up, values read as their fields take them.

/// Understands filters for one set of runs at one moment.
public struct FilterResolver {
  let catalog: any FilterCatalog
  /// What `-2d` counts from, and how long a run that goes on has taken.
  let now: Timestamp

  public init(catalog: any FilterCatalog, now: Timestamp) { (self.catalog, self.now) = (catalog, now) }

  /// - Throws: `FilterError` for a field that no run has, and for a value or a comparison that the field does not take;
  ///   what the catalog throws.
  public func resolve(_ expression: FilterExpression) throws -> ResolvedFilter {
    switch expression {
    case .or(let branches): return .or(try branches.map(resolve))
    case .and(let terms): return .and(try terms.map(resolve))
    case .not(let inner): return .not(try resolve(inner))
    case .text(let text): return .text(text)
    case .exists(let field): return .test(try subject(of: field), .exists)
    case .comparison(let field, let comparison, let literal):
      let subject = try subject(of: field)
      return .test(subject, try test(subject, field, comparison, literal))
    case .membership(let field, let literals):
      let subject = try subject(of: field)
      if case .attribute(let attribute) = subject, attribute.kind == .time {
        return .test(subject, .isInTimes(try literals.map { try time($0, field) }))
      }
      return .test(subject, .isIn(try literals.map { try scalar($0, subject, field, isEquality: true) }))
    }
  }

  // MARK: - Fields

  /// - Throws: `FilterError` when no run has it.
  public func subject(of field: FilterField) throws -> FilterSubject {
    let name = field.name.inNormalForm
    if field.pieces.count == 1, !field.pieces[0].isQuoted, let attribute = FilterAttribute(rawValue: name) {
      return .attribute(attribute)
    }
    if let first = field.pieces.first, !first.isQuoted {
      if first.text.hasPrefix("config.") {
        let path = String(name.dropFirst("config.".count))
        if try catalog.hasConfig(path) { return .config(path) }
      } else if first.text.hasPrefix("summary.") {
        let key = String(name.dropFirst("summary.".count))
        if try catalog.hasSummary(key) { return .summary(key) }
      }
    }
    if let last = field.pieces.last, !last.isQuoted, let dot = last.text.lastIndex(of: "."),
      let aggregate = FilterAggregate(String(last.text[last.text.index(after: dot)...]))
    {
      let base = (field.pieces.dropLast().map(\.text).joined() + last.text[..<dot]).inNormalForm
      if let subject = try metric(base, aggregate) { return subject }
    }
    if let subject = try metric(name, .last) { return subject }
    if try catalog.hasConfig(name) { return .config(name) }
    if try catalog.hasSummary(name) { return .summary(name) }
    throw try unknown(field)
  }

  private func metric(_ name: String, _ aggregate: FilterAggregate) throws -> FilterSubject? {
    // What derives a name has also what was logged under it.
    if try catalog.hasDerived(name) { return .derived(name, aggregate) }
    return try catalog.hasMetric(name) ? .metric(name, aggregate) : nil
  }

  private func unknown(_ field: FilterField) throws -> FilterError {
    let names = try catalog.names() + FilterAttribute.allCases.map(\.rawValue)
    let prefixes = ["config.", "summary."].filter { field.text.hasPrefix($0) }
    let typed = prefixes.first.map { String(field.name.dropFirst($0.count)) } ?? field.name
    let near = nearestNames(to: String(typed.prefix(100)), in: names)
    let words = near.map { "'\($0)'" }.joined(separator: ", ")
    return FilterError(
      "No run has '\(field.name.prefix(200))'.",
      hint: near.isEmpty
        ? "GET /api/v1/fields lists the names there are; to look for text, put it in double quotes."
        : "Did you mean \(words)?",
      at: field.range)
  }

  // MARK: - Values

  private func test(
    _ subject: FilterSubject, _ field: FilterField, _ comparison: FilterOperator, _ literal: FilterLiteral
  ) throws -> FilterTest {
    switch comparison {
    case .matches, .matchesNot:
      guard isText(subject) else {
        throw FilterError(
          "'\(field.name)' holds numbers or times, and '\(comparison.rawValue)' looks at text.",
          hint: "Use =, !=, <, <=, > or >=.", at: field.range)
      }
      do {
        return .matches(try LinearRegex(literal.text.inNormalForm), isNegated: comparison == .matchesNot)
      } catch {
        throw FilterError(
          "This is no regular expression that can be used: \(error.message).", hint: error.hint,
          at: literal.range)
      }
    case .equal, .holds, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      let kind = Self.comparison(comparison)
      if case .attribute(let attribute) = subject, attribute.kind == .time {
        return .compareTime(kind, try time(literal, field))
      }
      let isEquality = kind == .equal || kind == .notEqual
      if case .attribute(.state) = subject, !isEquality {
        throw FilterError(
          "States have no order.", hint: "Write state:running or state in (running, lost).", at: field.range)
      }
      return .compare(kind, try scalar(literal, subject, field, isEquality: isEquality))
    }
  }

  private static func comparison(_ comparison: FilterOperator) -> FilterTest.Comparison {
    switch comparison {
    case .notEqual: .notEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    case .equal, .holds, .matches, .matchesNot: .equal
    }
  }

  private func isText(_ subject: FilterSubject) -> Bool {
    switch subject {
    case .attribute(let attribute): [.text, .texts, .state].contains(attribute.kind)
    case .config, .summary: true
    case .metric, .derived: false
    }
  }

  private func scalar(
    _ literal: FilterLiteral, _ subject: FilterSubject, _ field: FilterField, isEquality: Bool
  ) throws -> FilterScalar {
    switch subject {
    case .config, .summary: return FilterWords.scalar(literal)
    case .metric, .derived:
      return try number(literal, field, "a number", FilterWords.scalar(literal))
    case .attribute(let attribute):
      switch attribute.kind {
      case .text, .texts, .time: return .text(literal.text.inNormalForm)
      case .numbers: return try number(literal, field, "a number", FilterWords.scalar(literal))
      case .duration:
        let seconds: FilterNumber? =
          if case .word(let word) = literal.form { FilterWords.seconds(word) } else { nil }
        return try number(
          literal, field, "a span of time", seconds.map(FilterScalar.number) ?? .null,
          hint: "Write 90s, 15m or 2h.")
      case .state:
        guard RunState(rawValue: literal.text) != nil else {
          let states = RunState.allCases.map(\.rawValue)
          throw FilterError(
            "There is no state '\(literal.text.prefix(100))'.",
            hint: nearest(to: String(literal.text.prefix(100)), in: states).map { "Did you mean '\($0)'?" }
              ?? "There are \(states.joined(separator: ", ")).", at: literal.range)
        }
        return .text(literal.text)
      }
    }
  }

  private func number(
    _ literal: FilterLiteral, _ field: FilterField, _ what: String, _ value: FilterScalar,
    hint: String = "Write a number like 0.3, 1e-3 or 10k, or use 'exists'."
  ) throws -> FilterScalar {
    switch value {
    case .number, .notANumber: return value
    case .null, .bool, .text:
      throw FilterError(
        "'\(field.name)' is \(what), and '\(literal.text.prefix(100))' is none.", hint: hint,
        at: literal.range)
    }
  }

  private func time(_ literal: FilterLiteral, _ field: FilterField) throws -> FilterTime {
    if let time = FilterWords.time(literal.text, now: now) { return time }
    throw FilterError(
      "'\(field.name)' is a time, and '\(literal.text.prefix(100))' is none.",
      hint: "Write 2026-11-21, 2026-11-21T10:30, or -2d for two days ago.", at: literal.range)
  }
}

/// Up to three names most like `name`, the nearest first.
func nearestNames(to name: String, in names: [String]) -> [String] {
  let found = nearest(3, to: name, in: names)
  // Whoever leaves out a group of names means one in it.
  let ending = names.filter { $0.hasSuffix("/\(name)") || $0.hasSuffix(".\(name)") }.prefix(3 - found.count)
  return found + ending.filter { !found.contains($0) }
}
