// One study of the line protocol: a search with the numbers of its trials.

import MartletModel
import OrderedCollections

/// A search as the line protocol drives it.
struct SearchStudy {
  /// What `create` may name: the methods, without those that need a hand on running trials or a list of points, which the
  /// protocol has not, and the stopping rules, over random search.
  static let algorithms =
    samplerMethods.filter { $0 != "pbt" && $0 != PointsSampler.method } + StoppingRuleConfiguration.methods

  /// The request that created it.
  private let creation: JSONValue
  private let signs: [Double]
  private var search: Search
  /// Nil: the algorithm stops no trial.
  private var stopping: EarlyStopping?
  /// The number of the next trial.
  private var next = 0
  /// The last report of each trial under way.
  private var reports: OrderedDictionary<Int, Report> = [:]

  private struct Report {
    var step: Int
    var loss: Double
  }

  init(creating request: JSONReader) throws {
    let space = try ProtocolSpace(request.required("space", request.value("space")))
    let algorithm = try request.requiredString("algorithm")
    guard Self.algorithms.contains(methodAliases[algorithm] ?? algorithm) else {
      throw Self.unknown(algorithm)
    }
    var options = try request.object("options") ?? [:]
    let hints = try JSONReader(.object(options), path: "options")
    let budget = try hints.int("budget").map(Int.init)
    let workers = try hints.int("workers").map(Int.init) ?? 1
    for key in ["budget", "workers", "steps"] { options[key] = nil }
    let seed = UInt64(bitPattern: try request.int("seed") ?? 0)
    if let rule = try StoppingRuleConfiguration(
      method: algorithm, options: options, steps: hints.int("steps"))
    {
      // A report has one value, whatever a trial ends with.
      stopping = EarlyStopping(rule, objectives: [Objective(metric: "value", goal: .minimize)], seed: seed)
      options = [:]
    }
    let problem = SearchProblem(
      space: space.space, objectiveCount: space.signs.count, constraintCount: space.constraintCount,
      budget: budget, parallelism: max(workers, 1), seed: seed, options: options)
    search = try Search(
      method: stopping == nil ? algorithm : RandomSampler.method, problem: problem,
      repeats: algorithm != GridSampler.method)
    signs = space.signs
    creation = .object(request.members)
  }

  private static func unknown(_ algorithm: String) -> ProtocolError {
    let known = "there are \(algorithms.joined(separator: ", "))"
    guard !samplerMethods.contains(algorithm) else {
      return ProtocolError(
        "'\(algorithm)' is for sweeps of files alone: this protocol has neither checkpoints nor lists of points; \(known)"
      )
    }
    let near = nearest(to: algorithm, in: algorithms).map { "; did you mean '\($0)'?" } ?? ":"
    return ProtocolError("there is no algorithm '\(algorithm)'\(near) \(known)")
  }

  // MARK: - Requests

  mutating func ask(_ request: JSONReader) throws -> JSONObject {
    let count = try request.int("n") ?? 1
    guard (1...10_000).contains(count) else {
      throw ProtocolError("'n' must be from 1 to 10000, not \(count)")
    }
    var trials: [JSONValue] = []
    for _ in 0..<count {
      switch search.ask(trial: next) {
      case .trial(let suggestion):
        trials.append(["id": JSONValue(next), "params": suggestion.point.flat])
        next += 1
      case .exhausted(let reason):
        guard trials.isEmpty else { return ["trials": .array(trials)] }
        throw ProtocolError("exhausted: \(reason)")
      case .wait, .resume:
        guard trials.isEmpty else { return ["trials": .array(trials)] }
        throw ProtocolError("there is no point to try before a pending trial ends")
      }
    }
    return ["trials": .array(trials)]
  }

  mutating func tell(_ request: JSONReader) throws -> JSONObject {
    let trial = try pendingTrial(request)
    let word = try request.string("state") ?? "complete"
    guard let state = TrialState(rawValue: word), state.isEnd else {
      throw ProtocolError("'state' must be complete, failed or pruned, not '\(word)'")
    }
    let values = try numbers("values", of: request)
    let constraints = try numbers("constraints", of: request)
    let objectives = signs.count
    guard values.count == objectives || state != .complete && values.isEmpty else {
      throw ProtocolError("'values' must hold \(objectives) of them, not \(values.count)")
    }
    let expected = search.problem.constraintCount
    guard constraints.count == expected || state != .complete && constraints.isEmpty else {
      throw ProtocolError("'constraints' must hold \(expected) of them, not \(constraints.count)")
    }
    // What was logged before a failure is no measure of it.
    var losses = state == .failed ? [] : zip(values, signs).map { $0 * $1 }
    if losses.isEmpty, state == .pruned, objectives == 1, let last = reports[trial] { losses = [last.loss] }
    search.tell(
      trial: trial, state: state, losses: losses, violations: constraints,
      step: state == .pruned ? reports[trial]?.step : nil)
    reports[trial] = nil
    stopping?.settle(trial: trial, as: state, isInfeasible: constraints.contains { !($0 <= 0) })
    return [:]
  }

