// A filter as it was written: which runs, in the terms of the language (docs/filter.md).

import OrderedCollections

/// A place in a filter's text, in UTF-16 code units: what browsers count in.
public struct FilterRange: Sendable, Hashable {
  public var from: Int
  public var to: Int

  public init(_ from: Int, _ to: Int) { (self.from, self.to) = (from, to) }
}

/// What is wrong in a filter, and where.
public struct FilterError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A sentence.
  public var message: String
  /// What to do about it.
  public var hint: String?
  public var range: FilterRange

  public init(_ message: String, hint: String? = nil, at range: FilterRange) {
    (self.message, self.hint, self.range) = (message, hint, range)
  }

  public var description: String { hint.map { "\(message) \($0)" } ?? message }

  /// The same as every face shows it, with `from` and `to` in its details.
  public var problem: Problem {
    Problem(
      .badRequest, message, hint: hint,
      details: ["from": .int(Int64(range.from)), "to": .int(Int64(range.to))])
  }

  public var json: JSONValue {
    [
      "message": .string(message), "hint": JSONValue(hint), "from": .int(Int64(range.from)),
      "to": .int(Int64(range.to)),
    ]
  }
}

/// How a field and a value are compared.
public enum FilterOperator: String, Sendable, CaseIterable {
  case equal = "="
  case notEqual = "!="
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case matches = "~"
  case matchesNot = "!~"
  /// Equality as labels have it: `state:running`, `tag:ablation`.
  case holds = ":"
}

/// A name in a filter, in the pieces in which it was written: what stands in back-quotes is taken as it is.
public struct FilterField: Sendable, Hashable {
  public struct Piece: Sendable, Hashable {
    public var text: String
    public var isQuoted: Bool

    public init(_ text: String, isQuoted: Bool) { (self.text, self.isQuoted) = (text, isQuoted) }
  }

  /// Quoted and unquoted ones alternate; none is empty but a quoted one.
  public var pieces: [Piece]
  /// Where it was written; two fields are equal wherever they stand.
  public var range: FilterRange

  public init(_ pieces: [Piece], at range: FilterRange = FilterRange(0, 0)) {
    (self.pieces, self.range) = (pieces, range)
  }

  /// The whole name without back-quotes.
  public var name: String { pieces.map(\.text).joined() }

  public static func == (a: FilterField, b: FilterField) -> Bool { a.pieces == b.pieces }
  public func hash(into hasher: inout Hasher) { hasher.combine(pieces) }
}

/// A value in a filter as it was written.
public struct FilterLiteral: Sendable, Hashable {
  public enum Form: Sendable, Hashable {
    /// Without quotes: a number, a time, a word.
    case word(String)
    /// In double quotes: always text.
    case string(String)
  }

  public var form: Form
  /// Where it was written; two literals are equal wherever they stand.
  public var range: FilterRange

  public init(_ form: Form, at range: FilterRange = FilterRange(0, 0)) {
    (self.form, self.range) = (form, range)
  }

  /// What it says, without quotes.
  public var text: String {
    switch form {
    case .word(let text), .string(let text): text
    }
  }

  public static func == (a: FilterLiteral, b: FilterLiteral) -> Bool { a.form == b.form }
  public func hash(into hasher: inout Hasher) { hasher.combine(form) }
}

/// A filter's syntax tree.
public indirect enum FilterExpression: Sendable, Hashable {
  /// Two or more, any of which is enough.
  case or([FilterExpression])
  /// All of them; none: every run.
  case and([FilterExpression])
  case not(FilterExpression)
  case comparison(FilterField, FilterOperator, FilterLiteral)
  /// The field is one of the values.
  case membership(FilterField, [FilterLiteral])
  /// The run has the field.
  case exists(FilterField)
  /// Somewhere in name, notes or tags.
  case text(String)

  /// The filter of an empty text.
  public static let all = FilterExpression.and([])
}

/// A filter's text, read.
public struct ParsedFilter: Sendable, Hashable {
  /// A part of the filter that holds for itself: what an editor shows as a chip.
  public struct Clause: Sendable, Hashable {
    public var range: FilterRange
    public var expression: FilterExpression
  }

  public var expression: FilterExpression
  /// The parts that are joined by `and`; a filter whose outermost word is `or` is one clause.
  public var clauses: [Clause]

  /// Reads a filter.
  ///
  /// - Throws: `FilterError` with the place of the first thing that cannot be understood.
  public init(_ text: String) throws(FilterError) {
    var parser = FilterParser(text)
    self = try parser.parse()
  }

  init(_ expression: FilterExpression, _ clauses: [Clause]) {
    (self.expression, self.clauses) = (expression, clauses)
  }
}

/// How large a filter may be.
public enum FilterLimits {
  /// UTF-16 code units of the whole text.
  public static let length = 16_384
  /// Brackets and `not` within each other. SQLite's parser holds 100 symbols: what `FilterSQL` prints of the worst filter
  /// of this depth has room in that, with all that stands around it.
  public static let depth = 30
  /// Comparisons and texts.
  public static let clauses = 500
  /// Values of one `in`.
  public static let values = 1_000
}
