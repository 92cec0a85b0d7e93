// What stands around a sweep's trials: how many at a time, what goes before them, what they share and leave.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

/// How many trials a sweep has at a time.
enum Parallelism {
  case fixed(Int)
  case automatic
}

extension SweepFileReader {
  /// The numbers that a word stands for.
  private static let profiles: OrderedDictionary<String, Int> = ["conservative": 2, "aggressive": 3]

  /// Nil: nothing was said.
  mutating func parallelism(_ file: FileSection) -> Parallelism? {
    let profile = choice(file["profile"], in: file, among: Array(Self.profiles.keys))
    if let first = file["max_parallel"], let second = file["max_parallel_experiments"] {
      let later = first.mark.line > second.mark.line ? first : second
      flaws.append(
        Flaw(
          at: later.mark, key: later.key,
          message: "'max_parallel' and 'max_parallel_experiments' mean the same: give one of them"))
    }
    // What is said more exactly is what is meant.
    guard let member = file["max_parallel"] ?? file["max_parallel_experiments"] else {
      return profile.flatMap { Self.profiles[$0] }.map(Parallelism.fixed)
    }
    // None at a time is said of sweeps whose trials agents run; those who have the other key know no agents.
    let least = member.key == "max_parallel" ? 0 : 1
    if case .scalar(.string(let text), _) = member.value.content {
      if text == "auto" { return .automatic }
      flaws.append(wrong(member, in: file, expected: "a whole number of \(least) or more, or auto"))
      return nil
    }
    return whole(member, in: file, atLeast: least).map(Parallelism.fixed)
  }

  mutating func readSurroundings(_ file: FileSection, _ specification: inout SweepSpecification) {
    if let member = file["prepare"] { readPreparation(member, in: file, &specification) }
    specification.shards = whole(file["shards"], in: file, atLeast: 1)
    if let member = file["resume"] {
      if case .scalar(.bool(let isOn), _) = member.value.content {
        specification.resume = isOn ? "*" : nil
      } else if let pattern = text(member, in: file) {
        specification.resume = pattern
      }
    }
    if let kinds = results(file) { specification.results = kinds }
  }

  /// A command, or one with what it needs.
  private mutating func readPreparation(
    _ member: Member, in file: FileSection, _ specification: inout SweepSpecification
  ) {
    var (command, place): (Member?, FileSection) = (member, file)
    if member.value.members != nil {
      let example = "{command: [make, data], resources: {gpus: 1}}"
      guard let section = section(member, in: file, example: example) else { return }
      checkKeys(of: section, known: ["command", "resources"])
      command = require("command", in: section, expected: "what runs before the first trial")
      // It belongs to no trial: there are no parameters that its needs could follow from.
      specification.preparationNeeds = needs(section, parameters: []) ?? NeedsRule()
      place = section
    }
    guard let command else { return }
    specification.preparation = words(command, in: place)?.map { $0.text }
    if let macro = specification.preparation?.first(where: { CommandPart.macroName($0) != nil }) {
      flaws.append(
        Flaw(
          at: command.value.mark, key: place.path(command.key),
          message: "'prepare' belongs to no trial: '\(macro)' means nothing in it"))
    }
  }

  private mutating func results(_ file: FileSection) -> Set<SweepSpecification.ResultKind>? {
    guard let member = file["results"] else { return nil }
    let known = SweepSpecification.ResultKind.allCases.map(\.rawValue)
    guard let items = member.value.items else {
      flaws.append(wrong(member, in: file, expected: "a list of \(known.joined(separator: ", "))"))
      return nil
    }
    var kinds: Set<SweepSpecification.ResultKind> = []
    for (index, item) in items.enumerated() {
      guard case .scalar(_, let text) = item.content,
        let kind = SweepSpecification.ResultKind(rawValue: text)
      else {
        let name = words(for: item)
        flaws.append(
          Flaw(
            at: item.mark, key: "results[\(index)]", expected: "one of \(known.joined(separator: ", "))",
            nearest: suggestion(for: name.trimmingQuotes, among: known),
            message: "'results[\(index)]' must be one of \(known.joined(separator: ", ")), not \(name)"))
        continue
      }
      kinds.insert(kind)
    }
    return kinds
  }
}

extension String {
  fileprivate var trimmingQuotes: String { String(drop { $0 == "'" }.prefix { $0 != "'" }) }
}
