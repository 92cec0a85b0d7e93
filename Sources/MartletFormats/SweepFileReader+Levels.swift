// What autotuner's task file says beside its parameters of what is searched and looked for: settings of servers, and
// service levels.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  /// Blocks whose members are parameters too, called `parallel_config.tp`.
  static let taskGroups = ["quant_config", "parallel_config"]
  /// Members of them that a server spells out for itself.
  private static let presetKeys = ["preset", "presets"]

  /// Presets, by their paths: kept with the sweep, for only the servers that they are of know what they stand for.
  mutating func presets(_ file: FileSection) -> JSONObject {
    var presets: JSONObject = [:]
    for group in file.members where Self.taskGroups.contains(group.key) {
      for member in group.value.members ?? [] where Self.presetKeys.contains(member.key) && !member.isVoid {
        presets["\(group.key).\(member.key)"] = member.value.value
        notes.append(
          "line \(member.mark.line): '\(group.key).\(member.key)' is a server's own: kept with the sweep as it is; what it "
            + "stands for can be searched under its own keys")
      }
    }
    return presets
  }

  /// The parameters of the blocks, but for those that `parameters` names itself.
  mutating func groupParameters(_ file: FileSection) -> [PlacedParameter] {
    let explicit = file["parameters"]?.value.members?.map(\.key) ?? []
    var placed: [PlacedParameter] = []
    var passedOver: [Member] = []
    for group in file.members where Self.taskGroups.contains(group.key) && !group.isVoid {
      guard let section = section(group, in: file, example: "{tp: [1, 2]}") else { continue }
      for member in section.members where !Self.presetKeys.contains(member.key) {
        let path = section.path(member.key)
        guard !explicit.contains(member.key), !explicit.contains(path) else {
          passedOver.append(Member(key: path, mark: member.mark, value: member.value))
          continue
        }
        guard let domain = groupDomain(member, path: path) else { continue }
        placed.append(
          PlacedParameter(
            parameter: Parameter(path: [group.key, member.key], domain: domain), mark: member.mark, path: path
          ))
      }
    }
    if let first = passedOver.first {
      let names = passedOver.map { "'\($0.key)'" }.joined(separator: ", ")
      notes.append("line \(first.mark.line): \(names): 'parameters' says so itself, and counts")
    }
    return placed
  }

  /// A list without what it says twice, or the one value there is.
  private mutating func groupDomain(_ member: Member, path: String) -> Domain? {
    switch member.value.content {
    case .scalar(.null, _): return nil
    case .scalar(let value, _): return .constant(value)
    case .list(let items):
      var values: [JSONValue] = []
      for item in items where !values.contains(item.value) { values.append(item.value) }
      guard values.isEmpty else { return values.count == 1 ? .constant(values[0]) : .categorical(values) }
      flaws.append(
        Flaw(
          at: member.mark, key: path, expected: "at least one value",
          message: "'\(path)' is empty: give it at least one value"))
      return nil
    case .object:
      flaws.append(
        Flaw(
          at: member.value.mark, key: path, expected: "a value or a list of values",
          message: "'\(path)' must be a value or a list of values, not keys with values"))
      return nil
    }
  }

  // MARK: - Service levels

  /// What its programs log, by the keys of `slo`.
  private static let levels: OrderedDictionary<String, String> = [
    "latency.p50": "p50_e2e_latency", "latency.p90": "p90_e2e_latency", "latency.p99": "p99_e2e_latency",
    "ttft": "mean_ttft", "tpot": "mean_tpot",
  ]

  /// `slo: {latency: {p90: {threshold: 5, weight: 2, hard_fail: true}}, ttft: {…}, steepness: 0.1}`.
  mutating func readLevels(
    _ member: Member, in file: FileSection, _ specification: inout SweepSpecification
  ) {
    let example = "{latency: {p90: {threshold: 5}}, ttft: {threshold: 1}}"
    guard let slo = section(member, in: file, example: example) else { return }
    let isOwn = specification.softBounds.isEmpty
    checkKeys(of: slo, known: ["latency", "ttft", "tpot", "steepness"])
    let steepness = positive(slo["steepness"], in: slo) ?? 0.1
    var places: [(Member, FileSection, String)] = []
    if let latency = section(slo["latency"], in: slo, example: "{p90: {threshold: 5}}") {
      checkKeys(of: latency, known: ["p50", "p90", "p99"])
      places += latency.members.map { ($0, latency, "latency.\($0.key)") }
    }
    places += ["ttft", "tpot"].compactMap { key in slo[key].map { ($0, slo, key) } }
    for (place, outer, key) in places {
      guard let metric = Self.levels[key], let section = section(place, in: outer, example: "{threshold: 5}")
      else { continue }
      level(section, of: metric, steepness: steepness, &specification)
    }
    if isOwn { checkSoftBounds(member, specification) }
    guard !places.isEmpty else { return }
    let metrics = places.compactMap { Self.levels[$0.2] }.map { "'\($0)'" }.joined(separator: ", ")
    notes.append(
      "line \(member.mark.line): 'slo' looks at \(metrics), which the program has to log: what misses a threshold costs, "
        + "and is never the best where 'hard_fail' says so")
  }

  private mutating func level(
    _ section: FileSection, of metric: String, steepness: Double, _ specification: inout SweepSpecification
  ) {
    checkKeys(of: section, known: ["threshold", "weight", "hard_fail", "fail_ratio"])
    let threshold = require("threshold", in: section, expected: "what is not to be exceeded")
      .flatMap { positive($0, in: section) }
    let weight = section["weight"].map { positive($0, in: section, mayBeZero: true) } ?? 1
    let ratio = section["fail_ratio"].map { positive($0, in: section, mayBeZero: true) } ?? 0.5
    let isHard = choice(section["hard_fail"], in: section, among: ["true", "false"]) == "true"
    guard let threshold, let weight, let ratio else { return }
    if isHard {
      specification.constraints.append(OutcomeConstraint(metric: metric, most: threshold * (1 + ratio)))
    }
    if weight > 0 {
      specification.softBounds.append(
        SoftBound(OutcomeConstraint(metric: metric, most: threshold), weight: weight, steepness: steepness))
    }
  }

  /// A number greater than 0.
  mutating func positive(_ member: Member?, in section: FileSection, mayBeZero: Bool = false) -> Double? {
    guard let member, let number = number(member, in: section) else { return nil }
    guard number > 0 || mayBeZero && number == 0 else {
      flaws.append(wrong(member, in: section, expected: mayBeZero ? "0 or more" : "a number greater than 0"))
      return nil
    }
    return number
  }
}

extension FileNode.Member {
  /// It says nothing: null, or keys of which there are none.
  var isVoid: Bool {
    switch value.content {
    case .scalar(let value, _): value.isNull
    case .list: false
    case .object(let members): members.isEmpty
    }
  }
}
