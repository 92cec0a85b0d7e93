// One choice of values: what a trial tries.

public import MartletModel
public import OrderedCollections

/// A value for every parameter of a space that has one, in the order of the space, and those derived from them.
///
///     point["optimizer.lr"]   // .double(0.1)
///     point.nested            // {"optimizer": {"lr": 0.1}, "width": 64}
public struct Point: Hashable, Sendable {
  /// The values by dotted name.
  public private(set) var values: OrderedDictionary<String, JSONValue>
  /// The paths of the names that are nested; a name that merely holds a dot is not here.
  private var paths: [String: [String]]

  public init(values: OrderedDictionary<String, JSONValue> = [:]) {
    self.values = values
    paths = [:]
  }

  public subscript(name: String) -> JSONValue? { values[name] }

  /// The values by dotted name as one flat object.
  public var flat: JSONValue { .object(values) }

  /// The values as the sweep file nests them.
  public var nested: JSONValue {
    var root = JSONObject()
    for (name, value) in values { Self.put(value, at: (paths[name] ?? [name])[...], into: &root) }
    return .object(root)
  }

  mutating func set(_ path: [String], to value: JSONValue) {
    let name = path.joined(separator: ".")
    values[name] = value
    if path.count > 1 { paths[name] = path }
  }

  private static func put(_ value: JSONValue, at path: ArraySlice<String>, into object: inout JSONObject) {
    guard let key = path.first else { return }
    if path.count == 1 {
      object[key] = value
    } else {
      var inner = object[key]?.object ?? [:]
      put(value, at: path.dropFirst(), into: &inner)
      object[key] = .object(inner)
    }
  }
}
