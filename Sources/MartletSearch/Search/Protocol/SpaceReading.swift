// The spaces of the line protocol: their JSON to parameters.

import MartletModel

/// Why a request of the line protocol cannot be answered.
struct ProtocolError: Error {
  /// A sentence.
  var message: String

  init(_ message: String) { self.message = message }
}

/// What a `create` says of the problem.
struct ProtocolSpace {
  let space: Space
  /// 1 for what is minimised, −1 for what is maximised; one an objective.
  let signs: [Double]
  let constraintCount: Int

  init(_ value: JSONValue) throws {
    let reader = try JSONReader(value, path: "space")
    let items = try reader.required("params", reader.array("params"))
    space = try Space(
      items.enumerated().map { try Self.parameter(JSONReader($1, path: "space.params[\($0)]")) })
    signs = try (reader.array("objectives") ?? [[:]]).enumerated().map { index, item in
      let objective = try JSONReader(item, path: "space.objectives[\(index)]")
      let goal = try objective.string("goal") ?? "minimize"
      guard goal == "minimize" || goal == "maximize" else {
        throw ProtocolError("'\(objective.keyPath("goal"))' must be minimize or maximize, not '\(goal)'")
      }
      return goal == "minimize" ? 1 : -1
    }
    guard !signs.isEmpty else { throw ProtocolError("'space.objectives' must name at least one objective") }
    constraintCount = try reader.array("constraints")?.count ?? 0
  }

  private static func parameter(_ reader: JSONReader) throws -> Parameter {
    let name = try reader.requiredString("name")
    let all =
      switch reader.value("when") {
      case nil: [] as [Condition]
      case .array(let items):
        try items.flatMap { try conditions(JSONReader($0, path: reader.keyPath("when"))) }
      case .some(let item): try conditions(JSONReader(item, path: reader.keyPath("when")))
      }
    return Parameter(
      name, try domain(reader), when: all.count > 1 ? .all(all) : all.first)
  }

  private static func conditions(_ reader: JSONReader) throws -> [Condition] {
    try reader.allowOnly(["param", "in", "gte", "lte"])
    let name = try reader.requiredString("param")
    let parts: [Condition?] = [
      try reader.array("in").map { .isOne(of: $0, name) },
      try reader.double("gte").map { .atLeast($0, name) }, try reader.double("lte").map { .atMost($0, name) },
    ]
    let conditions = parts.compactMap(\.self)
    guard !conditions.isEmpty else { throw ProtocolError("'\(reader.path)' needs in, gte or lte") }
    return conditions
  }

  private static func domain(_ reader: JSONReader) throws -> Domain {
    switch try reader.requiredString("type") {
    case "categorical": return .categorical(try reader.required("choices", reader.array("choices")))
    case "ordinal": return .ordinal(try reader.required("choices", reader.array("choices")))
    case "int":
      let low = try reader.requiredInt("low")
      let high = try reader.requiredInt("high")
      guard low != high else { return .categorical([.int(low)]) }
      return .integers(
        min: low, max: high, step: try reader.int("step") ?? 1,
        scale: try reader.bool("log") == true ? .logarithmic : .linear)
    case "float":
      let low = try reader.required("low", reader.double("low"))
      let high = try reader.required("high", reader.double("high"))
      guard low != high else { return .categorical([.double(low)]) }
      let isLogarithmic = try reader.bool("log") ?? false
      return .real(
        isLogarithmic ? .logUniformValues(min: low, max: high) : .uniform(min: low, max: high),
        quantum: try reader.double("step").map { Quantum($0, from: low) })
    case let other:
      throw ProtocolError("'\(reader.keyPath("type"))' must be float, int or categorical, not '\(other)'")
    }
  }
}
