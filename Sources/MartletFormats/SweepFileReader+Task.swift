// Autotuner's task file: parameters as lists or typed ranges, and how they are optimised.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

extension SweepFileReader {
  /// A file with one of these is a task file.
  static let taskKeys = ["optimization", "task_name", "base_runtime", "deployment_mode"]
  /// What describes servers and their benchmark: for the program, not for the search.
  private static let describing = [
    "deployment_mode", "model", "base_runtime", "runtime_image_tag", "benchmark",
  ]
  /// How many points are drawn before a method's model is asked, where the file does not say.
  private static let usualStartup: Int64 = 5
  /// The most of them.
  private static let mostStartup = 1000
  /// What is measured of an experiment takes no longer.
  private static let usualTimeout = 600.0
  private static let optimizationKeys = [
    "strategy", "objective", "max_iterations", "timeout_per_iteration", "max_parallel_experiments",
    "n_initial_random", "study_name", "storage",
  ]
  /// What its programs log, by the names of its objectives.
  private static let taskObjectives: OrderedDictionary<String, Objective> = [
    "minimize_latency": Objective(
      metric: "mean_e2e_latency", goal: .minimize, statistic: .last, fallback: "p50_e2e_latency"),
    "maximize_throughput": Objective(metric: "throughput_per_gpu", goal: .maximize, statistic: .last),
    "minimize_ttft": Objective(metric: "mean_ttft", goal: .minimize, statistic: .last),
    "minimize_tpot": Objective(metric: "mean_tpot", goal: .minimize, statistic: .last),
  ]

  mutating func readTask(_ file: FileSection) -> SweepSpecification? {
    let own =
      ["task_name", "parameters", "optimization", "program", "command", "slo"] + Self.describing
      + Self.taskGroups
    checkTopLevelKeys(of: file, known: own + Self.commonKeys)
    var inner = file
    inner.members.removeAll {
      Self.describing.contains($0.key) || Self.taskGroups.contains($0.key)
        || ["task_name", "slo"].contains($0.key)
    }
    if let name = file["task_name"] { inner.members.append(renamed(name, to: "name")) }

    let optimization =
      section(file["optimization"], in: file, example: "{strategy: bayesian, objective: minimize_latency}")
      ?? FileSection(members: [], mark: file.mark, path: "optimization")
    checkKeys(of: optimization, known: Self.optimizationKeys)
    let method = taskMethod(optimization)
    let objectives =
      file["metric"] == nil && file["objectives"] == nil ? taskObjective(optimization) : self.objectives(file)
    for (key, name) in [
      ("timeout_per_iteration", "timeout"), ("max_parallel_experiments", "max_parallel"),
    ] where file[name] == nil {
      // Its value is checked where the sweep's own key is.
      if let member = optimization[key], case .scalar(let value, _) = member.value.content, !value.isNull {
        inner.members.append(renamed(member, to: name))
      }
    }
    if inner["timeout"] == nil, Self.isNull(optimization["timeout_per_iteration"]) {
      let value = FileNode.Content.scalar(.double(Self.usualTimeout), text: "\(Self.usualTimeout)")
      inner.members.append(
        Member(
          key: "timeout", mark: optimization.mark, value: FileNode(mark: optimization.mark, content: value)))
    }
    let space = taskSpace(file)
    var program = text(file["program"], in: file)
    let command = taskCommand(file, program: &program)
    var specification = specification(
      inner, method: method, objectives: objectives, space: space, program: program, command: command)
    if file["run_cap"] == nil, specification?.budget == nil || optimization["max_iterations"] != nil {
      specification?.runCap = whole(optimization["max_iterations"], in: optimization, atLeast: 1) ?? 100
    } else if file["run_cap"] == nil {
      specification?.runCap = 100
    }
    if var read = specification {
      if let member = file["slo"], !member.isVoid { readLevels(member, in: file, &read) }
      if file["penalties"] == nil, method.map(Self.learns) == true, read.objectives.count == 1,
        let goal = read.objective?.goal
      {
        // As its own system does.
        read.penalties = .graded(goal)
      }
      specification = read
    }
    noteDescriptions(file, optimization)
    for (path, value) in presets(file) { specification?.metadata[path] = value }
    for member in file.members where Self.describing.contains(member.key) {
      specification?.metadata[member.key] = member.value.value
    }
    for key in ["study_name", "storage"] {
      if let member = optimization[key] { specification?.metadata[key] = member.value.value }
    }
    specification?.notes = notes
    return specification
  }

