// Typed reading of a JSON object's members, with errors that name the member and what was expected.

public import OrderedCollections

/// A member of a JSON object that is missing, unknown or of the wrong kind.
public struct JSONMemberError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Path of the member, like `metric.goal`.
  public var key: String
  public var message: String

  public init(key: String, message: String) {
    self.key = key
    self.message = message
  }

  public var description: String { "'\(key)' \(message)" }
}

/// Reads members of one object; `path` is the object's own place, for messages.
public struct JSONReader: Sendable {
  public let members: JSONObject
  public let path: String

  /// - Throws: `JSONMemberError` when `value` is no object.
  public init(_ value: JSONValue, path: String = "") throws(JSONMemberError) {
    guard case .object(let members) = value else {
      throw JSONMemberError(
        key: path.isEmpty ? "body" : path, message: "must be an object, not \(value.kindInWords)")
    }
    self.members = members
    self.path = path
  }

  public func keyPath(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// The member as it is; nil when it is absent or null.
  public func value(_ key: String) -> JSONValue? {
    guard let value = members[key], !value.isNull else { return nil }
    return value
  }

  private func read<T>(_ key: String, _ kind: String, _ get: (JSONValue) -> T?) throws(JSONMemberError) -> T?
  {
    guard let value = value(key) else { return nil }
    guard let result = get(value) else {
      throw JSONMemberError(key: keyPath(key), message: "must be \(kind), not \(value.kindInWords)")
    }
    return result
  }

  public func string(_ key: String) throws(JSONMemberError) -> String? { try read(key, "a string", \.string) }
  public func int(_ key: String) throws(JSONMemberError) -> Int64? { try read(key, "a whole number", \.int) }
  public func double(_ key: String) throws(JSONMemberError) -> Double? { try read(key, "a number", \.double) }
  public func bool(_ key: String) throws(JSONMemberError) -> Bool? { try read(key, "true or false", \.bool) }
  public func array(_ key: String) throws(JSONMemberError) -> [JSONValue]? {
    try read(key, "a list", \.array)
  }
  public func object(_ key: String) throws(JSONMemberError) -> JSONObject? {
    try read(key, "an object", \.object)
  }

  public func strings(_ key: String) throws(JSONMemberError) -> [String]? {
    guard let items = try array(key) else { return nil }
    var strings: [String] = []
    for (index, item) in items.enumerated() {
      guard let text = item.string else {
        throw JSONMemberError(
          key: "\(keyPath(key))[\(index)]", message: "must be a string, not \(item.kindInWords)")
      }
      strings.append(text)
    }
    return strings
  }

  /// One of the words of `T`; an error for another names the nearest.
  public func word<T: RawRepresentable & CaseIterable>(_ key: String, _: T.Type) throws(JSONMemberError) -> T?
  where T.RawValue == String {
    guard let text = try string(key) else { return nil }
    guard let word = T(rawValue: text) else {
      let hint = nearest(to: text, in: T.allCases.map(\.rawValue)).map { "; did you mean '\($0)'?" } ?? ""
      throw JSONMemberError(key: keyPath(key), message: "has no value '\(text)'\(hint)")
    }
    return word
  }

  /// A member that must be there.
  public func required<T>(_ key: String, _ value: T?) throws(JSONMemberError) -> T {
    guard let value else { throw JSONMemberError(key: keyPath(key), message: "is missing") }
    return value
  }

  public func requiredString(_ key: String) throws(JSONMemberError) -> String {
    try required(key, string(key))
  }
  public func requiredInt(_ key: String) throws(JSONMemberError) -> Int64 { try required(key, int(key)) }

  /// - Throws: `JSONMemberError` for a member that is none of `known`, naming the nearest.
  public func allowOnly(_ known: [String]) throws(JSONMemberError) {
    for key in members.keys where !known.contains(key) {
      let hint = nearest(to: key, in: known).map { "; did you mean '\($0)'?" } ?? ""
      throw JSONMemberError(key: keyPath(key), message: "is not known here\(hint)")
    }
  }
}
