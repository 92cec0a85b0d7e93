// The layers of the model that a run trains.

/// What `watch(model)` tells of a model: its layers with their parameters and shapes, checked.
public struct ModelSummary: Sendable, Hashable {
  public static let largestLayerCount = 100_000

  /// As the API shows it: `{layers, parameters, trainable, framework}`.
  public var json: JSONValue

  /// - Throws: `JSONMemberError` for what is unknown or of the wrong kind.
  public init(json: JSONValue, path: String) throws(JSONMemberError) {
    let reader = try JSONReader(json, path: path)
    try reader.allowOnly(["layers", "parameters", "trainable", "framework"])
    let given = try reader.array("layers") ?? []
    guard given.count <= Self.largestLayerCount else {
      throw JSONMemberError(
        key: reader.keyPath("layers"),
        message: "has \(given.count) items; \(Self.largestLayerCount) are allowed")
    }
    var layers: [JSONValue] = []
    for (index, layer) in given.enumerated() {
      layers.append(try Self.layer(layer, "\(reader.keyPath("layers"))[\(index)]"))
    }
    self.json = [
      "layers": .array(layers), "parameters": JSONValue(try Self.count(reader, "parameters")),
      "trainable": JSONValue(try Self.count(reader, "trainable")),
      "framework": JSONValue(try reader.string("framework")),
    ]
  }

  /// What this store wrote itself.
  public init(stored: JSONValue) { json = stored }

  private static func layer(_ json: JSONValue, _ path: String) throws(JSONMemberError) -> JSONValue {
    let reader = try JSONReader(json, path: path)
    try reader.allowOnly(["name", "type", "parameters", "trainable", "input_shape", "output_shape"])
    let parameters = try count(reader, "parameters")
    // All or none, where nobody counted.
    let trainable: Int64? =
      if case .bool(let isTrained)? = reader.value("trainable") {
        isTrained ? parameters : 0
      } else {
        try count(reader, "trainable")
      }
    return [
      "name": .string(try reader.requiredString("name")), "type": JSONValue(try reader.string("type")),
      "parameters": JSONValue(parameters), "trainable": JSONValue(trainable),
      "input_shape": try shape(reader, "input_shape"), "output_shape": try shape(reader, "output_shape"),
    ]
  }

  private static func count(_ reader: JSONReader, _ key: String) throws(JSONMemberError) -> Int64? {
    guard let count = try reader.int(key) else { return nil }
    guard count >= 0 else {
      throw JSONMemberError(key: reader.keyPath(key), message: "must not be negative, as \(count) is")
    }
    return count
  }

  /// Whole numbers, null where a size is open; of several tensors a list of such lists.
  private static func shape(_ reader: JSONReader, _ key: String) throws(JSONMemberError) -> JSONValue {
    guard let sizes = try reader.array(key) else { return .null }
    func isSize(_ value: JSONValue) -> Bool { value.isNull || value.int != nil }
    let isShape =
      sizes.allSatisfy(isSize) || sizes.allSatisfy { $0.isNull || $0.array?.allSatisfy(isSize) == true }
    guard isShape else {
      throw JSONMemberError(
        key: reader.keyPath(key), message: "must be a list of whole numbers, or a list of such lists")
    }
    return .array(sizes)
  }
}