  private func renamed(_ member: Member, to key: String) -> Member {
    Member(key: key, mark: member.mark, value: member.value)
  }

  private mutating func noteDescriptions(_ file: FileSection, _ optimization: FileSection) {
    let kept = file.members.filter { Self.describing.contains($0.key) }
    if !kept.isEmpty {
      notes.append(
        "line \(kept[0].mark.line): \(kept.map { "'\($0.key)'" }.joined(separator: ", ")) "
          + "\(kept.count == 1 ? "describes" : "describe") servers: kept with the sweep as they are, and searched by "
          + "nobody")
    }
    let studies = ["study_name", "storage"].compactMap { optimization[$0] }
    if let first = studies.first {
      notes.append(
        "line \(first.mark.line): \(studies.map { "'\($0.key)'" }.joined(separator: ", ")) "
          + "\(studies.count == 1 ? "is" : "are") kept with the sweep: Martlet's own store holds what it finds"
      )
    }
  }

  // MARK: - How it is optimised

  /// Whether a key is not there, or is null.
  private static func isNull(_ member: Member?) -> Bool {
    guard let member else { return true }
    if case .scalar(let value, _) = member.value.content { return value.isNull }
    return false
  }

  private mutating func taskMethod(_ optimization: FileSection) -> MethodChoice? {
    var method = MethodChoice(name: gridMethod, mark: optimization.mark)
    if let member = optimization["strategy"] {
      guard let name = choice(member, in: optimization, among: ["grid_search", "bayesian", "random"]),
        let chosen = self.method(named: name, at: member.value.mark, key: "optimization.strategy")
      else { return nil }
      method = chosen
    }
    if !Self.isNull(optimization["n_initial_random"]), let member = optimization["n_initial_random"] {
      return beginning(method, with: member, in: optimization)
    }
    if Self.learns(method) { method.options["startup"] = .int(Self.usualStartup) }
    return method
  }

  /// `n_initial_random`: how many points are drawn before the model is asked.
  private mutating func beginning(
    _ method: MethodChoice, with member: Member, in optimization: FileSection
  ) -> MethodChoice? {
    guard let count = whole(member, in: optimization, atLeast: 0) else { return nil }
    guard Self.learns(method) else {
      notes.append(
        "line \(member.mark.line): 'n_initial_random' is for 'bayesian': '\(method.name)' learns nothing")
      return method
    }
    guard count <= Self.mostStartup else {
      flaws.append(
        wrong(member, in: optimization, expected: "a whole number from 0 to \(Self.mostStartup)"))
      return nil
    }
    if count < 2 {
      notes.append(
        "line \(member.mark.line): 'n_initial_random' is \(count), and a model needs 2 trials to begin with")
    }
    var method = method
    method.options["startup"] = .int(Int64(max(count, 2)))
    method.optionMarks["startup"] = member.mark
    return method
  }

  /// Whether it has a model that failures may teach something.
  private static func learns(_ method: MethodChoice) -> Bool {
    ![gridMethod, randomMethod].contains(method.name)
  }

  private mutating func taskObjective(_ optimization: FileSection) -> [Objective]? {
    let names = Array(Self.taskObjectives.keys)
    guard let member = optimization["objective"] else { return [Self.taskObjectives.values[0]] }
    guard let name = choice(member, in: optimization, among: names), let found = Self.taskObjectives[name]
    else { return nil }
    let other = found.fallback.map { " or '\($0)'" } ?? ""
    notes.append(
      "line \(member.mark.line): '\(name)' looks at the metric '\(found.metric)'\(other), which the program has to log; "
        + "'metric' names another")
    return [found]
  }

  // MARK: - Parameters

  private mutating func taskSpace(_ file: FileSection) -> PlacedSpace? {
    guard let member = require("parameters", in: file, expected: "what to search") else { return nil }
    guard let members = member.value.members else {
      flaws.append(wrong(member, in: file, expected: "parameters by name, like tp-size: [1, 2]"))
      return nil
    }
    let before = flaws.count
    var placed: [PlacedParameter] = []
    for parameter in members {
      let path = "parameters.\(parameter.key)"
      guard let domain = taskDomain(parameter, path: path) else { continue }
      placed.append(
        PlacedParameter(
          parameter: Parameter(parameter.key, domain), mark: parameter.mark, path: path))
    }
    placed += groupParameters(file)
    guard flaws.count == before else { return nil }
    return space(placed, of: file, at: member.mark, key: member.key)
  }

