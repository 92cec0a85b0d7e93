// The steps at which trials are compared.

import Foundation

/// Ascending steps, each about η times the one before.
struct Rungs: Hashable, Sendable {
  let steps: [Int64]

  /// `⌊first · η^k⌋` for k = 0, 1, …, all below `end`, where a trial ends by itself; nil: there is no known end.
  init(from first: Int64, eta: Double, end: Int64?) {
    var steps: [Int64] = []
    var step = Double(first)
    while step < min(end.map(Double.init) ?? 0x1p53, 0x1p53) {
      let whole = Int64(step)
      if steps.last != whole { steps.append(whole) }
      step *= eta
    }
    self.steps = steps
  }

  /// `⌊end / η^k⌋` for k = 1 … `count`, as long as it is `least` or more.
  ///
  /// - Parameter least: 1 or more.
  init(below end: Int64, eta: Double, count: Int, atLeast least: Int64 = 1) {
    var steps: [Int64] = []
    var step = Double(end)
    for _ in 0..<count {
      step /= eta
      guard step >= Double(least) else { break }
      let whole = Int64(step)
      if steps.last != whole { steps.append(whole) }
    }
    self.steps = steps.reversed()
  }

  /// The highest rung at or below a step.
  func rung(at step: Int64) -> Int? { steps.lastIndex { $0 <= step } }
}
