// The protocol every search method follows: ask for a point, tell how it went.

public import MartletModel

/// What a sampler answers when it is asked.
public enum Ask: Hashable, Sendable {
  /// Try this point: one number an axis, any of them; the search makes them canonical.
  ///
  /// - note: kept beside the trial and given back with its observation; small.
  /// - from: the number of the trial whose checkpoint this one begins with.
  case point([Double], note: JSONValue? = nil, from: Int? = nil)
  /// Go on with a paused trial.
  case resume(trial: Int)
  /// Nothing until a pending trial ends.
  case wait
  /// There will never be another point; why, as a sentence.
  case exhausted(String)
}

/// A method of choosing the next point.
///
/// A sampler is a value, and what it answers is a function of the problem, the history and its own `state` alone: saved
/// and restored beside the same history it gives the same asks. What can be derived from the history (models, sorted
/// columns) is a cache and not part of the state. It minimises every loss.
public protocol Sampler: Sendable {
  /// The name in a sweep file.
  static var method: String { get }

  /// A sampler at its beginning.
  ///
  /// - Throws: `SearchError.unsupported` for a problem the method cannot search, and errors of its options.
  init(_ problem: SearchProblem) throws(SearchError)

  /// What trial number `trial` should try. `history` does not know that trial yet.
  ///
  /// - Parameter attempt: 0, or how many answers for this trial were refused because they were tried before.
  mutating func ask(_ history: History, trial: Int, attempt: Int) -> Ask

  /// A trial ended; `history` has it already.
  mutating func tell(_ observation: Observation, _ history: History)

  /// All that `restore` needs beside the problem and the history; `null` when that is nothing.
  var state: JSONValue { get }

  /// Goes on from a saved `state`. Called once, at the beginning.
  ///
  /// - Throws: `SearchError.unusableState`.
  mutating func restore(_ state: JSONValue, _ history: History) throws(SearchError)
}

extension Sampler {
  public mutating func tell(_ observation: Observation, _ history: History) {}
  public var state: JSONValue { .null }
  public mutating func restore(_ state: JSONValue, _ history: History) throws(SearchError) {}
}
