// The derived metrics of a project together: some are made of others.

public import OrderedCollections

/// The expressions of a project's derived metrics, by name.
public struct DerivedExpressions: Sendable, Hashable {
  /// Operators, functions, names and numbers of an expression in which others stand, at most.
  public static let largestExpansion = 2_000

  public let expressions: OrderedDictionary<String, MetricExpression>

  public init(_ expressions: OrderedDictionary<String, MetricExpression>) { self.expressions = expressions }

  /// Those of `metrics` that can be read, which all can that were accepted once.
  public init(_ metrics: [DerivedMetric]) {
    var expressions: OrderedDictionary<String, MetricExpression> = [:]
    for metric in metrics {
      if let expression = try? MetricExpression(parsing: metric.expression) {
        expressions[metric.name] = expression
      }
    }
    self.expressions = expressions
  }

  /// A derived metric down to logged ones; nil: there is none of that name.
  ///
  /// - Parameter isLogged: names that a run has logged: they mean what was logged there.
  public func expanded(_ name: String, isLogged: (String) -> Bool) -> MetricExpression? {
    if isLogged(name) { return .metric(name) }
    return expressions[name]?.replacing { expanded($0, isLogged: isLogged) }
  }

  /// The names of derived metrics that are made of `name`, directly or through others, in order.
  public func dependents(of name: String) -> [String] {
    var found: OrderedSet<String> = []
    func collect(_ name: String) {
      for (other, expression) in expressions where expression.metrics.contains(name) {
        if found.append(other).inserted { collect(other) }
      }
    }
    collect(name)
    return found.filter { $0 != name }
  }

  /// That none is made of itself, and none grows too large with the others in it.
  ///
  /// - Throws: `Problem.unprocessable`.
  public func check() throws(Problem) {
    var sizes: [String: Int] = [:]
    for name in expressions.keys {
      var path: [String] = []
      _ = try size(of: name, &sizes, &path)
    }
  }

  private func size(
    of name: String, _ sizes: inout [String: Int], _ path: inout [String]
  ) throws(Problem) -> Int {
    if let known = sizes[name] { return known }
    guard let expression = expressions[name] else { return 1 }
    if let start = path.firstIndex(of: name) {
      let circle = (path[start...] + [name]).map { "'\($0)'" }.joined(separator: " → ")
      throw Problem(
        .unprocessable, "The derived metric '\(name)' would be made of itself: \(circle).",
        hint: "Change one of these expressions.")
    }
    path.append(name)
    var total = expression.size
    var uses: [String: Int] = [:]
    expression.countMetrics(&uses)
    for (other, count) in uses.sorted(by: { $0.key < $1.key }) {
      total += count * (try size(of: other, &sizes, &path) - 1)
      guard total <= Self.largestExpansion else {
        throw Problem(
          .unprocessable,
          "The derived metric '\(name)' has more than \(Self.largestExpansion) parts, with those in it that it is made of.",
          hint: "Make it of fewer others.")
      }
    }
    path.removeLast()
    sizes[name] = total
    return total
  }
}

extension MetricExpression {
  /// How often it names each metric.
  fileprivate func countMetrics(_ uses: inout [String: Int]) {
    if case .metric(let name) = self { uses[name, default: 0] += 1 }
    for operand in operands { operand.countMetrics(&uses) }
  }
}
