// Grid search: every point once, in the order of the file.

public import MartletModel

/// Every point of a finite space once: parameters in the order of the file, the last one changing fastest.
public struct GridSampler: Sampler {
  public static let method = "grid"
  public let space: Space
  private let cardinality: Int
  private var next = 0

  /// - Throws: `SearchError.infiniteDomain` naming the first parameter whose values have no end.
  public init(space: Space, seed: UInt64 = 0) throws(SearchError) {
    for parameter in space.parameters where parameter.domain.count == nil {
      throw .infiniteDomain(parameter: parameter.name, method: Self.method)
    }
    guard let cardinality = space.cardinality, cardinality < Int.max else {
      throw .tooManyPoints(method: Self.method)
    }
    self.space = space
    self.cardinality = cardinality
  }

  public init(space: Space, state: JSONValue) throws(SearchError) {
    try self.init(space: space)
    let saved = try SavedState(state, of: Self.method)
    next = try saved.count("next")
    guard next <= cardinality else {
      throw .unusableState(
        method: Self.method, reason: "it stands at point \(next) of a space that has \(cardinality)")
    }
  }

  public mutating func ask() -> Point? {
    guard let point = space.point(at: next) else { return nil }
    next += 1
    return point
  }

  public mutating func tell(_ outcome: TrialOutcome) {}

  public var state: JSONValue { ["method": .string(Self.method), "next": .int(Int64(next))] }
}
