// Derived metrics as series: computed from logged points, reduced as these are.

import GRDB
import MartletModel
import MartletSeries
import OrderedCollections

/// A run's derived metrics, down to what the run logged.
struct DerivedOfRun {
  /// By name; without those whose name the run has logged.
  var expressions: OrderedDictionary<String, MetricExpression> = [:]
  /// Keys of what the run logged, of the names that the expressions hold.
  var keys: [String: Int64] = [:]
  var config: JSONValue = [:]
  /// When the run's first row was logged.
  var start: Int64 = 0
}

extension StoreReader {
  /// What is derived of a run.
  ///
  /// - Parameters:
  ///   - names: nil: all.
  ///   - others: names of logged metrics whose keys are needed beside.
  func derived(
    of run: Int64, only names: [String]? = nil, with others: [String] = []
  ) throws -> DerivedOfRun {
    let result = DerivedOfRun()
    let project = try Int64.fetchOne(
      db.cachedStatement(sql: "SELECT project_id FROM run WHERE id = ?"), arguments: [run])
    guard let project else { return result }
    let definitions = try storedDerivedMetrics(inProject: project)
    let wanted = names.map { Set($0.map(\.inNormalForm)) }
    let chosen = definitions.map(\.metric.name).filter { wanted?.contains($0) ?? true }
    guard !chosen.isEmpty else { return result }
    return try derived(of: run, chosen, from: ParsedExpressions.all(definitions), with: others)
  }

  /// What is derived of a run under some names.
  ///
  /// - Parameters:
  ///   - all: of its project.
  ///   - others: names of logged metrics whose keys are needed beside.
  func derived(
    of run: Int64, _ names: [String], from all: DerivedExpressions, with others: [String] = []
  ) throws -> DerivedOfRun {
    var result = DerivedOfRun()
    let needed = all.reached(from: names).union(others)
    for (key, name) in try metricNames(of: run, only: Array(needed)) { result.keys[name] = key }
    for name in names where result.keys[name] == nil {
      result.expressions[name] = all.expanded(name) { result.keys[$0] != nil }
    }
    result.config =
      try Row.fetchOne(
        db.cachedStatement(sql: "SELECT config FROM run WHERE id = ?"), arguments: [run])?.json("config")
      ?? [:]
    result.start = try firstTime(of: run) ?? 0
    return result
  }

  /// Whether what is derived may have to be computed for these series.
  func asksForDerived(_ window: SeriesWindow, run id: PublicID) throws -> Bool {
    let statement = try db.cachedStatement(
      sql: """
        SELECT name FROM derived_metric WHERE project_id = (SELECT project_id FROM run WHERE public_id = ?)
        """)
    let names = try String.fetchAll(statement, arguments: [id.rawValue])
    guard !names.isEmpty, let keys = window.keys else { return !names.isEmpty }
    let wanted = Set((keys + (window.axis.map { [$0] } ?? [])).map(\.inNormalForm))
    return names.contains(where: wanted.contains)
  }

  /// When a run's first row was logged, microseconds since 1970.
  private func firstTime(of run: Int64) throws -> Int64? {
    let statement = try RawStatement(
      db,
      """
      SELECT id, first_row, row_count, min_step, max_step FROM row_chunk INDEXED BY row_chunk_by_run
      WHERE run_id = ? AND first_row = 0
      """)
    try statement.bind(1, run)
    if try statement.step() {
      defer { statement.reset() }
      let chunk = ChunkEntry(
        id: statement.int(0), firstRow: 0, rowCount: Int(statement.int(2)), minStep: statement.int(3),
        maxStep: statement.int(4))
      return try stepsAndTimes(of: chunk).times.first
    }
    var first: Int64?
    try readTail(of: run, keys: []) { tail in
      first = tail.block.times.first
      return false
    }
    return first
  }
}

extension JSONValue {
  /// The number at a path with dots; true and false are 1 and 0. A key may hold dots itself.
  func number(atPath path: String) -> Double? {
    func value(_ of: JSONValue, _ path: Substring) -> Double? {
      guard let members = of.object else { return nil }
      if let found = members[String(path)] {
        switch found {
        case .bool(let flag): return flag ? 1 : 0
        case .int, .double: return found.double
        case .null, .string, .array, .object: break
        }
      }
      for dot in path.indices where path[dot] == "." {
        guard let inner = members[String(path[..<dot])] else { continue }
        if let found = value(inner, path[path.index(after: dot)...]) { return found }
      }
      return nil
    }
    return value(self, path[...])
  }
}

/// Computes derived series of one run, in one snapshot.
struct DerivedReading {
  let reader: StoreReader
  let run: Int64
  let derived: DerivedOfRun
  var effort = DerivedEffort()
  /// Points that are kept of one series; a longer one is computed twice.
  var keptPoints = 1_000_000

  /// Computes the points of an expression in a range of steps.
  ///
  /// - Returns: nothing; `take` is called for each point, by step.
  func points(
    of expression: MetricExpression, axis: MetricExpression? = nil, steps: ClosedRange<Int64>,
    take: (DerivedPoints.Point) throws -> Void
  ) throws {
    try points(of: [expression], axis: axis, steps: steps) { try take($1) }
  }

