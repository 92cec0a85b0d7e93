// A search and its trials, as every face shows them.

public import OrderedCollections

/// What a sweep looks for.
public struct Objective: Sendable, Hashable {
  public enum Goal: String, Sendable, CaseIterable { case minimize, maximize }

  /// Which number of a metric's values counts.
  public enum Statistic: String, Sendable, CaseIterable {
    /// The least where it is minimised, the greatest where it is maximised.
    case best
    case last, mean, min, max
  }

  public var metric: String
  public var goal: Goal
  public var statistic: Statistic
  /// The metric that stands in for it in runs that never logged it; nil: none does.
  public var fallback: String?

  public init(metric: String, goal: Goal, statistic: Statistic = .best, fallback: String? = nil) {
    self.metric = metric
    self.goal = goal
    self.statistic = statistic
    self.fallback = fallback
  }

  public init?(json: JSONValue) {
    guard let metric = json["name"]?.string, let goal = json["goal"]?.string.flatMap(Goal.init) else {
      return nil
    }
    self.init(
      metric: metric, goal: goal, statistic: json["of"]?.string.flatMap(Statistic.init) ?? .best,
      fallback: json["fallback"]?.string)
  }

  public var json: JSONValue {
    var members: JSONObject = [
      "name": .string(metric), "goal": .string(goal.rawValue), "of": .string(statistic.rawValue),
    ]
    if let fallback { members["fallback"] = .string(fallback) }
    return .object(members)
  }

  /// What counts of a run whose metrics `summary` knows by name; nil: it logged none of them, or nothing but NaN.
  public func value(of summary: (String) -> MetricSummary?) -> Double? {
    (summary(metric) ?? fallback.flatMap(summary)).flatMap(value(in:))
  }

  /// What counts of a run's metric; nil while nothing but NaN was logged.
  public func value(in summary: MetricSummary) -> Double? {
    switch (statistic, goal) {
    case (.best, .minimize), (.min, _): summary.min
    case (.best, .maximize), (.max, _): summary.max
    case (.last, _): summary.last
    case (.mean, _):
      summary.count > summary.nanCount ? summary.sum / Double(summary.count - summary.nanCount) : nil
    }
  }

  /// Whether `a` is better than `b`; NaN is worse than any number.
  public func isBetter(_ a: Double, than b: Double) -> Bool {
    if a.isNaN || b.isNaN { return !a.isNaN && b.isNaN }
    return goal == .minimize ? a < b : a > b
  }
}

/// A search: what it tries, how far it is, the best so far.
public struct Sweep: Sendable, Hashable {
  public struct Best: Sendable, Hashable {
    public var trial: Int
    public var run: PublicID
    public var runName: String
    public var objective: Double

    public init(trial: Int, run: PublicID, runName: String, objective: Double) {
      self.trial = trial
      self.run = run
      self.runName = runName
      self.objective = objective
    }
  }

  /// The run that goes before the first trial.
  public struct Preparation: Sendable, Hashable {
    public var run: PublicID
    public var state: RunState

    public init(run: PublicID, state: RunState) {
      self.run = run
      self.state = state
    }
  }

  public var id: PublicID
  public var project: String
  public var name: String
  public var description: String
  public var state: SweepState
  /// Why it is in this state, a sentence; nil when the state says it all.
  public var stateReason: String?
  public var method: String
  /// What its trials are ranked by: the first of its objectives.
  public var objective: Objective?
  /// What else was asked of its search, as its file says it: `objectives`, `constraints`, `early_terminate`, `budget`.
  public var search: JSONObject = [:]
  /// As the API shows them: `[{name, kind, …}]`.
  public var parameters: JSONValue
  public var maxParallel: Int
  /// Seconds an attempt may take.
  public var timeout: Double?
  /// Of its trials in the line; higher goes first.
  public var priority = 0
  public var command: [String]
  public var workdir: String
  public var outputDirectory: String
  public var spaceSize: Int?
  public var budget: Int?
  public var counts: OrderedDictionary<TrialState, Int>
  public var best: Best?
  /// Whether `maxParallel` follows what the machine has left.
  public var isAutomatic = false
  /// Why `maxParallel` is what it is, a sentence; nil while nobody but people set it.
  public var parallelReason: String?
  /// What goes before its first trial; nil: nothing does, or it has not begun.
  public var preparation: Preparation?
  public var createdAt: Timestamp
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var createdBy: String
  public var seed: UInt64
  /// The sweep file's text.
  public var source: String
  /// Counts the spaces it had: people may change that of a paused sweep.
  public var spaceVersion = 1

  public init(
    id: PublicID, project: String, name: String, description: String, state: SweepState, method: String,
    objective: Objective?, parameters: JSONValue, maxParallel: Int, timeout: Double?, command: [String],
    workdir: String, outputDirectory: String, spaceSize: Int?, budget: Int?, createdAt: Timestamp,
    createdBy: String, seed: UInt64, source: String
  ) {
    self.id = id
    self.project = project
    self.name = name
    self.description = description
    self.state = state
    self.method = method
    self.objective = objective
    self.parameters = parameters
    self.maxParallel = maxParallel
    self.timeout = timeout
    self.command = command
    self.workdir = workdir
    self.outputDirectory = outputDirectory
    self.spaceSize = spaceSize
    self.budget = budget
    self.counts = [:]
    self.createdAt = createdAt
    self.createdBy = createdBy
    self.seed = seed
    self.source = source
  }

