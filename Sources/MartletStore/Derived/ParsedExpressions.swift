// The texts of expressions, read once.

import MartletModel
import OrderedCollections
import Synchronization

/// What texts of expressions mean: a text always means the same, so nothing here grows stale.
enum ParsedExpressions {
  /// Texts that are remembered.
  private static let limit = 4_096

  private static let known = Mutex<[String: MetricExpression]>([:])

  /// Nil: it cannot be read.
  static func expression(_ text: String) -> MetricExpression? {
    if let expression = known.withLock({ $0[text] }) { return expression }
    guard let expression = try? MetricExpression(parsing: text) else { return nil }
    known.withLock { known in
      if known.count >= limit { known = [:] }
      known[text] = expression
    }
    return expression
  }

  /// The expressions of a project's derived metrics; those that cannot be read, which none is, are left out.
  static func all(_ definitions: [StoredDerivedMetric]) -> DerivedExpressions {
    var expressions: OrderedDictionary<String, MetricExpression> = [:]
    for definition in definitions {
      expressions[definition.metric.name] = expression(definition.metric.expression)
    }
    return DerivedExpressions(expressions)
  }
}
