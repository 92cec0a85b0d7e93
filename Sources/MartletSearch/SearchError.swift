// What can be wrong with a space, a sampler's name or a saved state, in words a person can act on.

public import MartletModel

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
  /// A point that was given by hand has a value outside its domain, one too few or one too many.
  case pointOutside(JSONValue)
  /// The method cannot search such a problem at all.
  case unsupported(method: String, reason: String)
  /// An option with a value it cannot have.
  case invalidOption(method: String, name: String, message: String)
  /// An option the method does not know.
  case unknownOption(method: String, name: String, nearest: String?, known: [String])
  /// A condition of a parameter, or a derived parameter, that has no meaning.
  case invalidRule(parameter: String, message: String)
  /// A relation between parameters that has no meaning.
  case invalidRelation(String, message: String)
  /// A point that was given by hand and that no search may try; why.
  case pointForbidden(JSONValue, reason: String)
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
    case .pointOutside(let point):
      "the point \(point.text) does not lie in the space: every parameter needs a value of its domain, and nothing else"
    case .unsupported(let method, let reason):
      "method '\(method)' cannot search this: \(reason)"
    case .invalidOption(let method, let name, let message):
      "the option '\(name)' of method '\(method)' \(message)"
    case .unknownOption(let method, let name, let nearest, let known):
      "method '\(method)' has no option '\(name)'\(nearest.map { "; did you mean '\($0)'?" } ?? "")"
        + (known.isEmpty ? ": it has none" : ": it has \(known.joined(separator: ", "))")
    case .invalidRule(let parameter, let message):
      "the parameter '\(parameter)': \(message)"
    case .invalidRelation(let text, let message):
      "the rule '\(text)': \(message)"
    case .pointForbidden(let point, let reason):
      "the point \(point.text) may not be tried: \(reason)"
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
