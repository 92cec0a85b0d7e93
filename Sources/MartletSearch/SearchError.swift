// What can be wrong with a space, a sampler's name or a saved state, in words a person can act on.

/// Why a search cannot begin or go on.
public enum SearchError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No sampler has this name; `nearest` is the one most like it.
  case unknownMethod(String, nearest: String?)
  /// The space has no parameter.
  case emptySpace
  /// Two parameters have the same dotted name.
  case repeatedParameter(String)
  /// The domain of `parameter` cannot be searched by anyone.
  case invalidDomain(parameter: String, flaw: DomainFlaw)
  /// `method` lists every point, and this parameter has no end of values.
  case infiniteDomain(parameter: String, method: String)
  /// `method` lists every point, and there are more of them than can be counted.
  case tooManyPoints(method: String)
  /// A saved state that this sampler did not write, or wrote for another space.
  case unusableState(method: String, reason: String)

  public var description: String {
    switch self {
    case .unknownMethod(let name, let nearest):
      "unknown method '\(name)'\(nearest.map { "; did you mean '\($0)'?" } ?? ""): "
        + "this version searches with \(samplerMethods.joined(separator: " and "))"
    case .emptySpace:
      "the space is empty: give at least one parameter"
    case .repeatedParameter(let name):
      "the parameter '\(name)' is given twice"
    case .invalidDomain(let parameter, let flaw):
      "the parameter '\(parameter)': \(flaw.message)"
    case .infiniteDomain(let parameter, let method):
      "method '\(method)' cannot list '\(parameter)', whose values have no end: "
        + "give it a list of values, whole-number bounds, or bounds with a step 'q', or use method 'random'"
    case .tooManyPoints(let method):
      "method '\(method)' cannot count the points of this space: use fewer values, or method 'random'"
    case .unusableState(let method, let reason):
      "the saved state of the '\(method)' sampler cannot be used: \(reason)"
    }
  }
}

/// What makes a domain unusable, and which of its settings is to blame.
public struct DomainFlaw: Hashable, Sendable {
  /// The setting, by its name in a sweep file: `min`, `max`, `values`, `probabilities`, `q`, `step`, `sigma`, `a`, `b`.
  public var key: String
  public var message: String

  public init(key: String, message: String) {
    self.key = key
    self.message = message
  }
}
