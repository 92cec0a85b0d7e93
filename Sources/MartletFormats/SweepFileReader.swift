// A parsed sweep file to its specification: which keys there are, and which form the file has.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections

extension SweepSpecification {
  /// Reads a sweep file: W&B's form or ghost's, in YAML or JSON, at the top or under a `sweep:` key.
  ///
  /// - Parameters:
  ///   - source: the file's text.
  ///   - filename: for messages and for a sweep that has no name.
  ///   - command: the command given beside the file, in place of the file's own; without a macro that carries the
  ///     parameters, `${args}` is added behind it.
  /// - Throws: `SweepFileError` with everything found wrong.
  package static func read(
    source: String, filename: String? = nil, command: [String]? = nil
  ) throws(SweepFileError) -> SweepSpecification {
    let root: FileNode
    do {
      root = try SweepFileParser.parse(source, filename: filename)
    } catch {
      throw SweepFileError(filename: filename, first: error, others: [])
    }
    var reader = SweepFileReader(source: source, filename: filename, commandLine: command)
    let specification = reader.read(root)
    if let first = reader.flaws.first {
      throw SweepFileError(filename: filename, first: first, others: Array(reader.flaws.dropFirst()))
    }
    guard let specification else {
      let flaw = SweepFileError.Flaw(at: root.mark, message: "this is no sweep file")
      throw SweepFileError(filename: filename, first: flaw, others: [])
    }
    return specification
  }
}

/// Reads one file and collects its flaws instead of stopping at the first.
struct SweepFileReader {
  typealias Flaw = SweepFileError.Flaw
  typealias Member = FileNode.Member

  let source: String
  let filename: String?
  let commandLine: [String]?
  var flaws: [Flaw] = []
  var notes: [String] = []
  /// Parameters that are computed from others, in the order of the file.
  var derived: [PlacedExpression] = []

  init(source: String, filename: String?, commandLine: [String]?) {
    self.source = source
    self.filename = filename
    self.commandLine = commandLine
  }

  // MARK: - Keys

  /// Keys both forms have.
  static let commonKeys = [
    "name", "description", "project", "method", "metric", "objectives", "constraints", "run_cap", "budget",
    "early_terminate", "points", "where", "derived", "warm_start", "metadata", "max_parallel",
    "max_parallel_experiments",
    "timeout", "grace", "stop_signal", "resources", "retries", "retry_pause", "priority", "breaker",
    "checkpoint", "seed", "workdir", "output", "env",
    "run_name", "profile", "prepare", "shards", "resume", "results", "penalties",
  ]
  private static let sweepKeys = ["program", "command", "parameters"] + commonKeys
  private static let ghostKeys = ["base_command", "sweep_params", "static_params"] + commonKeys

  /// Keys of W&B's files that ask for nothing here.
  static let ignoredKeys = [
    "entity", "apiVersion", "kind", "version", "$schema", "controller", "scheduler", "job", "imageuri",
    "image_uri",
  ]

  // MARK: - The file

  mutating func read(_ root: FileNode) -> SweepSpecification? {
    if root.items?.first?.members != nil {
      return readExperiments(FileSection(members: [], mark: root.mark, path: ""), list: root)
    }
    guard let members = root.members else {
      flaws.append(
        Flaw(
          at: root.mark, expected: "keys with values",
          message:
            "a sweep file holds keys with values, like 'method: grid'; this one holds \(words(for: root))"))
      return nil
    }
    if let inner = root["sweep"], inner.value.members != nil, root["parameters"] == nil,
      root["sweep_params"] == nil
    {
      return read(inner.value)
    }
    let file = FileSection(members: members, mark: root.mark, path: "")
    if Self.taskKeys.contains(where: { file[$0] != nil }) { return readTask(file) }
    if let list = file["experiments"] { return readExperiments(file, list: list.value) }
    let isGhost = ["base_command", "sweep_params", "static_params"].contains { file[$0] != nil }
    checkTopLevelKeys(of: file, known: isGhost ? Self.ghostKeys : Self.sweepKeys)
    return isGhost ? readGhost(file) : readSweep(file)
  }

  mutating func checkTopLevelKeys(of file: FileSection, known: [String]) {
    for member in file.members where !known.contains(member.key) {
      if Self.ignoredKeys.contains(member.key) {
        notes.append("line \(member.mark.line): '\(member.key)' has no meaning here and is ignored")
      } else if !member.key.hasPrefix("x-") {
        flaws.append(unknown(member, in: file, known: known))
      }
    }
  }

  // MARK: - What both forms have

