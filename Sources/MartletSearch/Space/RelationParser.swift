// The text of a relation: comparisons of expressions, joined by `and`.

public import MartletModel

extension Relation {
  /// Reads comparisons with `< <= > >= ==` of expressions over parameters, joined by `and`: `a + b <= 1 and 0 < a < c`.
  ///
  /// - Throws: `ExpressionError`, its range in the whole text.
  public init(parsing text: String) throws(ExpressionError) {
    let units = Array(text.utf16)
    var parts: [Part] = []
    for clause in Self.clauses(units) {
      let pieces = try Self.pieces(units, clause)
      guard pieces.count > 1 else {
        throw ExpressionError(
          "A comparison is missing.", hint: "Compare two sides with < <= > >= or ==.", at: clause)
      }
      let sides = try pieces.map { piece throws(ExpressionError) in try Self.expression(units, piece.range) }
      for index in 1..<pieces.count {
        guard let comparison = pieces[index].comparison else { continue }
        parts.append(Part(left: sides[index - 1], comparison: comparison, right: sides[index]))
      }
    }
    self.init(text: text, parts: parts)
  }

  /// One side of a comparison, and the comparison that stands before it.
  private struct Piece {
    var comparison: Comparison?
    var range: Range<Int>
  }

  private static let quote = UInt16(UInt8(ascii: "`"))

  /// What stands between the words `and`.
  private static func clauses(_ units: [UInt16]) -> [Range<Int>] {
    var clauses: [Range<Int>] = []
    var start = 0
    var isQuoted = false
    for place in units.indices {
      if units[place] == quote { isQuoted.toggle() }
      guard !isQuoted, place >= start, units[place...].starts(with: "and".utf16),
        isBoundary(units, place - 1), isBoundary(units, place + 3)
      else { continue }
      clauses.append(start..<place)
      start = place + 3
    }
    return clauses + [start..<units.count]
  }

  /// Whether no name goes on there.
  private static func isBoundary(_ units: [UInt16], _ place: Int) -> Bool {
    guard units.indices.contains(place), let scalar = Unicode.Scalar(units[place]) else { return true }
    return scalar.properties.isWhitespace || "()`<>=".unicodeScalars.contains(scalar)
  }

  private static func pieces(_ units: [UInt16], _ clause: Range<Int>) throws(ExpressionError) -> [Piece] {
    var pieces = [Piece(comparison: nil, range: clause)]
    var isQuoted = false
    var place = clause.lowerBound
    while place < clause.upperBound {
      if units[place] == quote { isQuoted.toggle() }
      let rest = units[place..<clause.upperBound]
      // The longer ones come first.
      if !isQuoted, let found = Comparison.allCases.first(where: { rest.starts(with: $0.rawValue.utf16) }) {
        let end = place + found.rawValue.utf16.count
        let start = pieces[pieces.count - 1].range.lowerBound
        pieces[pieces.count - 1].range = start..<place
        pieces.append(Piece(comparison: found, range: end..<clause.upperBound))
        place = end
        continue
      }
      if !isQuoted, rest.starts(with: "=".utf16) || rest.starts(with: "!=".utf16) {
        throw ExpressionError(
          "'\(rest.starts(with: "=".utf16) ? "=" : "!=")' is no comparison.",
          hint: "Compare with < <= > >= or ==.", at: place..<(place + 1))
      }
      place += 1
    }
    return pieces
  }

  private static func expression(
    _ units: [UInt16], _ range: Range<Int>
  ) throws(ExpressionError) -> MetricExpression {
    do {
      return try MetricExpression(parsingParameters: String(decoding: units[range], as: UTF16.self))
    } catch {
      let from = error.range.lowerBound + range.lowerBound
      throw ExpressionError(
        error.message, hint: error.hint, at: from..<(error.range.upperBound + range.lowerBound))
    }
  }
}
