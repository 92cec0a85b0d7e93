// A parameter as the API and the dashboard show it.

public import MartletModel
import OrderedCollections

extension Parameter {
  /// `{name, kind, values?, min?, max?, distribution?, …}`; `kind` is `constant`, `categorical`, `ordinal`, `integer` or
  /// `real`.
  public var json: JSONValue {
    var members: JSONObject = ["name": .string(name), "kind": .string(domain.kind)]
    for (key, value) in domain.settings { members[key] = value }
    return .object(members)
  }
}

extension Space {
  /// The parameters' `json`, in order, then `{name, kind: "derived", expression}` of those that are computed.
  public var json: JSONValue {
    .array(
      parameters.map(\.json)
        + derived.map {
          ["name": .string($0.name), "kind": "derived", "expression": .string($0.expression.description)]
        })
  }
}

extension Domain {
  fileprivate var kind: String {
    switch self {
    case .constant: "constant"
    case .categorical: "categorical"
    case .ordinal: "ordinal"
    case .integers: "integer"
    case .real(_, let quantum): quantum?.isWhole == true ? "integer" : "real"
    }
  }

  fileprivate var settings: [(String, JSONValue)] {
    switch self {
    case .constant(let value): return [("values", .array([value]))]
    case .categorical(let values, nil), .ordinal(let values): return [("values", .array(values))]
    case .categorical(let values, let probabilities?):
      return [("values", .array(values)), ("probabilities", .array(probabilities.map(JSONValue.double)))]
    case .integers(let min, let max, let step, let scale):
      let range: [(String, JSONValue)] = [
        ("min", .int(min)), ("max", .int(max)),
        ("distribution", scale == .linear ? "int_uniform" : "int_log_uniform_values"),
      ]
      return step == 1 ? range : range + [("step", .int(step))]
    case .real(let distribution, let quantum):
      let prefix = quantum == nil ? "" : "q_"
      let settings = distribution.settings + [("distribution", .string(prefix + distribution.name))]
      guard let quantum else { return settings }
      let step = Quantum(quantum.value, isWhole: quantum.isWhole).multiple(1)
      return settings + [("q", step)] + (quantum.origin == 0 ? [] : [("origin", quantum.multiple(0))])
    }
  }
}

extension RealDistribution {
  /// Its name in a sweep file, without `q_`.
  public var name: String {
    switch self {
    case .uniform: "uniform"
    case .logUniform: "log_uniform"
    case .logUniformValues: "log_uniform_values"
    case .invLogUniform: "inv_log_uniform"
    case .invLogUniformValues: "inv_log_uniform_values"
    case .normal: "normal"
    case .logNormal: "log_normal"
    case .beta: "beta"
    }
  }

  fileprivate var settings: [(String, JSONValue)] {
    switch self {
    case .uniform(let min, let max), .logUniform(let min, let max), .logUniformValues(let min, let max),
      .invLogUniform(let min, let max), .invLogUniformValues(let min, let max):
      [("min", .double(min)), ("max", .double(max))]
    case .normal(let mu, let sigma), .logNormal(let mu, let sigma):
      [("mu", .double(mu)), ("sigma", .double(sigma))]
    case .beta(let a, let b): [("a", .double(a)), ("b", .double(b))]
    }
  }
}
