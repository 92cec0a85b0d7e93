// The derived metrics of a project together: some are made of others.

public import OrderedCollections

/// The expressions of a project's derived metrics, by name.
public struct DerivedExpressions: Sendable, Hashable {
  /// Operators, functions, names and numbers of an expression in which others stand, at most.
  public static let largestExpansion = 2_000
  /// Points that the `lag`s of an expression in which others stand may go back, all together: each keeps as many.
  public static let farthestLags = 100_000

  public let expressions: OrderedDictionary<String, MetricExpression>

  public init(_ expressions: OrderedDictionary<String, MetricExpression>) { self.expressions = expressions }

  /// Those of `metrics` that can be read, which all can that were accepted once.
  public init(_ metrics: [DerivedMetric]) {
    var expressions: OrderedDictionary<String, MetricExpression> = [:]
    for metric in metrics {
      // One that a damaged database holds stands for nothing; 'martlet doctor' finds the damage.
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

  /// These names, and all that is named in what they stand for, down to logged metrics.
  public func reached(from names: some Sequence<String>) -> OrderedSet<String> {
    var found = OrderedSet(names)
    var place = 0
    while place < found.count {
      if let expression = expressions[found[place]] { found.formUnion(expression.metrics) }
      place += 1
    }
    return found
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

  /// What an expression takes with the others in it.
  private struct Extent {
    var parts: Int
    /// Points that its `lag`s go back, all together.
    var lags: Int
  }

  /// That none is made of itself, and none grows too large with the others in it.
  ///
  /// - Throws: `Problem.unprocessable`.
  public func check() throws(Problem) {
    var sizes: [String: Extent] = [:]
    for name in expressions.keys {
      var path: [String] = []
      _ = try size(of: name, &sizes, &path)
    }
  }

  private func size(
    of name: String, _ sizes: inout [String: Extent], _ path: inout [String]
  ) throws(Problem) -> Extent {
    if let known = sizes[name] { return known }
    guard let expression = expressions[name] else { return Extent(parts: 1, lags: 0) }
    if let start = path.firstIndex(of: name) {
      let circle = (path[start...] + [name]).map { "'\($0)'" }.joined(separator: " → ")
      throw Problem(
        .unprocessable, "The derived metric '\(name)' would be made of itself: \(circle).",
        hint: "Change one of these expressions.")
    }
    path.append(name)
    var total = Extent(parts: expression.size, lags: expression.lags)
    var uses: [String: Int] = [:]
    expression.countMetrics(&uses)
    for (other, count) in uses.sorted(by: { $0.key < $1.key }) {
      let inner = try size(of: other, &sizes, &path)
      total.parts += count * (inner.parts - 1)
      total.lags += count * inner.lags
      guard total.parts <= Self.largestExpansion else {
        throw Problem(
          .unprocessable,
          "The derived metric '\(name)' has more than \(Self.largestExpansion) parts, with those in it that it is made of.",
          hint: "Make it of fewer others.")
      }
    }
    guard total.lags <= Self.farthestLags else {
      throw Problem(
        .unprocessable,
        "The lags of the derived metric '\(name)' go back \(total.lags) points, with those in it that it is made of; at most \(Self.farthestLags) are allowed.",
        hint: "Give lag a smaller number, or use it less often.")
    }
    path.removeLast()
    sizes[name] = total
    return total
  }
}

extension MetricExpression {
  /// Points that its `lag`s go back, all together.
  fileprivate var lags: Int {
    var own = 0
    if case .call(.lag, let arguments) = self {
      own = 1
      if arguments.count > 1, case .number(let distance) = arguments[1] { own = Int(distance) }
    }
    return operands.reduce(own) { $0 + $1.lags }
  }

  /// How often it names each metric.
  fileprivate func countMetrics(_ uses: inout [String: Int]) {
    if case .metric(let name) = self { uses[name, default: 0] += 1 }
    for operand in operands { operand.countMetrics(&uses) }
  }
}
