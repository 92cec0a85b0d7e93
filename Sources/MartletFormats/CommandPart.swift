// The command of a sweep: words, and the macros of W&B that stand for what is known only when a trial starts.

import MartletModel
package import MartletSearch

/// One item of a command.
package enum CommandPart: Hashable, Sendable {
  /// A macro that fills an item of its own, by its name in a file.
  package enum Macro: String, Sendable, CaseIterable {
    /// `/usr/bin/env`
    case env
    /// `python3`
    case interpreter
    /// The file's `program`.
    case program
    /// `--lr=0.1` for every parameter; nested ones by their dotted names.
    case args
    /// `lr=0.1`
    case argsNoHyphens = "args_no_hyphens"
    /// As `args`, but `--flag` for true, and nothing for false.
    case argsNoBooleanFlags = "args_no_boolean_flags"
    /// All parameters, nested, as one JSON text.
    case argsJSON = "args_json"
    /// The path of a file that holds that text.
    case argsJSONFile = "args_json_file"

    /// Whether the parameters reach the program through it.
    var carriesParameters: Bool {
      switch self {
      case .env, .interpreter, .program: false
      case .args, .argsNoHyphens, .argsNoBooleanFlags, .argsJSON, .argsJSONFile: true
      }
    }
  }

  /// A word as it is, but that `${envvar:NAME}` in it is replaced by that variable.
  case word(String)
  case macro(Macro)

  /// As it stands in a file.
  package var text: String {
    switch self {
    case .word(let text): text
    case .macro(let macro): "${\(macro.rawValue)}"
    }
  }

  /// W&B's: `${env} ${interpreter} ${program} ${args}`.
  static let standard: [CommandPart] = [.macro(.env), .macro(.interpreter), .macro(.program), .macro(.args)]

  /// The name between `${` and `}` when the whole text is such a macro.
  static func macroName(_ text: String) -> Substring? {
    guard text.hasPrefix("${"), text.hasSuffix("}"), !text.hasPrefix("${envvar:") else { return nil }
    let name = text.dropFirst(2).dropLast()
    return name.contains("}") || name.contains("$") ? nil : name
  }
}

/// Where and with what one trial runs.
package struct RunPlace: Sendable {
  /// The run's name.
  package var name: String
  /// The run's directory.
  package var directory: String
  /// The JSON file that holds the parameters.
  package var paramsFile: String
  /// The submitter's environment, for `${envvar:NAME}`.
  package var environment: [String: String]

  package init(name: String, directory: String, paramsFile: String, environment: [String: String] = [:]) {
    self.name = name
    self.directory = directory
    self.paramsFile = paramsFile
    self.environment = environment
  }
}

extension SweepSpecification {
  /// The command as the file has it, macros unresolved.
  package var commandTemplate: [String] { command.map(\.text) }

  /// The command line of one trial.
  package func arguments(for point: Point, run: RunPlace) -> [String] {
    var arguments: [String] = []
    for part in command {
      switch part {
      case .word(let text): arguments.append(Self.expandVariables(in: text, from: run.environment))
      case .macro(let macro): arguments += expand(macro, point: point, run: run)
      }
    }
    guard case .ghost(let ghost) = form else { return arguments }
    arguments += point.values.flatMap { Self.spacedFlag($0.key, $0.value) }
    arguments += ghost.staticParameters.flatMap { Self.spacedFlag($0.key, $0.value) }
    return arguments + ["--checkpoint_dir", run.directory, "--run_name", run.name]
  }

  /// The command line of what goes before the first trial; empty where nothing does.
  package func preparationArguments(environment: [String: String]) -> [String] {
    (preparation ?? []).map { Self.expandVariables(in: $0, from: environment) }
  }

  private func expand(_ macro: CommandPart.Macro, point: Point, run: RunPlace) -> [String] {
    switch macro {
    case .env: ["/usr/bin/env"]
    case .interpreter: ["python3"]
    case .program: program.map { [$0] } ?? []
    case .args: point.values.map { "--\($0.key)=\(PythonText.text($0.value))" }
    case .argsNoHyphens: point.values.map { "\($0.key)=\(PythonText.text($0.value))" }
    case .argsNoBooleanFlags: point.values.compactMap { Self.flag($0.key, $0.value) }
    case .argsJSON: [PythonText.json(point.nested)]
    case .argsJSONFile: [run.paramsFile]
    }
  }

  private static func flag(_ name: String, _ value: JSONValue) -> String? {
    guard case .bool(let isOn) = value else { return "--\(name)=\(PythonText.text(value))" }
    return isOn ? "--\(name)" : nil
  }

  /// The ghost form's: `--name value`, `--name` for true, nothing for false and for null.
  private static func spacedFlag(_ name: String, _ value: JSONValue) -> [String] {
    switch value {
    case .null, .bool(false): []
    case .bool(true): ["--\(name)"]
    case .int, .double, .string, .array, .object: ["--\(name)", PythonText.text(value)]
    }
  }

  private static func expandVariables(in text: String, from environment: [String: String]) -> String {
    var out = ""
    var rest = text[...]
    while let start = rest.firstRange(of: "${envvar:"),
      let end = rest[start.upperBound...].firstIndex(of: "}")
    {
      out += rest[..<start.lowerBound]
      // W&B leaves nothing for a variable that is not set, as a shell does.
      out += environment[String(rest[start.upperBound..<end])] ?? ""
      rest = rest[rest.index(after: end)...]
    }
    return out + rest
  }
}
