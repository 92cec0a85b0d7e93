// Random search: every parameter drawn on its own.

public import MartletModel

/// Points drawn at random, each parameter by its own distribution, without end.
///
/// The n-th point is a function of the seed and n alone, so it does not matter how often the sampler was saved and
/// restored in between. In a finite space a point may come more than once.
public struct RandomSampler: Sampler {
  public static let method = "random"
  public let space: Space
  private let seed: UInt64
  private var next = 0

  public init(space: Space, seed: UInt64) {
    self.space = space
    self.seed = seed
  }

  public init(space: Space, state: JSONValue) throws(SearchError) {
    let saved = try SavedState(state, of: Self.method)
    // Text, because a JSON number does not hold all 64-bit seeds.
    guard let seed = state["seed"]?.string.flatMap({ UInt64($0, radix: 16) }) else {
      throw .unusableState(method: Self.method, reason: "'seed' must be a hexadecimal number in quotes")
    }
    self.init(space: space, seed: seed)
    next = try saved.count("next")
  }

  public mutating func ask() -> Point? {
    var generator = Xoshiro256(seed: seed, stream: UInt64(next))
    next += 1
    var point = Point()
    for parameter in space.parameters { point.set(parameter, to: parameter.domain.draw(using: &generator)) }
    return point
  }

  public mutating func tell(_ outcome: TrialOutcome) {}

  public var state: JSONValue {
    ["method": .string(Self.method), "seed": .string(String(seed, radix: 16)), "next": .int(Int64(next))]
  }
}