  private mutating func taskDomain(_ parameter: Member, path: String) -> Domain? {
    if let items = parameter.value.items {
      guard items.isEmpty else { return .categorical(items.map(\.value)) }
      flaws.append(
        Flaw(
          at: parameter.mark, key: path, expected: "at least one value",
          message: "'\(path)' is empty: give it at least one value"))
      return nil
    }
    if case .scalar(let value, _) = parameter.value.content, !value.isNull { return .constant(value) }
    let root = FileSection(members: [], mark: parameter.mark, path: "parameters")
    guard let settings = section(parameter, in: root, example: "{type: continuous, low: 0.1, high: 0.9}")
    else {
      return nil
    }
    let kinds = ["choice", "categorical", "continuous", "integer"]
    guard let place = require("type", in: settings, expected: kinds.joined(separator: ", ")),
      let kind = choice(place, in: settings, among: kinds)
    else { return nil }
    let domain: Domain?
    switch kind {
    case "continuous":
      checkKeys(of: settings, known: ["type", "low", "high", "log"])
      domain = bounds(settings).map { low, high, isLogarithmic in
        .real(isLogarithmic ? .logUniformValues(min: low, max: high) : .uniform(min: low, max: high))
      }
    case "integer":
      checkKeys(of: settings, known: ["type", "low", "high", "log"])
      domain = bounds(settings).flatMap { low, high, isLogarithmic in
        guard let low = Int64(exactly: low), let high = Int64(exactly: high) else {
          flaws.append(
            Flaw(
              at: place.mark, key: path, expected: "whole numbers",
              message: "'\(path)': low and high of an integer must be whole numbers"))
          return nil
        }
        return isLogarithmic
          ? .integers(min: low, max: high, scale: .logarithmic) : .integers(min: low, max: high)
      }
    default:
      checkKeys(of: settings, known: ["type", "values"])
      guard let member = require("values", in: settings, expected: "the values to try") else { return nil }
      guard let items = member.value.items else {
        flaws.append(wrong(member, in: settings, expected: "a list"))
        return nil
      }
      domain = .categorical(items.map(\.value))
    }
    guard let domain else { return nil }
    if let flaw = domain.flaw {
      let key = ["min": "low", "max": "high"][flaw.key] ?? flaw.key
      flaws.append(
        Flaw(
          at: settings[key]?.value.mark ?? parameter.mark, key: settings.path(key),
          message: "'\(path)': \(flaw.message)"))
      return nil
    }
    return domain
  }

  private mutating func bounds(_ settings: FileSection) -> (Double, Double, Bool)? {
    let low = require("low", in: settings, expected: "the least value").flatMap { number($0, in: settings) }
    let high = require("high", in: settings, expected: "the greatest value").flatMap {
      number($0, in: settings)
    }
    var isLogarithmic = false
    if let member = settings["log"] {
      guard case .scalar(.bool(let answer), _) = member.value.content else {
        flaws.append(wrong(member, in: settings, expected: "true or false"))
        return nil
      }
      isLogarithmic = answer
    }
    guard let low, let high else { return nil }
    return (low, high, isLogarithmic)
  }

  /// Truth values are flags of their own: `--flag` for true, nothing for false.
  private mutating func taskCommand(_ file: FileSection, program: inout String?) -> [CommandPart]? {
    if file["program"] == nil, file["command"] == nil, commandLine?.isEmpty ?? true {
      flaws.append(
        Flaw(
          at: file.members.first?.mark ?? file.mark, key: "command", expected: "a command",
          message:
            "a task file does not say what to run: give 'program' or 'command', or a command behind '--', "
            + "which starts a server with its parameters, measures it and logs the metrics"))
      return nil
    }
    return command(file, program: &program)?.map { part in
      // Its own macros stay as they are.
      part == .macro(.args) && file["command"] == nil ? .macro(.argsNoBooleanFlags) : part
    }
  }
}
