// Series read back: raw where they are short, in buckets where they are long.

import GRDB
package import MartletModel
import MartletSeries
import OrderedCollections

extension StoreReader {
  /// The series of one run, by name; those without a point in the window are left out.
  ///
  /// Of a repeated step the later arrival is shown. A series with more points than buckets comes in equal widths of steps,
  /// empty ones left out, and no minimum or maximum is lost. Where the steps of a series increase, it is read from levels
  /// (`LevelReading`); where they do not, and with an average or an axis, from all its points.
  ///
  /// - Parameters:
  ///   - limit: points and buckets of the answer, at most.
  ///   - effort: what computing derived metrics may take.
  /// - Throws: `Problem.notFound`; `unprocessable` where the answer would be larger, or derived metrics take too much;
  ///   `internal` where the database is damaged.
  package func series(
    run id: PublicID, _ window: SeriesWindow, limit: Int = .max, effort: DerivedEffort = DerivedEffort()
  ) throws -> [Series] {
    let run = try requireRunRow(id)
    let low = window.fromStep ?? .min
    let high = window.toStep ?? .max
    guard low <= high else { return [] }
    let names = try metricNames(of: run, only: window.keys)
    let axis = window.axis.map { [$0.inNormalForm] } ?? []
    let derived = try derived(of: run, only: window.keys.map { $0 + axis }, with: names.map(\.name) + axis)
    if !derived.expressions.isEmpty {
      return try series(of: names, derived, run: run, id: id, window, limit: limit, effort)
    }
    return try series(of: names, run: run, id: id, window, limit: limit)
  }

  /// The series of logged metrics.
  func series(
    of names: [(key: Int64, name: String)], run: Int64, id: PublicID, _ window: SeriesWindow, limit: Int
  ) throws -> [Series] {
    guard !names.isEmpty else { return [] }
    var axis: Int64?
    if let name = window.axis {
      axis = try metricNames(of: run, only: [name]).first?.key
      // Without the axis no row has one.
      if axis == nil { return [] }
    }
    var reading = SeriesReading(
      reader: self, id: id, run: run, window: (window.fromStep ?? .min)...(window.toStep ?? .max),
      buckets: window.buckets, ema: window.ema, axis: axis, limit: limit)
    return try reading.series(of: names)
  }

  /// Keys and names of a run's metrics, by name.
  func metricNames(of run: Int64, only names: [String]?) throws -> [(key: Int64, name: String)] {
    if let names {
      let statement = try RawStatement(
        db,
        """
        SELECT id FROM metric_key
        WHERE name = ?1 AND EXISTS (SELECT 1 FROM metric_summary WHERE run_id = ?2 AND key_id = metric_key.id)
        """)
      var found: [(key: Int64, name: String)] = []
      for name in Set(names.map(\.inNormalForm)).sorted() {
        try statement.bind(1, name)
        try statement.bind(2, run)
        if try statement.step() { found.append((statement.int(0), name)) }
        statement.reset()
      }
      return found
    }
    let statement = try RawStatement(
      db,
      """
      SELECT key_id, name FROM metric_summary JOIN metric_key ON metric_key.id = key_id WHERE run_id = ?
      """)
    try statement.bind(1, run)
    var found: [(key: Int64, name: String)] = []
    while try statement.step() { found.append((statement.int(0), statement.text(1))) }
    return found.sorted { $0.name < $1.name }
  }
}

extension Problem {
  static let tooManyPoints = Problem(
    .unprocessable, "These series have more points and buckets than one answer may hold.",
    hint: "Ask for fewer runs or keys at a time, or for fewer buckets.")
}

/// One request for the series of a run, in one snapshot.
struct SeriesReading {
  /// One metric while it is read.
  struct Metric {
    var key: Int64
    var name: String
    /// Its numbers in chunks of the window; `place` is the chunk's in `chunks`.
    var entries: [(place: Int, entry: SeriesEntry)] = []
    /// Points of the tail.
    var tail = PointColumn()
    var isOrdered = true
    var points = PointColumn()
  }

  let reader: StoreReader
  let id: PublicID
  let run: Int64
  /// Steps that are asked for.
  let window: ClosedRange<Int64>
  let buckets: Int
  let ema: Double?
  let axis: Int64?
  /// Points and buckets that the answer may have.
  private var left: Int
  /// Chunks with a row in `scope`.
  private(set) var chunks: [ChunkEntry] = []
  private var metrics: [Metric] = []
  /// Steps and times of chunks that were decoded last.
  private var decoded: [Int: (steps: [Int64], times: [Int64])] = [:]

