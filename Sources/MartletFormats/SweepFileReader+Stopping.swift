// When running trials are stopped: the rule of a file, under its own key or as the method.

import MartletModel
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  /// The rule of `early_terminate`, or the one that the method is.
  mutating func readEarlyTermination(
    _ file: FileSection, _ method: MethodChoice, _ specification: inout SweepSpecification
  ) {
    if let rule = method.rule { return read(rule, of: method, beside: file, &specification) }
    guard let member = file["early_terminate"] else { return }
    guard specification.objective != nil else {
      flaws.append(
        Flaw(
          at: member.mark, key: member.key, expected: "metric",
          message: "'early_terminate' needs 'metric': it compares the values that running trials report"))
      return
    }
    do {
      _ = try StoppingRuleConfiguration(member.value.value, objectives: specification.objectives)
      specification.earlyTerminate = member.value.value
    } catch {
      let key = error.option
      let place = key.flatMap { key in
        (member.value.members ?? member.value.items?.compactMap(\.members).flatMap { $0 } ?? [])
          .first { $0.key == key }
      }
      flaws.append(
        Flaw(
          at: place?.value.mark ?? member.mark, key: key.map { "early_terminate.\($0)" } ?? member.key,
          message: "\(error)"))
    }
  }

  /// `method: asha` is random search with that rule.
  private mutating func read(
    _ rule: String, of method: MethodChoice, beside file: FileSection,
    _ specification: inout SweepSpecification
  ) {
    if let other = file["early_terminate"] {
      flaws.append(
        Flaw(
          at: other.mark, key: other.key, expected: "one of them",
          message: "the method '\(rule)' is random search with that rule of 'early_terminate': write "
            + "'method: random' where 'early_terminate' names the rule"))
      return
    }
    guard specification.objective != nil else {
      flaws.append(
        Flaw(
          at: method.mark, key: "method", expected: "metric",
          message: "the method '\(rule)' needs 'metric': it compares the values that running trials report"))
      return
    }
    if method.options["type"] != nil {
      flaws.append(
        Flaw(
          at: method.optionMarks["type"] ?? method.mark, key: "method.type",
          message: "the method '\(rule)' is a rule itself: leave 'type' out"))
      return
    }
    var members: JSONObject = ["type": .string(rule)]
    if rule == "hyperband", method.options["min_iter"] == nil, method.options["max_iter"] == nil {
      members["min_iter"] = 1
    }
    members.merge(method.options) { own, _ in own }
    do {
      _ = try StoppingRuleConfiguration(.object(members), objectives: specification.objectives)
      specification.earlyTerminate = .object(members)
    } catch {
      let key = error.option
      flaws.append(
        Flaw(
          at: key.flatMap { method.optionMarks[$0] } ?? method.mark,
          key: key.map { "method.\($0)" } ?? "method", message: "\(error)"))
    }
  }
}

extension SearchError {
  /// The name of the option that is to blame.
  fileprivate var option: String? {
    switch self {
    case .invalidOption(_, let name, _), .unknownOption(_, let name, _, _): name
    default: nil
    }
  }
}
