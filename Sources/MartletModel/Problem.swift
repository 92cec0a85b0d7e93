// What went wrong, in words a person can act on: the one error every face shows.

public import OrderedCollections

/// An error with a code for programs, a message and a hint for people.
public struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: String, Sendable, CaseIterable {
    case badRequest, unauthenticated, forbidden, notFound, methodNotAllowed, conflict, tooLarge
    case rangeNotSatisfiable, unprocessable, upgradeRequired, tooManyRequests, `internal`, unavailable

    /// The HTTP status that carries it.
    public var status: Int {
      switch self {
      case .badRequest: 400
      case .unauthenticated: 401
      case .forbidden: 403
      case .notFound: 404
      case .methodNotAllowed: 405
      case .conflict: 409
      case .tooLarge: 413
      case .rangeNotSatisfiable: 416
      case .unprocessable: 422
      case .upgradeRequired: 426
      case .tooManyRequests: 429
      case .internal: 500
      case .unavailable: 503
      }
    }
  }

  public var code: Code
  /// A sentence: what happened, to what.
  public var message: String
  /// What to do about it.
  public var hint: String?
  /// Members for programs: a line, a column, the next sequence number.
  public var details: JSONObject

  public init(_ code: Code, _ message: String, hint: String? = nil, details: JSONObject = [:]) {
    self.code = code
    self.message = message
    self.hint = hint
    self.details = details
  }

  public var description: String { hint.map { "\(message) \($0)" } ?? message }

  /// The body of an error answer: `{"error": {code, message, hint, details?}}`.
  public var json: JSONValue {
    var error: JSONObject = [
      "code": .string(code.rawValue), "message": .string(message), "hint": JSONValue(hint),
    ]
    if !details.isEmpty { error["details"] = .object(details) }
    return ["error": .object(error)]
  }

  /// Reads the body of an error answer; nil when it is something else.
  public init?(json: JSONValue) {
    guard let error = json["error"], let code = error["code"]?.string.flatMap(Code.init(rawValue:)),
      let message = error["message"]?.string
    else { return nil }
    self.init(code, message, hint: error["hint"]?.string, details: error["details"]?.object ?? [:])
  }
}
