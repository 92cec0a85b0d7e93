// W&B's form: program or command, and parameters with their distributions.

import MartletModel
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  mutating func readSweep(_ file: FileSection) -> SweepSpecification? {
    let method = method(file)
    let objectives = objectives(file)
    let space = sweepSpace(file)
    var program = text(file["program"], in: file)
    let command = command(file, program: &program)
    return specification(
      file, method: method, objectives: objectives, space: space, program: program, command: command,
      form: .sweep)
  }

  private mutating func sweepSpace(_ file: FileSection) -> PlacedSpace? {
    guard let member = require("parameters", in: file, expected: "what to search") else { return nil }
    if case .scalar(.null, _) = member.value.content {
      return space([], of: file, at: member.mark, key: member.key)
    }
    guard let members = member.value.members else {
      flaws.append(wrong(member, in: file, expected: "parameters by name, like lr: {values: [0.1, 0.01]}"))
      return nil
    }
    let before = flaws.count
    let placed = parameters(
      FileSection(members: members, mark: member.value.mark, path: "parameters"), under: [], when: nil)
    guard flaws.count == before else { return nil }
    return space(placed, of: file, at: member.mark, key: member.key)
  }

  /// The parameters of `section`; `path` is where their values belong.
  ///
  /// - Parameter outer: the condition of the group that they are in.
  private mutating func parameters(
    _ section: FileSection, under path: [String], when outer: Condition?
  ) -> [PlacedParameter] {
    var placed: [PlacedParameter] = []
    for member in section.members {
      let keyPath = section.path(member.key)
      guard let members = member.value.members else {
        flaws.append(noSettings(member, keyPath: keyPath))
        continue
      }
      let settings = FileSection(members: members, mark: member.value.mark, path: keyPath)
      let path = path + [member.key]
      if let nested = settings["parameters"], let inner = nested.value.members {
        checkKeys(of: settings, known: ["parameters", "when"])
        let own = condition(settings["when"], in: settings)
        if inner.isEmpty { flaws.append(empty(nested, in: settings, expected: "parameters by name")) }
        let section = FileSection(members: inner, mark: nested.value.mark, path: settings.path("parameters"))
        placed += parameters(section, under: path, when: Self.both(outer, own))
      } else if let expression = settings["expression"] {
        checkKeys(of: settings, known: ["expression"])
        readDerived(expression, in: settings, path: path)
      } else {
        let condition = condition(settings["when"], in: settings)
        var settings = settings
        settings.members.removeAll { $0.key == "when" }
        guard let domain = domain(settings, at: member.mark) else { continue }
        placed.append(
          PlacedParameter(
            parameter: Parameter(path: path, domain: domain, condition: Self.both(outer, condition)),
            mark: member.mark, path: keyPath))
      }
    }
    return placed
  }

  private static func both(_ outer: Condition?, _ own: Condition?) -> Condition? {
    guard let outer, let own else { return outer ?? own }
    return .all(outer.atoms + own.atoms)
  }

  private func noSettings(_ member: Member, keyPath: String) -> Flaw {
    let expected = "a mapping with value, values, or min and max"
    let hint: String =
      switch member.value.content {
      case .scalar(.null, _): "nothing; give it values, like {values: [1, 2]}"
      case .scalar(.string, let text) where text.contains(where: { "+-*/^(".contains($0) }):
        "a bare text; write {value: \(text)}, or {expression: \(text)} if it is computed from other parameters"
      case .scalar(_, let text): "a bare value; write {value: \(text)}"
      case .list: "a bare list; write {values: […]}"
      case .object: ""
      }
    return Flaw(
      at: member.value.mark, key: keyPath, expected: expected,
      message: "'\(keyPath)' must be \(expected), not \(hint)")
  }

  // MARK: - Commands

  mutating func command(_ file: FileSection, program: inout String?) -> [CommandPart]? {
    if let commandLine, !commandLine.isEmpty {
      // A lone Python file is a program, not something to execute.
      if commandLine.count == 1, commandLine[0].hasSuffix(".py") {
        program = commandLine[0]
        return CommandPart.standard
      }
      let place = "the command given beside the file"
      let parts = commandLine.compactMap { part($0, at: file.mark, of: place, hasProgram: program != nil) }
      guard parts.count == commandLine.count else { return nil }
      return carriesParameters(parts) ? parts : parts + [.macro(.args)]
    }
    guard let member = file["command"] else {
      guard file["program"] != nil else {
        require("program", in: file, expected: "which script to run (or give 'command', or one behind '--')")
        return nil
      }
      return program == nil ? nil : CommandPart.standard
    }
    guard let words = words(member, in: file) else { return nil }
    let hasProgram = file["program"] != nil
    let parts = words.compactMap { part($0.text, at: $0.mark, of: "'command'", hasProgram: hasProgram) }
    guard parts.count == words.count else { return nil }
    if !carriesParameters(parts) {
      notes.append(
        "line \(member.mark.line): the command has no ${args}, so the program gets its parameters "
          + "only through the file that MARTLET_PARAMS names")
    }
    return parts
  }

  private func carriesParameters(_ parts: [CommandPart]) -> Bool {
    parts.contains { if case .macro(let macro) = $0 { macro.carriesParameters } else { false } }
  }

  private mutating func part(_ text: String, at mark: FileMark, of place: String, hasProgram: Bool)
    -> CommandPart?
  {
    guard let name = CommandPart.macroName(text) else { return .word(text) }
    guard let macro = CommandPart.Macro(rawValue: String(name)) else {
      let known = CommandPart.Macro.allCases.map(\.rawValue)
      flaws.append(
        Flaw(
          at: mark, key: "command", expected: "one of " + known.map { "${\($0)}" }.joined(separator: ", "),
          nearest: suggestion(for: String(name), among: known).map { "${\($0)}" },
          message: "unknown macro '\(text)' in \(place)"))
      return nil
    }
    if macro == .program, !hasProgram {
      flaws.append(
        Flaw(
          at: mark, key: "program", expected: "the script to run",
          message: "\(place) uses ${program}, but the file has no 'program'"))
      return nil
    }
    return .macro(macro)
  }

  /// The words of a command, given as a list or as one line.
  mutating func words(_ member: Member, in file: FileSection) -> [(text: String, mark: FileMark)]? {
    let expected = "a list of words, like [python3, train.py]"
    if let items = member.value.items, !items.isEmpty {
      var words: [(String, FileMark)] = []
      for (index, item) in items.enumerated() {
        guard case .scalar(let value, let text) = item.content, !value.isNull else {
          flaws.append(
            Flaw(
              at: item.mark, key: "\(member.key)[\(index)]", expected: "a word",
              message: "'\(member.key)[\(index)]' must be a word, not \(self.words(for: item))"))
          return nil
        }
        words.append((text, item.mark))
      }
      return words
    }
    guard case .scalar(.string(let line), _) = member.value.content else {
      flaws.append(
        member.value.items == nil
          ? wrong(member, in: file, expected: expected) : empty(member, in: file, expected: expected))
      return nil
    }
    guard let words = shellWords(line) else {
      flaws.append(
        Flaw(
          at: member.value.mark, key: member.key, expected: expected,
          message: "'\(member.key)' has a quote without its end: \(line)"))
      return nil
    }
    guard !words.isEmpty else {
      flaws.append(empty(member, in: file, expected: expected))
      return nil
    }
    return words.map { ($0, member.value.mark) }
  }
}
