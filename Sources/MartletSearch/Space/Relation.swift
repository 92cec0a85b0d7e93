// What every point must meet: comparisons of parameters, joined by `and`, `or` and `not`.

import MartletModel
public import OrderedCollections

/// A rule over parameters that every point must meet, like `heads * head_size <= width and optimizer != "sgd"`.
///
/// A comparison about a parameter that has no value is neither true nor false (Kleene's three values): a rule of which
/// nothing more is known holds. Numbers that differ by less than 1e-9 of the larger one are equal, for 0.1 + 0.2 to be
/// at most 0.3.
public struct Relation: Hashable, Sendable {
  public enum Comparison: String, Hashable, Sendable, CaseIterable {
    case atMost = "<="
    case atLeast = ">="
    case equal = "=="
    case unequal = "!="
    case below = "<"
    case above = ">"

    func holds(_ a: Double, _ b: Double) -> Bool {
      guard !a.isNaN, !b.isNaN else { return false }
      let areEqual = a == b || (a - b).magnitude <= 1e-9 * max(a.magnitude, b.magnitude)
      return switch self {
      case .atMost: a < b || areEqual
      case .atLeast: a > b || areEqual
      case .equal: areEqual
      case .unequal: !areEqual
      case .below: a < b && !areEqual
      case .above: a > b && !areEqual
      }
    }
  }

  /// A rule, or a part of one.
  indirect enum Term: Hashable, Sendable {
    case numbers(MetricExpression, Comparison, MetricExpression)
    /// The parameter has this text, or with `isEqual` false has another value.
    case text(String, isEqual: Bool, String)
    case not(Term)
    case all([Term])
    case any([Term])

    /// Nil: a parameter that it is about has no value.
    func holds(_ value: (String) -> JSONValue?) -> Bool? {
      switch self {
      case .numbers(let left, let comparison, let right):
        guard let left = left.value(value), let right = right.value(value) else { return nil }
        return comparison.holds(left, right)
      case .text(let name, let isEqual, let text):
        return value(name).map { ($0 == .string(text)) == isEqual }
      case .not(let term): return term.holds(value).map(!)
      case .all(let terms): return Self.join(terms, value, decisive: false)
      case .any(let terms): return Self.join(terms, value, decisive: true)
      }
    }

    /// `decisive` where one of them is that, else nil where one is nil.
    private static func join(
      _ terms: [Term], _ value: (String) -> JSONValue?, decisive: Bool
    ) -> Bool? {
      var answer: Bool? = !decisive
      for term in terms {
        guard let one = term.holds(value) else {
          answer = nil
          continue
        }
        if one == decisive { return decisive }
      }
      return answer
    }

    /// The comparisons in it.
    fileprivate var comparisons: [Term] {
      switch self {
      case .numbers, .text: [self]
      case .not(let term): term.comparisons
      case .all(let terms), .any(let terms): terms.flatMap(\.comparisons)
      }
    }
  }

  /// As it was written.
  public let text: String
  let term: Term

  init(text: String, term: Term) { (self.text, self.term) = (text, term) }

  /// The names that numbers are asked of, each once, in the order of their first appearance.
  public var names: OrderedSet<String> {
    var names = OrderedSet<String>()
    for case .numbers(let left, _, let right) in term.comparisons {
      names.formUnion(left.names + right.names)
    }
    return names
  }

  /// The parameters that are compared with texts, and the text, in the order of their appearance.
  var texts: [(name: String, text: String)] {
    term.comparisons.compactMap { part -> (name: String, text: String)? in
      if case .text(let name, _, let text) = part { return (name, text) }
      return nil
    }
  }

  /// Whether it holds where `value` gives the values, nil for a parameter that has none.
  func holds(_ value: (String) -> JSONValue?) -> Bool { term.holds(value) ?? true }
}
