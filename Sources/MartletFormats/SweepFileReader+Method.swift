// How a file searches: the method with its options, and how far it goes.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

/// A method and its options, with their places.
struct MethodChoice {
  var name: String
  /// The early-stopping rule that the method is, over random search; its options are the rule's. Nil: it is none.
  var rule: String?
  var options = JSONObject()
  var mark: FileMark
  var optionMarks: [String: FileMark] = [:]
}

extension SweepFileReader {
  /// Other names of methods.
  private static let aliases = [
    "bayes": bayesianMethod, "bayesian": bayesianMethod, "grid_search": "grid", "random_search": "random",
    "cma-es": "cmaes",
    "cma_es": "cmaes", "nsga-ii": "nsga2", "nsga-iii": "nsga3", "genetic": "ga",
    "differential_evolution": "de", "simulated_annealing": "anneal",
  ]

  /// The one that chooses by what is searched, where there is one.
  private static let bayesianMethod = samplerMethods.contains("auto") ? "auto" : "tpe"

  private static let methods = samplerMethods + StoppingRuleConfiguration.methods

  static var methodsInWords: String { methods.joined(separator: ", ") }

  /// `method: tpe`, or `method: {name: tpe, startup: 20}`.
  ///
  /// - Parameter standard: for a file without the key.
  mutating func method(_ file: FileSection, standard: String? = nil) -> MethodChoice? {
    guard let member = file["method"] else {
      if let standard { return MethodChoice(name: standard, mark: file.mark) }
      if file["points"] != nil { return MethodChoice(name: pointsMethod, mark: file.mark) }
      require("method", in: file, expected: Self.methodsInWords)
      return nil
    }
    guard let members = member.value.members else {
      guard let name = text(member, in: file) else { return nil }
      return method(named: name, at: member.value.mark)
    }
    let section = FileSection(members: members, mark: member.value.mark, path: member.key)
    guard let place = require("name", in: section, expected: Self.methodsInWords),
      let name = text(place, in: section), var choice = method(named: name, at: place.value.mark)
    else { return nil }
    for option in members where option.key != "name" {
      choice.options[option.key] = option.value.value
      choice.optionMarks[option.key] = option.mark
    }
    return choice
  }

  mutating func method(named name: String, at mark: FileMark, key: String = "method") -> MethodChoice? {
    let known = Self.aliases[name.lowercased()] ?? name
    if samplerMethods.contains(known) { return MethodChoice(name: known, mark: mark) }
    if StoppingRuleConfiguration.methods.contains(known) {
      return MethodChoice(name: randomMethod, rule: known, mark: mark)
    }
    flaws.append(
      Flaw(
        at: mark, key: key, expected: Self.methodsInWords,
        nearest: suggestion(for: name, among: Self.methods + ["bayes"]),
        message: "unknown method '\(name)': there are \(Self.methodsInWords)"))
    return nil
  }

  // MARK: - How far

  mutating func budget(_ file: FileSection) -> SweepLimits? {
    guard let member = file["budget"] else { return nil }
    if case .scalar(.int, _) = member.value.content {
      return SweepLimits(trials: whole(member, in: file, atLeast: 1))
    }
    let example = "{trials: 100, time: 8h}"
    guard let section = section(member, in: file, example: example) else { return nil }
    checkKeys(of: section, known: ["trials", "finished", "time", "gpu_hours", "no_improvement"])
    if let trials = section["trials"], file["run_cap"] != nil {
      flaws.append(
        Flaw(
          at: trials.mark, key: "budget.trials", expected: "one of them",
          message: "'run_cap' and 'budget.trials' say the same thing: give one of them"))
    }
    var limits = SweepLimits()
    limits.trials = whole(section["trials"], in: section, atLeast: 1)
    limits.finished = whole(section["finished"], in: section, atLeast: 1)
    limits.seconds = seconds(section["time"], in: section)
    limits.withoutImprovement = whole(section["no_improvement"], in: section, atLeast: 1)
    if let hours = number(section["gpu_hours"], in: section) {
      if hours > 0 {
        limits.deviceSeconds = hours * 3600
      } else if let member = section["gpu_hours"] {
        flaws.append(wrong(member, in: section, expected: "a number greater than 0"))
      }
    }
    return limits
  }

  mutating func warmStart(_ file: FileSection) -> [String] {
    guard let member = file["warm_start"] else { return [] }
    let items = member.value.items ?? [member.value]
    return items.compactMap { item in
      guard case .scalar(let value, let text) = item.content, !value.isNull, !text.isEmpty else {
        flaws.append(wrong(member, in: file, expected: "the id of a sweep, or a list of them"))
        return nil
      }
      return text
    }
  }

  func metadata(_ file: FileSection) -> JSONObject {
    guard let member = file["metadata"] else { return [:] }
    return member.value.value.object ?? ["metadata": member.value.value]
  }

  // MARK: - All together

  /// Whether the method can search this at all, whatever else is wrong in the file.
  mutating func checkSearch(
    _ specification: SweepSpecification, _ method: MethodChoice, _ placed: PlacedSpace
  ) {
    let before = flaws.count
    if method.name == gridMethod {
      for item in placed.parameters where item.parameter.domain.count == nil {
        let error = SearchError.infiniteDomain(parameter: item.parameter.name, method: gridMethod)
        flaws.append(Flaw(at: item.mark, key: item.path, message: "\(error)"))
      }
    }
    guard flaws.count == before else { return }
    do {
      _ = try specification.search(seed: 0)
    } catch {
      let (mark, key) = place(of: error, method, placed)
      flaws.append(Flaw(at: mark, key: key, message: "\(error)"))
    }
  }

  private func place(
    of error: SearchError, _ method: MethodChoice, _ placed: PlacedSpace
  ) -> (FileMark, String) {
    switch error {
    case .invalidOption(_, let name, _), .unknownOption(_, let name, _, _):
      return (method.optionMarks[name] ?? method.mark, "method.\(name)")
    case .infiniteDomain(let parameter, _), .invalidRule(let parameter, _):
      let item = placed.parameters.first { $0.parameter.name == parameter }
      return (item?.mark ?? placed.mark, item?.path ?? placed.key)
    case .pointForbidden, .pointOutside: return (placed.mark, "points")
    case .unsupported, .unknownMethod: return (method.mark, "method")
    default: return (placed.mark, placed.key)
    }
  }
}
