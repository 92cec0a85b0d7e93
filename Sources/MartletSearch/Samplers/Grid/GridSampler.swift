// Grid search: every point of a finite space once.

import MartletModel

/// Every point of a finite space that is not known yet, one after the other.
///
/// In the order of the file, the last parameter changing fastest, or with `order: seeded` shuffled by the seed, so that
/// a grid that is stopped early has looked everywhere.
public struct GridSampler: Sampler {
  public static let method = "grid"
  private let problem: SearchProblem
  private let count: Int
  /// Nil: the order of the file.
  private let permutation: Permutation?
  /// Points before this one are known, or forbidden. A cache: from 0 on it is found again.
  private var next = 0
  /// How many of those are forbidden by a relation.
  private var forbidden = 0
  /// How many forbidden points in a row an ask looks at before it gives up: a space whose rules forbid nearly all of its
  /// points would hold up everybody else.
  var patience = 1_000_000

  private enum Order: String, CaseIterable {
    case file, seeded
  }

  public init(_ problem: SearchProblem) throws(SearchError) {
    var reader = OptionReader(problem.options, of: Self.method)
    let order = try reader.choice("order", default: Order.file)
    try reader.finish()
    guard let count = problem.space.cardinality else {
      let endless = problem.space.parameters.first { $0.domain.count == nil }
      throw .infiniteDomain(parameter: endless?.name ?? "", method: Self.method)
    }
    guard count < Int.max else { throw .tooManyPoints(method: Self.method) }
    self.problem = problem
    self.count = count
    permutation = order == .seeded ? Permutation(count: count, seed: problem.seed) : nil
  }

  public mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask {
    var skipped = 0
    while next < count {
      guard skipped < patience else {
        return .exhausted(
          "The rules of the space forbid \(skipped) points in a row: correct 'where', or let another method search."
        )
      }
      let index = permutation?[next] ?? next
      guard let point = problem.space.point(at: index),
        let coordinates = problem.cube.coordinates(of: point), problem.cube.isAllowed(coordinates)
      else {
        next += 1
        forbidden += 1
        skipped += 1
        continue
      }
      if !history.contains(coordinates) { return .point(coordinates) }
      next += 1
    }
    let all = count - forbidden
    return .exhausted(
      forbidden == 0
        ? "All \(all) points of the space have been tried."
        : "All \(all) points that the space allows have been tried: its rules forbid \(forbidden) others.")
  }
}
