// Groups of runs as a table: what they have in common, how many they are, what their numbers come to.

import MartletModel

struct RunGroupList {
  /// Fields, as they were asked for.
  var by: [RunColumn]
  var values: [RunColumn]

  func print(_ groups: [JSONValue], _ format: OutputFormat) throws(OutputClosed) {
    try Listing(items: groups, fields: fields, whenEmpty: "There are no such runs.").print(format)
  }

  private var fields: [Field] {
    var fields = by.enumerated().map { place, column in
      Field(column.field.text, column.field.text) { group in
        let value = group["key"]?.array?[place]
        return value?.isNull ?? true ? "–" : value
      }
    }
    fields.append(Field("count", "Runs", .number))
    for column in values {
      let name = column.field.text
      func part(_ key: String) -> @Sendable (JSONValue) -> JSONValue? { { $0["values"]?[name]?[key] } }
      fields.append(Field("\(name).spread", name) { Self.spread($0["values"]?[name]) })
      for key in ["count", "mean", "sd", "se"] {
        fields.append(Field("\(name).\(key)", nil, read: part(key)))
      }
      for (place, key) in ["ci95_low", "ci95_high"].enumerated() {
        fields.append(Field("\(name).\(key)", nil) { $0["values"]?[name]?["ci95"]?.array?[place] })
      }
      for key in ["min", "q1", "median", "q3", "max"] {
        fields.append(Field("\(name).\(key)", nil, read: part(key)))
      }
    }
    fields.append(Field("filter", nil))
    return fields
  }

  /// `0.31 ± 0.02`: mean and standard deviation.
  private static func spread(_ statistics: JSONValue?) -> JSONValue? {
    guard let mean = statistics?["mean"]?.double else { return nil }
    let deviation = (statistics?["sd"]?.double).map { " ± \(Words.number($0))" } ?? ""
    return .string(Words.number(mean) + deviation)
  }
}
