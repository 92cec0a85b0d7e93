// What a filter means once its names are known: fields of runs and what is asked of them.

/// A field of a run that is no name of a configuration or a metric.
public enum FilterAttribute: String, Sendable, CaseIterable {
  case state, name, id, project, group, job, tag, user, host, created, started, ended, duration, sweep, flow,
    device

  /// What the values are.
  public enum Kind: Sendable { case text, texts, numbers, time, duration, state }

  public var kind: Kind {
    switch self {
    case .name, .id, .project, .group, .job, .user, .host, .flow: .text
    case .state: .state
    case .tag, .sweep: .texts
    case .device: .numbers
    case .created, .started, .ended: .time
    case .duration: .duration
    }
  }

  /// A line for whoever looks for a field.
  public var summary: String {
    switch self {
    case .state: "queued, running, finished, failed …"
    case .name: "the run's name"
    case .id: "the run's id"
    case .project: "the project's name"
    case .group: "the run's group"
    case .job: "the run's job type"
    case .tag: "one of the run's tags"
    case .user: "who made it"
    case .host: "the machine"
    case .created, .started, .ended: "a time: 2026-11-21, -2d"
    case .duration: "how long it took: 90s, 2h"
    case .sweep: "the sweep's id or name"
    case .flow: "the flow's name"
    case .device: "an index of a device it has"
    }
  }
}

/// Which number of a metric.
public enum FilterAggregate: Sendable, Hashable {
  case last, min, max, best, mean
  /// The value at a step.
  case at(Int64)

  public init?(_ text: String) {
    switch text {
    case "last": self = .last
    case "min": self = .min
    case "max": self = .max
    case "best": self = .best
    case "mean": self = .mean
    default:
      guard text.hasPrefix("@"), let step = Int64(text.dropFirst()) else { return nil }
      self = .at(step)
    }
  }

  public var text: String {
    switch self {
    case .last: "last"
    case .min: "min"
    case .max: "max"
    case .best: "best"
    case .mean: "mean"
    case .at(let step): "@\(step)"
    }
  }

  /// Those that need no step.
  public static let named: [FilterAggregate] = [.last, .best, .min, .max, .mean]
}

/// A field of runs, its name known.
public enum FilterSubject: Sendable, Hashable {
  case attribute(FilterAttribute)
  /// A value of the configuration, by dotted path.
  case config(String)
  /// A value that was set in the summary.
  case summary(String)
  case metric(String, FilterAggregate)
  /// As `metric`, of a name that the project derives.
  case derived(String, FilterAggregate)
}

/// What is asked of a field.
public enum FilterTest: Sendable, Hashable {
  /// The six comparisons by value.
  public enum Comparison: Sendable, Hashable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  }

  case exists
  case compare(Comparison, FilterScalar)
  /// Of times.
  case compareTime(Comparison, FilterTime)
  case isIn([FilterScalar])
  case isInTimes([FilterTime])
  /// `isNegated`: the field is there and does not match.
  case matches(LinearRegex, isNegated: Bool)
}

/// A filter with its names and values understood: what both the store and the evaluator work from.
public indirect enum ResolvedFilter: Sendable, Hashable {
  case or([ResolvedFilter])
  case and([ResolvedFilter])
  case not(ResolvedFilter)
  case test(FilterSubject, FilterTest)
  case text(String)
}

/// What names runs have, in the scope of a question.
public protocol FilterCatalog {
  func hasMetric(_ name: String) throws -> Bool
  /// Whether the name is computed, also where some runs have logged it.
  func hasDerived(_ name: String) throws -> Bool
  func hasConfig(_ path: String) throws -> Bool
  func hasSummary(_ name: String) throws -> Bool
  /// All of them, or many: for suggestions.
  func names() throws -> [String]
}
