// Which rung a trial is first judged on.

import Foundation

/// Hyperband's brackets: bracket b is first judged on rung b, and a trial belongs to one by a draw of its number.
///
/// The shares follow Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization" (2018),
/// algorithm 1: of brackets with s = count − 1 … 0 halvings, bracket s begins with n = ⌈count · η^s / (s + 1)⌉ trials,
/// which spends about the same on each.
struct Brackets: Hashable, Sendable {
  /// The share of each, the one that is judged first at the beginning.
  let shares: [Double]
  private let seed: UInt64

  init(count: Int, eta: Double, seed: UInt64) {
    let sizes = (0..<max(count, 1)).map { bracket in
      let halvings = Double(count - 1 - bracket)
      return (Double(count) * pow(eta, halvings) / (halvings + 1)).rounded(.up)
    }
    let sum = sizes.reduce(0, +)
    shares = sizes.map { $0 / sum }
    self.seed = seed
  }

  func bracket(of trial: Int) -> Int {
    guard shares.count > 1 else { return 0 }
    // A stream of its own, far from those of the trials' points.
    var generator = Xoshiro256(seed: seed ^ 0x4272_6163_6B65_7473, stream: UInt64(bitPattern: Int64(trial)))
    var place = generator.unit()
    for (bracket, share) in shares.enumerated() {
      place -= share
      if place < 0 { return bracket }
    }
    return shares.count - 1
  }
}