  init(
    reader: StoreReader, id: PublicID, run: Int64, window: ClosedRange<Int64>, buckets: Int, ema: Double?,
    axis: Int64?, limit: Int
  ) {
    (self.reader, self.id, self.run, self.window) = (reader, id, run, window)
    (self.buckets, self.ema, self.axis, left) = (max(1, buckets), ema, axis, limit)
  }

  /// Steps that have to be read: an average is over all points up to the window's end, so that it does not depend on where the
  /// window begins.
  private var scope: ClosedRange<Int64> { ema == nil ? window : .min...window.upperBound }

  /// Points that are in memory at a time, about.
  private static let pointsAtATime = 4_000_000

  mutating func series(of names: [(key: Int64, name: String)]) throws -> [Series] {
    metrics = names.map { Metric(key: $0.key, name: $0.name) }
    chunks = try reader.chunks(of: run, steps: scope)
    try readEntries()
    try readTail()
    var whole: [Int] = []
    var waiting = 0
    var result: [(Int, Series)] = []
    for index in metrics.indices {
      checkOrder(of: index)
      let metric = metrics[index]
      let total = metric.entries.reduce(metric.tail.count) { $0 + $1.entry.count }
      if ema == nil, axis == nil, metric.isOrdered, total > 2 * Levels.blockLength * buckets {
        if let series = try fromLevels(metric) { result.append((index, try counted(series))) }
      } else {
        whole.append(index)
        waiting += total
        if waiting < Self.pointsAtATime { continue }
        result += try fromPoints(whole)
        (whole, waiting) = ([], 0)
      }
    }
    result += try fromPoints(whole)
    return result.sorted { $0.0 < $1.0 }.map(\.1)
  }

  private mutating func fromPoints(_ indices: [Int]) throws -> [(Int, Series)] {
    var result: [(Int, Series)] = []
    try readPoints(of: indices)
    for index in indices {
      metrics[index].points.append(metrics[index].tail)
      let points = metrics[index].points
      metrics[index].points = PointColumn()
      if let series = series(metrics[index].name, points.ordered()) {
        result.append((index, try counted(series)))
      }
    }
    return result
  }

  private mutating func counted(_ series: Series) throws(Problem) -> Series {
    left -= series.steps.count
    guard left >= 0 else { throw Problem.tooManyPoints }
    return series
  }

  // MARK: - What there is

  private mutating func readEntries() throws {
    guard let first = chunks.first?.firstRow, let last = chunks.last?.firstRow else { return }
    for index in metrics.indices {
      var place = 0
      for entry in try reader.seriesEntries(of: metrics[index].key, run: run, from: first, to: last) {
        while place < chunks.count, chunks[place].firstRow < entry.firstRow { place += 1 }
        guard place < chunks.count else { break }
        if chunks[place].firstRow == entry.firstRow { metrics[index].entries.append((place, entry)) }
      }
    }
  }

  private mutating func readTail() throws {
    var keys = Set(metrics.map(\.key))
    if let axis { keys.insert(axis) }
    let places = Dictionary(metrics.enumerated().map { ($1.key, $0) }) { $1 }
    let (scope, axis) = (scope, axis)
    try reader.readTail(of: run, keys: keys, steps: scope) { tail in
      let block = tail.block
      var xs: Axis?
      if let axis {
        xs = Axis(absentIn: block.steps.count)
        for column in block.columns where column.key == axis {
          guard case .numbers(let values) = column.values else { continue }
          xs = Axis(rows: column.rows, values: values, of: block.steps.count)
        }
      }
      for column in block.columns {
        guard case .numbers(let values) = column.values, let index = places[column.key] else { continue }
        metrics[index].tail.append(
          rows: column.rows, values: values, steps: block.steps, times: block.times,
          skipping: tail.sealed, window: scope, axis: xs)
      }
      return true
    }
  }

  /// Whether a metric's points in the window strictly increase in the order of their arrival.
  private mutating func checkOrder(of index: Int) {
    let metric = metrics[index]
    // A chunk that is ordered begins above all before it, also above those outside of the window.
    let high = metric.entries.map(\.entry.highStep).max()
    metrics[index].isOrdered =
      metric.entries.allSatisfy(\.entry.isOrdered) && metric.tail.isOrdered
      && (metric.tail.steps.first.map { $0 > high ?? .min || high == nil } ?? true)
  }

