// The members of an object, one after the other: into a tree, or straight into text where there are many objects.

import OrderedCollections

/// Takes the members of a JSON object in their order.
public protocol JSONMembers {
  mutating func put(_ name: String, _ value: JSONValue)
  mutating func put(_ name: String, _ value: String?)
  mutating func put(_ name: String, _ value: Int64?)
  mutating func put(_ name: String, _ value: Double?)
  /// A member that is an object itself, with the members that `members` puts.
  mutating func put(_ name: String, object members: (inout Self) -> Void)
}

extension JSONMembers {
  public mutating func put(_ name: String, _ value: Int?) { put(name, value.map(Int64.init)) }
  public mutating func put(_ name: String, _ value: Timestamp?) { put(name, value?.microseconds) }
}

/// The members as a value.
public struct JSONTree: JSONMembers {
  private var members = JSONObject()

  public init() {}

  public var value: JSONValue { .object(members) }

  public mutating func put(_ name: String, _ value: JSONValue) { members[name] = value }
  public mutating func put(_ name: String, _ value: String?) { members[name] = JSONValue(value) }
  public mutating func put(_ name: String, _ value: Int64?) { members[name] = JSONValue(value) }
  public mutating func put(_ name: String, _ value: Double?) { members[name] = JSONValue(value) }

  public mutating func put(_ name: String, object members: (inout JSONTree) -> Void) {
    var inner = JSONTree()
    members(&inner)
    self.members[name] = inner.value
  }
}

/// The members as compact JSON text, the same as that of a `JSONTree`'s value. No name may be put twice.
public struct JSONText: JSONMembers {
  public private(set) var bytes: [UInt8] = []
  private var isFirst = true

  public init() {}

  public mutating func put(_ name: String, _ value: JSONValue) {
    begin(name)
    value.write(to: &bytes)
  }

  public mutating func put(_ name: String, _ value: String?) {
    begin(name)
    guard let value else { return null() }
    JSONValue.write(value, to: &bytes)
  }

  public mutating func put(_ name: String, _ value: Int64?) {
    begin(name)
    guard let value else { return null() }
    JSONValue.write(value, to: &bytes)
  }

  public mutating func put(_ name: String, _ value: Double?) {
    begin(name)
    guard let value else { return null() }
    JSONValue.write(value, to: &bytes)
  }

  public mutating func put(_ name: String, object members: (inout JSONText) -> Void) {
    begin(name)
    object(members)
  }

  /// A member that is a list of objects, each with the members that `members` puts.
  public mutating func put<Items: Sequence>(
    _ name: String, objects items: Items, _ members: (Items.Element, inout JSONText) -> Void
  ) {
    begin(name)
    bytes.append(UInt8(ascii: "["))
    var isFirst = true
    for item in items {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      object { members(item, &$0) }
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// An object where a value is expected: at the beginning, or behind a name.
  public mutating func object(_ members: (inout JSONText) -> Void) {
    bytes.append(UInt8(ascii: "{"))
    isFirst = true
    members(&self)
    isFirst = false
    bytes.append(UInt8(ascii: "}"))
  }

  private mutating func begin(_ name: String) {
    if !isFirst { bytes.append(UInt8(ascii: ",")) }
    isFirst = false
    JSONValue.write(name, to: &bytes)
    bytes.append(UInt8(ascii: ":"))
  }

  private mutating func null() { bytes += "null".utf8 }
}