  public var json: JSONValue {
    var counts = JSONObject()
    for state in [TrialState.waiting, .running, .paused, .complete, .pruned, .failed] {
      counts[state.rawValue] = .int(Int64(self.counts[state] ?? 0))
    }
    let best: JSONValue =
      self.best.map {
        [
          "trial": .int(Int64($0.trial)), "run": .string($0.run.rawValue), "run_name": .string($0.runName),
          "objective": .double($0.objective),
        ]
      } ?? .null
    return [
      "id": .string(id.rawValue), "project": .string(project), "name": .string(name),
      "description": .string(description), "state": .string(state.rawValue),
      "state_reason": JSONValue(stateReason),
      "method": .string(method), "metric": objective?.json ?? .null, "search": .object(search),
      "parameters": parameters,
      "max_parallel": .int(Int64(maxParallel)), "timeout": JSONValue(timeout),
      "priority": .int(Int64(priority)), "command": JSONValue(command),
      "workdir": .string(workdir), "output_dir": .string(outputDirectory), "space_size": JSONValue(spaceSize),
      "budget": JSONValue(budget), "counts": .object(counts), "best": best,
      "created_at": JSONValue(createdAt),
      "started_at": JSONValue(startedAt), "ended_at": JSONValue(endedAt), "created_by": .string(createdBy),
      "seed": .string(String(seed)), "source": .string(source),
      "space_version": .int(Int64(spaceVersion)),
      "max_parallel_auto": .bool(isAutomatic), "max_parallel_reason": JSONValue(parallelReason),
      "preparation": preparation.map {
        ["run": .string($0.run.rawValue), "state": .string($0.state.rawValue)]
      } ?? .null,
    ]
  }
}

/// One version of a sweep's file: people may change that of a paused sweep.
public struct SweepVersion: Sendable, Hashable {
  /// From 1, what the sweep began with.
  public var version: Int
  public var source: String
  public var since: Timestamp
  /// Who changed it.
  public var by: String

  public init(version: Int, source: String, since: Timestamp, by: String) {
    (self.version, self.source, self.since, self.by) = (version, source, since, by)
  }

  public var json: JSONValue {
    [
      "version": .int(Int64(version)), "source": .string(source), "since": JSONValue(since),
      "by": .string(by),
    ]
  }
}

/// One suggestion of a sweep and its outcome.
public struct Trial: Sendable, Hashable {
  /// The objective's metric in numbers.
  public struct Metrics: Sendable, Hashable {
    public var final: Double
    public var min: Double?
    public var max: Double?

    public init(final: Double, min: Double?, max: Double?) {
      self.final = final
      self.min = min
      self.max = max
    }
  }

  /// From 0 in its sweep.
  public var number: Int
  public var state: TrialState
  public var run: PublicID
  public var runName: String
  public var runState: RunState
  /// Flat: dotted names of nested parameters.
  public var parameters: JSONObject
  public var objective: Double?
  /// What it came to beside that: `others`, the further objectives, `violations`, one a constraint, and
  /// `penalty`, what it counts as for the search since it failed; null: nothing.
  public var measured = JSONValue.null
  /// How it was chosen: `at`, its place in the search, `note`, and `from`, the trial whose checkpoint it began with.
  public var origin = JSONValue.null
  /// Why it has been asked to leave while it runs: `prune` or `pause` with a sentence; null: it has not.
  public var verdict = JSONValue.null
  /// Why it failed or was pruned, a sentence.
  public var reason: String?
  public var createdAt: Timestamp
  public var startedAt: Timestamp?
  public var endedAt: Timestamp?
  public var metrics: Metrics?
  public var attempts: Int
  /// Which of the spaces of its sweep it was drawn from, from 1.
  public var spaceVersion = 1
  /// What was found when it had ended; nil: nobody has looked yet.
  public var findings: TrialFindings?

  public init(
    number: Int, state: TrialState, run: PublicID, runName: String, runState: RunState,
    parameters: JSONObject,
    createdAt: Timestamp
  ) {
    self.number = number
    self.state = state
    self.run = run
    self.runName = runName
    self.runState = runState
    self.parameters = parameters
    self.createdAt = createdAt
    self.attempts = 0
  }

  public var json: JSONValue {
    let metrics: JSONValue =
      self.metrics.map { ["final": .double($0.final), "min": JSONValue($0.min), "max": JSONValue($0.max)] }
      ?? .null
    let others = measured["others"] ?? []
    return [
      "number": .int(Int64(number)), "state": .string(state.rawValue), "run": .string(run.rawValue),
      "run_name": .string(runName), "run_state": .string(runState.rawValue), "params": .object(parameters),
      "objective": JSONValue(objective), "other_objectives": others,
      "violations": measured["violations"] ?? [], "from_trial": origin["from"] ?? .null,
      "penalty": measured["penalty"] ?? .null,
      "reason": JSONValue(reason), "created_at": JSONValue(createdAt),
      "started_at": JSONValue(startedAt), "ended_at": JSONValue(endedAt), "metrics": metrics,
      "attempts": .int(Int64(attempts)), "space_version": .int(Int64(spaceVersion)),
      "issues": JSONValue(findings?.issues ?? []),
    ]
  }
}

/// Which sweeps.
public struct SweepQuery: Sendable, Hashable {
  /// Name or id.
  public var project: String?
  public var states: Set<SweepState>?

  public init(project: String? = nil, states: Set<SweepState>? = nil) {
    self.project = project
    self.states = states
  }
}

/// The order of a list of trials.
public enum TrialOrder: String, Sendable, CaseIterable {
  case number
  /// Best first, failed ones last.
  case rank
}
