// A filter asked of one run in memory: the plain meaning of the language.

/// Says which runs a filter holds for, by the run alone.
public struct FilterEvaluator {
  private let filter: ResolvedFilter
  private let now: Timestamp

  /// - Parameter now: until when a run has taken that goes on.
  public init(_ filter: ResolvedFilter, now: Timestamp) { (self.filter, self.now) = (filter, now) }

  /// A value at a step (`.@1000`) is no part of a run's record: a run counts as without it.
  public func holds(for run: Run) -> Bool { holds(filter, Facts(run)) }

  /// What a run has in a field, none, one or, of tags and the like, several values.
  public func values(of subject: FilterSubject, in run: Run) -> [FilterScalar] {
    values(of: subject, Facts(run))
  }

  /// A run and its configuration by path.
  private struct Facts {
    var run: Run
    var config: [String: FilterScalar]

    init(_ run: Run) {
      self.run = run
      config = Dictionary(
        uniqueKeysWithValues: ConfigLeaves.leaves(of: run.config).map { ($0.path, $0.value) })
    }
  }

  private func holds(_ filter: ResolvedFilter, _ facts: Facts) -> Bool {
    switch filter {
    case .or(let branches): branches.contains { holds($0, facts) }
    case .and(let terms): terms.allSatisfy { holds($0, facts) }
    case .not(let inner): !holds(inner, facts)
    case .text(let text): isFound(text, in: facts.run)
    case .test(let subject, let test): self.test(test, values(of: subject, facts))
    }
  }

  private func isFound(_ text: String, in run: Run) -> Bool {
    let wanted = Self.folded(text.inNormalForm)
    return ([run.name, run.notes] + run.tags).contains { Self.folded($0).firstRange(of: wanted) != nil }
  }

  /// Bytes with A–Z as a–z, as SQLite's `lower` has them.
  private static func folded(_ text: String) -> [UInt8] {
    text.utf8.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
  }

  // MARK: - Values

  /// None: the run lacks the field. More than one: of tags and the like.
  private func values(of subject: FilterSubject, _ facts: Facts) -> [FilterScalar] {
    let run = facts.run
    func text(_ value: String?) -> [FilterScalar] { value.map { [.text($0)] } ?? [] }
    func time(_ value: Timestamp?) -> [FilterScalar] { value.map { [.number(.int($0.microseconds))] } ?? [] }
    switch subject {
    case .config(let path): return facts.config[path].map { [$0] } ?? []
    case .summary(let name):
      return run.summaryValues.filter { $0.name == name }.map { ConfigLeaves.scalar($0.value) }
    case .metric(let name, let aggregate), .derived(let name, let aggregate):
      return run.metric(name).flatMap { Self.value(of: $0, aggregate) }.map { [Self.scalar($0)] } ?? []
    case .attribute(let attribute):
      switch attribute {
      case .state: return text(run.state.rawValue)
      case .name: return text(run.name)
      case .id: return text(run.id.rawValue)
      case .project: return text(run.project)
      case .group: return text(run.group)
      case .job: return text(run.jobType)
      case .user: return text(run.createdBy)
      case .host: return text(run.host)
      case .flow: return []
      case .tag: return run.tags.map(FilterScalar.text)
      case .sweep: return run.sweep.map { text($0.rawValue) + text(run.sweepName) } ?? []
      case .device: return run.devices.map { .number(.int(Int64($0))) }
      case .created: return time(run.createdAt)
      case .started: return time(run.startedAt)
      case .ended: return time(run.endedAt)
      case .duration:
        guard let start = run.startedAt else { return [] }
        // What ended behind `now` had not ended then.
        let span = Double(min(run.endedAt ?? now, now).microseconds - start.microseconds) / 1e6
        return [.number(.double(span))]
      }
    }
  }

  private static func value(of metric: MetricSummary, _ aggregate: FilterAggregate) -> Double? {
    switch aggregate {
    case .last: metric.last
    case .min: metric.min
    case .max: metric.max
    case .best: metric.best
    case .mean: metric.mean
    case .at: nil
    }
  }

  private static func scalar(_ value: Double) -> FilterScalar {
    value.isNaN ? .notANumber : .number(.double(value))
  }

  // MARK: - Tests

  private func test(_ test: FilterTest, _ values: [FilterScalar]) -> Bool {
    guard !values.isEmpty else { return false }
    switch test {
    case .exists: return true
    case .compare(.notEqual, let wanted): return !values.contains { $0.equals(wanted) }
    case .compare(let comparison, let wanted): return values.contains { Self.compare($0, comparison, wanted) }
    case .isIn(let wanted): return values.contains { value in wanted.contains { value.equals($0) } }
    case .compareTime(let comparison, let time):
      return values.contains { Self.compare(Self.time($0), comparison, time) }
    case .isInTimes(let times):
      return values.contains { value in times.contains { Self.compare(Self.time(value), .equal, $0) } }
    case .matches(let regex, let isNegated):
      var matcher = regex.matcher()
      let isFound = values.contains { value in
        if case .text(let text) = value { matcher.isFound(in: text) } else { false }
      }
      return isFound != isNegated
    }
  }

  private static func time(_ value: FilterScalar) -> Int64 {
    if case .number(.int(let time)) = value { time } else { 0 }
  }

  private static func compare(
    _ value: FilterScalar, _ comparison: FilterTest.Comparison, _ wanted: FilterScalar
  ) -> Bool {
    switch comparison {
    case .equal: value.equals(wanted)
    case .notEqual: !value.equals(wanted)
    case .less: value.order(wanted).map { $0 < 0 } ?? false
    case .lessOrEqual: value.order(wanted).map { $0 <= 0 } ?? false
    case .greater: value.order(wanted).map { $0 > 0 } ?? false
    case .greaterOrEqual: value.order(wanted).map { $0 >= 0 } ?? false
    }
  }

  private static func compare(_ time: Int64, _ comparison: FilterTest.Comparison, _ wanted: FilterTime)
    -> Bool
  {
    switch comparison {
    case .equal: wanted.from <= time && time < wanted.to
    case .notEqual: !(wanted.from <= time && time < wanted.to)
    case .less: time < wanted.from
    case .lessOrEqual: time < wanted.to
    case .greater: time >= wanted.to
    case .greaterOrEqual: time >= wanted.from
    }
  }
}