  /// Computes the points of several expressions in one pass; `take` gets the number of the expression with each.
  private func points(
    of expressions: [MetricExpression], axis: MetricExpression? = nil, steps: ClosedRange<Int64>,
    take: (Int, DerivedPoints.Point) throws -> Void
  ) throws {
    let looksBack = expressions.contains(where: \.looksBack) || axis?.looksBack == true
    // What looks back is computed from the run's begin, so that it does not depend on the window.
    let scope = looksBack ? Int64.min...steps.upperBound : steps
    var points = DerivedPoints(
      expressions, axis: axis, start: derived.start, config: derived.config.number(atPath:))
    var leaves = try LeafPoints(
      reader, run: run, keys: points.metrics.map { derived.keys[$0] }, steps: scope, effort)
    try points.compute(
      refill: { try leaves.next($0) },
      spend: { try effort.spend($0) },
      take: { index, point in
        if point.step >= steps.lowerBound { try take(index, point) }
      })
  }

  /// What the points of each expression sum up to.
  func summaries(of expressions: [MetricExpression]) throws -> [RunningSummary] {
    var summaries = Array(repeating: RunningSummary(), count: expressions.count)
    try points(of: expressions, steps: .min ... .max) { index, point in
      _ = summaries[index].add(point.value, step: point.step, time: point.time)
    }
    return summaries
  }

  /// The series of an expression, as `StoreReader.series` gives those of logged metrics; nil: it has no point.
  ///
  /// - Parameter axis: points where it has no value are left out.
  func series(
    _ name: String, _ expression: MetricExpression, axis: MetricExpression?, _ window: SeriesWindow,
    id: PublicID
  ) throws -> Series? {
    let steps = (window.fromStep ?? .min)...(window.toStep ?? .max)
    let buckets = max(1, window.buckets)
    let scope = window.ema == nil ? steps : Int64.min...steps.upperBound
    var average = window.ema.map(MovingAverage.init(weight:))
    var kept = PointColumn()
    var count = 0
    var bounds: (low: Int64, high: Int64)?
    try points(of: expression, axis: axis, steps: scope) { point in
      guard point.step >= steps.lowerBound else {
        average?.add(point.value)
        return
      }
      count += 1
      bounds = (bounds?.low ?? point.step, point.step)
      if count <= keptPoints {
        kept.append(point)
      } else if kept.count > 0 {
        kept = PointColumn()
      }
    }
    guard let bounds else { return nil }
    if count <= buckets, count <= keptPoints {
      return raw(name, kept, average, hasAxis: axis != nil, id: id)
    }
    var reduction = Reduction(window: bounds.low...bounds.high, buckets: buckets, average: average)
    func reduce() {
      reduction.add(
        steps: kept.steps, times: kept.times, values: kept.values, xs: axis == nil ? nil : kept.xs)
      kept = PointColumn()
    }
    if count > keptPoints {
      try points(of: expression, axis: axis, steps: steps) { point in
        kept.append(point)
        if kept.count >= SealedChunk.length { reduce() }
      }
    }
    reduce()
    return series(name, reduction, count: count, hasAxis: axis != nil, hasAverage: average != nil, id: id)
  }

  private func raw(
    _ name: String, _ points: PointColumn, _ average: MovingAverage?, hasAxis: Bool, id: PublicID
  ) -> Series {
    var averages: [Double]?
    if var average {
      averages = points.values.map { value in
        average.add(value)
        return average.value
      }
    }
    return Series(
      run: id, key: name, count: points.count, steps: points.steps, times: points.times,
      points: .raw(values: points.values), averages: averages, xs: hasAxis ? points.xs : nil)
  }

  private func series(
    _ name: String, _ reduction: Reduction, count: Int, hasAxis: Bool, hasAverage: Bool, id: PublicID
  ) -> Series {
    let buckets = reduction.buckets
    return Series(
      run: id, key: name, count: count, steps: buckets.map(\.firstStep), times: buckets.map(\.firstTime),
      points: .buckets(
        first: buckets.map(\.first), last: buckets.map(\.last), min: buckets.map(\.min),
        max: buckets.map(\.max), mean: buckets.map(\.mean), counts: buckets.map(\.count),
        nanCounts: buckets.map(\.nanCount)),
      averages: hasAverage ? reduction.averages : nil, xs: hasAxis ? reduction.xs : nil)
  }
}

extension PointColumn {
  fileprivate mutating func append(_ point: DerivedPoints.Point) {
    steps.append(point.step)
    times.append(point.time)
    values.append(point.value)
    if let x = point.x { xs.append(x) }
  }
}

extension StoreReader {
  /// The series of logged and of derived metrics, by name.
  ///
  /// - Parameter derived: with the keys of the logged ones and of the axis in it.
  func series(
    of names: [(key: Int64, name: String)], _ derived: DerivedOfRun, run: Int64, id: PublicID,
    _ window: SeriesWindow, limit: Int, _ effort: DerivedEffort
  ) throws -> [Series] {
    let axis = window.axis?.inNormalForm
    let derivedAxis = axis.flatMap { derived.expressions[$0] }
    if let axis, derivedAxis == nil, derived.keys[axis] == nil { return [] }
    let wanted = window.keys.map { Set($0.map(\.inNormalForm)) }
    var expressions = derived.expressions.filter { wanted?.contains($0.key) ?? true }
    var result: [Series] = []
    if derivedAxis == nil {
      result = try series(of: names, run: run, id: id, window, limit: limit)
    } else {
      // Where the axis is computed, it is joined to what was logged by step.
      for (_, name) in names { expressions[name] = .metric(name) }
    }
    let reading = DerivedReading(reader: self, run: run, derived: derived, effort: effort)
    var left = limit - result.reduce(0) { $0 + $1.steps.count }
    for (name, expression) in expressions {
      let axis = derivedAxis ?? axis.map(MetricExpression.metric)
      guard let series = try reading.series(name, expression, axis: axis, window, id: id) else { continue }
      left -= series.steps.count
      guard left >= 0 else { throw Problem.tooManyPoints }
      result.append(series)
    }
    return result.sorted { $0.key < $1.key }
  }
}
