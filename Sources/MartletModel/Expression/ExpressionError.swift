// What is wrong with an expression, and where.

import OrderedCollections

/// A fault in the text of an expression.
public struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// A sentence.
  public var message: String
  public var hint: String?
  /// The fault's place in the text, in UTF-16 code units; empty at the end of the text.
  public var range: Range<Int>

  public init(_ message: String, hint: String? = nil, at range: Range<Int>) {
    (self.message, self.hint, self.range) = (message, hint, range)
  }

  public var description: String { hint.map { "\(message) \($0)" } ?? message }

  /// As the API answers it, with the place as `details`.
  public var problem: Problem {
    Problem(
      .unprocessable, message, hint: hint,
      details: ["from": .int(Int64(range.lowerBound)), "to": .int(Int64(range.upperBound))])
  }
}