  /// The specification with everything but what the caller gives; nil when a flaw leaves nothing to build.
  mutating func specification(
    _ file: FileSection, method: MethodChoice?, objectives: [Objective]?, space placed: PlacedSpace?,
    program: String?, command: [CommandPart]?, form: SweepSpecification.Form = .sweep
  ) -> SweepSpecification? {
    let space = placed?.space
    let name = text(file["name"], in: file)
    let description = text(file["description"], in: file)
    let project = text(file["project"], in: file)
    let runCap = whole(file["run_cap"], in: file, atLeast: 1)
    let parallelism = parallelism(file)
    let timeout = seconds(file["timeout"], in: file)
    let grace = seconds(file["grace"], in: file, mayBeZero: true)
    let stopSignal = stopSignal(file)
    let needs = needs(file, parameters: space?.parameters.map(\.name))
    let retries = retries(file)
    let priority = whole(file["priority"], in: file, atLeast: .min)
    let breaker = whole(file["breaker"], in: file, atLeast: 1)
    let checkpoint = text(file["checkpoint"], in: file)
    let seed = whole(file["seed"], in: file, atLeast: 0)
    let workdir = text(file["workdir"], in: file)
    let output = text(file["output"], in: file)
    let environment = environment(file)
    let template = template(file, parameters: space?.parameters.map(\.name))
    let bounds = constraints(file)
    let limits = budget(file)
    let warmStart = warmStart(file)
    guard let method, let objectives, let placed, let space, let command else { return nil }
    var specification = SweepSpecification(
      name: name, description: description, project: project, method: method.name,
      methodOptions: method.rule == nil ? method.options : [:],
      objectives: objectives, space: space, runCap: runCap, timeout: timeout, needs: needs, breaker: breaker,
      seed: seed.map(UInt64.init),
      workdir: workdir,
      output: output,
      environment: environment, program: program, command: command, form: form, runNameTemplate: template,
      source: source, filename: filename)
    switch parallelism {
    case .fixed(let count)?: specification.maxParallel = count
    case .automatic?: specification.isAutomatic = true
    case nil: break
    }
    readSurroundings(file, &specification)
    if let grace { specification.grace = grace }
    if let retries { specification.retries = retries }
    if let priority { specification.priority = priority }
    if let stopSignal { specification.stopSignal = stopSignal }
    if let checkpoint { specification.checkpoint = checkpoint }
    specification.targets = targets(file)
    specification.constraints = bounds.hard
    specification.softBounds = bounds.soft
    checkSoftBounds(file["constraints"], specification)
    if let limits { specification.furtherLimits = limits }
    specification.runCap = specification.runCap ?? specification.furtherLimits.trials
    specification.furtherLimits.trials = nil
    specification.warmStart = warmStart
    specification.metadata = metadata(file)
    let before = flaws.count
    specification.points = points(file, in: placed)
    if flaws.count == before { checkSearch(specification, method, placed) }
    readEarlyTermination(file, method, &specification)
    readPenalties(file, &specification)
    if objectives.isEmpty, ![gridMethod, randomMethod, "sobol", pointsMethod].contains(method.name) {
      notes.append(
        "line \(method.mark.line): '\(method.name)' learns from 'metric', which is missing: its trials teach it nothing"
      )
    }
    specification.namesAreUnique = specification.ruleTellsPointsApart()
    specification.notes = notes
    return specification
  }

  private mutating func stopSignal(_ file: FileSection) -> SweepSpecification.StopSignal? {
    guard let member = file["stop_signal"], let name = text(member, in: file) else { return nil }
    let short =
      name.uppercased().hasPrefix("SIG") ? String(name.uppercased().dropFirst(3)) : name.uppercased()
    let signal = SweepSpecification.StopSignal(rawValue: short)
    if signal == nil {
      flaws.append(
        Flaw(
          at: member.value.mark, key: "stop_signal", expected: "TERM or USR1",
          nearest: suggestion(for: short, among: SweepSpecification.StopSignal.allCases.map(\.rawValue)),
          message: "'stop_signal' must be TERM or USR1, not '\(name)'"))
    }
    return signal
  }

  private mutating func environment(_ file: FileSection) -> OrderedDictionary<String, String> {
    guard let section = section(file["env"], in: file, example: "{OMP_NUM_THREADS: 1}") else { return [:] }
    var variables: OrderedDictionary<String, String> = [:]
    for member in section.members {
      if member.key.isEmpty || member.key.contains("=") {
        flaws.append(
          Flaw(
            at: member.mark, key: section.path(member.key),
            message: "'\(member.key)' is no name of a variable"))
      }
      // As it was written: 1e3 must not become 1000.0. An empty value is a value here.
      guard case .scalar(_, let text) = member.value.content else {
        flaws.append(wrong(member, in: section, expected: "a text"))
        continue
      }
      variables[member.key] = text
    }
    return variables
  }

  private mutating func template(_ file: FileSection, parameters: [String]?) -> RunNameTemplate? {
    guard let member = file["run_name"], let text = text(member, in: file), let parameters else { return nil }
    switch RunNameTemplate.parse(text, parameters: parameters) {
    case .success(let template): return template
    case .failure(let flaw):
      flaws.append(Flaw(at: member.value.mark, key: "run_name", nearest: flaw.nearest, message: flaw.message))
      return nil
    }
  }
}

/// A parameter and where it stands in the file.
struct PlacedParameter {
  var parameter: Parameter
  var mark: FileMark
  /// Its key in the file, like `parameters.lr`.
  var path: String
}

/// A computed parameter and where it stands in the file.
struct PlacedExpression {
  var parameter: DerivedParameter
  var mark: FileMark
  /// Its key in the file.
  var path: String
}

/// A space and where its parameters stand in the file.
struct PlacedSpace {
  var space: Space
  var parameters: [PlacedParameter]
  /// Of the list of them all.
  var mark: FileMark
  var key: String
}