  mutating func report(_ request: JSONReader) throws -> JSONObject {
    let trial = try pendingTrial(request)
    let step = Int(try request.requiredInt("step"))
    let value = try request.required("value", request.double("value"))
    let loss = value * signs[0]
    reports[trial] = Report(step: step, loss: loss)
    let verdict = stopping?.report(trial: trial, step: Int64(step), losses: [loss])
    guard case .stop? = verdict else { return ["decision": "continue"] }
    return ["decision": "stop"]
  }

  mutating func load(_ request: JSONReader) throws -> JSONObject {
    let items = try request.required("trials", request.array("trials"))
    var learned = search
    for (index, item) in items.enumerated() {
      let trial = try JSONReader(item, path: "trials[\(index)]")
      let values = try numbers("values", of: trial)
      guard values.count == signs.count else {
        throw ProtocolError(
          "'\(trial.keyPath("values"))' must hold \(signs.count) of them, not \(values.count)")
      }
      let constraints = try numbers("constraints", of: trial)
      guard constraints.count == search.problem.constraintCount else {
        throw ProtocolError(
          "'\(trial.keyPath("constraints"))' must hold \(search.problem.constraintCount) of them, not "
            + "\(constraints.count)")
      }
      let point = Point(values: try trial.required("params", trial.object("params")))
      try learned.learn(point, losses: zip(values, signs).map { $0 * $1 }, violations: constraints)
    }
    search = learned
    return [:]
  }

  /// The best complete trial that meets the constraints; with several objectives the Pareto front.
  var best: JSONValue {
    .array(
      search.history.best.map { observation in
        [
          "id": JSONValue(observation.trial),
          "params": search.problem.cube.point(at: observation.coordinates).flat,
          "values": .array(zip(observation.losses, signs).map { .double($0 * $1) }),
        ]
      })
  }

  private func pendingTrial(_ request: JSONReader) throws -> Int {
    let trial = Int(try request.requiredInt("trial"))
    guard search.history.pending(trial) != nil else {
      throw ProtocolError("trial \(trial) is not under way: it was never asked for, or was told already")
    }
    return trial
  }

  private func numbers(_ key: String, of reader: JSONReader) throws -> [Double] {
    try (reader.array(key) ?? []).map { item in
      guard let number = item.double else {
        throw ProtocolError("'\(reader.keyPath(key))' must be numbers, and \(item) is none")
      }
      return number
    }
  }
}

// MARK: - Snapshots

extension SearchStudy {
  var snapshot: JSONValue {
    [
      "creation": creation, "next": JSONValue(next), "search": search.state,
      "stopping": stopping?.state ?? .null,
      "observations": .array(search.history.observations.map(\.json)),
      "pending": .array(search.history.pending.map(\.json)),
      "reports": .array(reports.map { [JSONValue($0), JSONValue($1.step), .double($1.loss)] }),
    ]
  }

  init(restoring snapshot: JSONValue) throws {
    let reader = try JSONReader(snapshot, path: "state")
    try self.init(
      creating: JSONReader(.object(reader.required("creation", reader.object("creation"))), path: ""))
    next = Int(try reader.requiredInt("next"))
    let observations = try (reader.array("observations") ?? []).map { item in
      guard let observation = Observation(json: item) else {
        throw ProtocolError("'state.observations' holds what was not saved")
      }
      return observation
    }
    let pending = try (reader.array("pending") ?? []).map { item in
      guard let trial = PendingTrial(json: item) else {
        throw ProtocolError("'state.pending' holds what was not saved")
      }
      return trial
    }
    try search.restore(reader.value("search") ?? .null, observations: observations, pending: pending)
    if let memories = reader.value("stopping") { try stopping?.restore(memories) }
    for item in try reader.array("reports") ?? [] {
      guard let items = item.array, items.count == 3, let trial = items[0].int, let step = items[1].int,
        let loss = items[2].double
      else {
        throw ProtocolError("'state.reports' holds what was not saved")
      }
      reports[Int(trial)] = Report(step: Int(step), loss: loss)
    }
  }
}
