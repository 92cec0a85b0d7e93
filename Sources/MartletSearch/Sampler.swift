// The protocol every search method follows: ask for a point, tell how it went.

public import MartletModel

/// How one trial ended.
public struct TrialOutcome: Hashable, Sendable {
  /// The trial's number in its sweep.
  public var trial: Int
  public var point: Point
  public var state: TrialState
  /// The value of the metric; nil when there is none.
  public var objective: Double?

  public init(trial: Int, point: Point, state: TrialState, objective: Double?) {
    self.trial = trial
    self.point = point
    self.state = state
    self.objective = objective
  }
}

/// A method of choosing the next point.
///
/// A sampler is a value. Its state can be saved at any time; the sampler restored from it asks for the same points as
/// the one that went on, given the same tells.
public protocol Sampler: Sendable {
  /// The name in a sweep file.
  static var method: String { get }
  var space: Space { get }

  /// A sampler at its beginning.
  init(space: Space, seed: UInt64) throws(SearchError)
  /// The sampler whose `state` was saved.
  init(space: Space, state: JSONValue) throws(SearchError)

  /// The next point; nil when there is none left.
  mutating func ask() -> Point?
  mutating func tell(_ outcome: TrialOutcome)

  /// All that `init(space:state:)` needs beside the space.
  var state: JSONValue { get }
}

private let samplers: [any Sampler.Type] = [GridSampler.self, RandomSampler.self]

/// The methods `makeSampler` knows.
public let samplerMethods: [String] = samplers.map { $0.method }

/// The sampler named `method`, restored from `state` or, without one, at its beginning.
///
/// - Throws: `SearchError` for a name nobody has, a space the method cannot search, or a state it cannot read.
public func makeSampler(
  method: String, space: Space, seed: UInt64, state: JSONValue? = nil
) throws(SearchError) -> any Sampler {
  guard let sampler = samplers.first(where: { $0.method == method }) else {
    throw .unknownMethod(method, nearest: nearest(to: method, in: samplerMethods))
  }
  guard let state else { return try sampler.init(space: space, seed: seed) }
  return try sampler.init(space: space, state: state)
}

/// Reads the members all states have.
struct SavedState {
  let method: String
  let state: JSONValue

  init(_ state: JSONValue, of method: String) throws(SearchError) {
    guard state["method"]?.string == method else {
      throw .unusableState(method: method, reason: "it was not saved by this method")
    }
    self.method = method
    self.state = state
  }

  func count(_ key: String) throws(SearchError) -> Int {
    guard let value = state[key]?.int, value >= 0 else {
      throw .unusableState(method: method, reason: "'\(key)' must be a whole number, 0 or more")
    }
    return Int(value)
  }
}