  // MARK: - Points

  /// Reads the chunks of some metrics, chunk by chunk: its steps and times are decoded once for all of them.
  private mutating func readPoints(of indices: [Int]) throws {
    var wanted: [[(metric: Int, entry: SeriesEntry)]] = Array(repeating: [], count: chunks.count)
    for index in indices {
      for (place, entry) in metrics[index].entries { wanted[place].append((index, entry)) }
    }
    var axes: [Int64: SeriesEntry] = [:]
    if let axis, let first = chunks.first?.firstRow {
      for entry in try reader.seriesEntries(of: axis, run: run, from: first) { axes[entry.firstRow] = entry }
    }
    for place in chunks.indices where !wanted[place].isEmpty {
      let chunk = chunks[place]
      var xs: Axis?
      if axis != nil {
        guard let entry = axes[chunk.firstRow] else { continue }
        let (rows, values) = try reader.numbers(of: entry, rowCount: chunk.rowCount)
        xs = Axis(rows: rows, values: values, of: chunk.rowCount)
      }
      let (steps, times) = try reader.stepsAndTimes(of: chunk)
      for (index, entry) in wanted[place] {
        let (rows, values) = try reader.numbers(of: entry, rowCount: chunk.rowCount)
        metrics[index].points.append(
          rows: rows, values: values, steps: steps, times: times,
          window: chunk.isWithin(scope) ? nil : scope, axis: xs)
      }
    }
  }

  /// One metric's points in one chunk, within the window.
  mutating func points(_ entry: SeriesEntry, at place: Int) throws -> PointColumn {
    let chunk = chunks[place]
    let columns: (steps: [Int64], times: [Int64])
    if let known = decoded[place] {
      columns = known
    } else {
      columns = try reader.stepsAndTimes(of: chunk)
      if decoded.count >= 64 { decoded = [:] }
      decoded[place] = columns
    }
    let (rows, values) = try reader.numbers(of: entry, rowCount: chunk.rowCount)
    var points = PointColumn()
    points.append(
      rows: rows, values: values, steps: columns.steps, times: columns.times,
      window: chunk.isWithin(window) ? nil : window)
    return points
  }

  // MARK: - Answers

  /// - Parameter points: within `scope`, in order.
  private func series(_ name: String, _ points: PointColumn) -> Series? {
    let start = ema == nil ? 0 : points.count(below: window.lowerBound)
    var average = ema.map(MovingAverage.init(weight:))
    for value in points.values[..<start] { average?.add(value) }
    let shown = points.dropping(start)
    guard let low = shown.steps.first, let high = shown.steps.last else { return nil }
    let xs: [Double]? = axis == nil ? nil : shown.xs
    guard shown.count > buckets else {
      var averages: [Double]?
      if var average {
        averages = shown.values.map { value in
          average.add(value)
          return average.value
        }
      }
      return Series(
        run: id, key: name, count: shown.count, steps: shown.steps, times: shown.times,
        points: .raw(values: shown.values), averages: averages, xs: xs)
    }
    var reduction = Reduction(window: low...high, buckets: buckets, average: average)
    reduction.add(steps: shown.steps, times: shown.times, values: shown.values, xs: xs)
    return series(name, reduction, count: shown.count)
  }

  /// - Parameter count: points in the window.
  func series(_ name: String, _ reduction: Reduction, count: Int) -> Series {
    let buckets = reduction.buckets
    return Series(
      run: id, key: name, count: count, steps: buckets.map(\.firstStep), times: buckets.map(\.firstTime),
      points: .buckets(
        first: buckets.map(\.first), last: buckets.map(\.last), min: buckets.map(\.min),
        max: buckets.map(\.max), mean: buckets.map(\.mean), counts: buckets.map(\.count),
        nanCounts: buckets.map(\.nanCount)),
      averages: ema == nil ? nil : reduction.averages, xs: axis == nil ? nil : reduction.xs)
  }

  /// As `series` gives them for points that were found to be few.
  func rawSeries(_ name: String, _ points: PointColumn) -> Series {
    Series(
      run: id, key: name, count: points.count, steps: points.steps, times: points.times,
      points: .raw(values: points.values))
  }
}
