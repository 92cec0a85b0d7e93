// Ghost's form: a command line, swept flags with prefixes for the run names, and flags that stay.

import MartletModel
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  mutating func readGhost(_ file: FileSection) -> SweepSpecification? {
    let method = method(file, standard: gridMethod)
    let objectives =
      file["metric"] == nil && file["objectives"] == nil
      ? [Objective(metric: "eval_loss", goal: .minimize)] : objectives(file)
    var prefixes: OrderedDictionary<String, String> = [:]
    let space = ghostSpace(file, prefixes: &prefixes)
    let command = baseCommand(file)
    let ghost = GhostForm(prefixes: prefixes, staticParameters: staticParameters(file))
    return specification(
      file, method: method, objectives: objectives, space: space, program: nil, command: command,
      form: .ghost(ghost))
  }

  private mutating func baseCommand(_ file: FileSection) -> [CommandPart]? {
    if let commandLine, !commandLine.isEmpty { return commandLine.map(CommandPart.word) }
    guard let member = require("base_command", in: file, expected: "which program to run") else { return nil }
    return words(member, in: file).map { $0.map { .word($0.text) } }
  }

  private mutating func ghostSpace(
    _ file: FileSection, prefixes: inout OrderedDictionary<String, String>
  ) -> PlacedSpace? {
    guard let member = require("sweep_params", in: file, expected: "what to search") else { return nil }
    guard let members = member.value.members else {
      flaws.append(
        wrong(
          member, in: file,
          expected: "parameters by name, like {\"lr\": {\"values\": [0.1], \"prefix\": \"lr\"}}"))
      return nil
    }
    let before = flaws.count
    var placed: [PlacedParameter] = []
    for parameter in members {
      let keyPath = "sweep_params.\(parameter.key)"
      guard
        let settings = section(
          parameter, in: FileSection(members: members, mark: member.mark, path: "sweep_params"),
          example: "{\"values\": [1, 2], \"prefix\": \"p\"}")
      else { continue }
      checkKeys(of: settings, known: ["values", "prefix"])
      prefixes[parameter.key] = text(settings["prefix"], in: settings) ?? parameter.key
      guard let values = ghostValues(settings) else { continue }
      placed.append(
        PlacedParameter(
          parameter: Parameter(parameter.key, .categorical(values)), mark: parameter.mark, path: keyPath))
    }
    guard flaws.count == before else { return nil }
    return space(placed, of: file, at: member.mark, key: member.key)
  }

  private mutating func ghostValues(_ settings: FileSection) -> [JSONValue]? {
    guard let member = require("values", in: settings, expected: "the values to try") else { return nil }
    guard let items = member.value.items else {
      flaws.append(wrong(member, in: settings, expected: "a list"))
      return nil
    }
    guard !items.isEmpty else {
      flaws.append(empty(member, in: settings, expected: "a list of the values to try"))
      return nil
    }
    return items.map(\.value)
  }

  private mutating func staticParameters(_ file: FileSection) -> OrderedDictionary<String, JSONValue> {
    guard let member = file["static_params"] else { return [:] }
    guard let members = member.value.members else {
      flaws.append(wrong(member, in: file, expected: "flags by name, like {\"epochs\": 1}"))
      return [:]
    }
    return OrderedDictionary(members.map { ($0.key, $0.value.value) }, uniquingKeysWith: { $1 })
  }
}
