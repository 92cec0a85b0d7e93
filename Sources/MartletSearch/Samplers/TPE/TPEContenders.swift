// The trials that may be among the best by several objectives.

/// The trials that fewer than `limit` others dominate, each with how many do.
///
/// No other can be among the first `limit` by non-dominated rank: all that dominate it come before it. And the ranks of
/// these do not depend on the others, for who dominates a contender is dominated by even fewer. So only they need be
/// ranked, however many trials there are; and whoever has dropped out stays out.
struct TPEContenders: Sendable {
  private struct Contender: Sendable {
    let trial: Int
    let losses: [Double]
    var dominators: Int
  }

  private let limit: Int
  /// Ascending by trial.
  private var contenders: [Contender] = []

  init(limit: Int) { self.limit = limit }

  /// Their trials, ascending.
  var trials: [Int] { contenders.map(\.trial) }

  mutating func add(_ trial: Int, _ losses: [Double]) {
    var own = Contender(trial: trial, losses: losses, dominators: 0)
    for place in contenders.indices {
      if Pareto.dominates(contenders[place].losses, losses) {
        own.dominators += 1
      } else if Pareto.dominates(losses, contenders[place].losses) {
        contenders[place].dominators += 1
      }
    }
    contenders.removeAll { $0.dominators >= limit }
    // If one that dropped out dominates this one, so do `limit` contenders.
    guard own.dominators < limit else { return }
    let place = contenders.lastIndex { $0.trial < trial }.map { $0 + 1 } ?? 0
    contenders.insert(own, at: place)
  }
}
