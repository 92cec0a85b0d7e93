// A run as plain as can be: a list of rows. What the store answers must be what this answers.

import MartletModel
import MartletSeries
import MartletTestSupport
import Testing

@testable import MartletStore

struct NaiveRow {
  var step: Int64
  var time: Int64
  var numbers: [(name: String, value: Double)]
  var texts: [(name: String, value: JSONValue)]
}

struct NaiveRun {
  struct Point {
    var step: Int64
    var time: Int64
    var value: Double
    var x: Double?
  }

  var id: PublicID
  var rows: [NaiveRow] = []
  var next: [String: Int64] = [:]

  /// Takes rows that a client sends, of which it may have sent some before.
  mutating func append(_ batch: [LogRow], client: String) {
    var last = rows.map(\.step).max()
    for row in batch where row.sequence >= next[client, default: 0] {
      next[client] = row.sequence + 1
      let step = row.step ?? last.map { $0 == .max ? $0 : $0 + 1 } ?? 0
      last = max(last ?? step, step)
      rows.append(
        NaiveRow(
          step: step, time: row.time.microseconds,
          numbers: row.numbers.map { ($0.name, $0.value) }, texts: row.others.map { ($0.name, $0.value) }))
    }
  }

  mutating func rewind(to step: Int64) { rows.removeAll { $0.step > step } }

  var names: [String] { Set(rows.flatMap { $0.numbers.map(\.name) }).sorted() }

  /// By step, later arrivals over earlier ones, within the window; with an axis, only those that have an x.
  func points(_ name: String, _ window: SeriesWindow) -> [Point] {
    var all: [Point] = []
    for row in rows where row.step >= window.fromStep ?? .min && row.step <= window.toStep ?? .max {
      guard let value = row.numbers.first(where: { $0.name == name })?.value else { continue }
      var x: Double?
      if let axis = window.axis {
        x = row.numbers.first { $0.name == axis }?.value
        guard x != nil else { continue }
      }
      all.append(Point(step: row.step, time: row.time, value: value, x: x))
    }
    if zip(all, all.dropFirst()).allSatisfy({ $0.step < $1.step }) { return all }
    return Dictionary(all.map { ($0.step, $0) }) { $1 }.values.sorted { $0.step < $1.step }
  }

  /// The average after each point of the window, by step: over all points up to there.
  func averages(_ name: String, _ window: SeriesWindow, weight: Double) -> [Int64: Double] {
    var whole = window
    whole.fromStep = nil
    var (sum, rest) = (0.0, 1.0)
    var averages: [Int64: Double] = [:]
    for point in points(name, whole) {
      if point.value.isFinite {
        sum = weight * sum + (1 - weight) * point.value
        rest *= weight
      }
      averages[point.step] = rest < 1 ? sum / (1 - rest) : .nan
    }
    return averages
  }

  // MARK: - Comparing

  func check(_ store: Store, _ window: SeriesWindow, _ place: SourceLocation = #_sourceLocation)
    async throws
  {
    let series = try await store.read { [id] in try $0.series(run: id, window) }
    let expected = names.filter { window.keys?.contains($0) ?? true }
      .map { ($0, points($0, window)) }.filter { !$0.1.isEmpty }
    let wanted = window.axis.map { names.contains($0) } ?? true ? expected : []
    try #require(series.map(\.key) == wanted.map(\.0), "\(window)", sourceLocation: place)
    for (one, (name, points)) in zip(series, wanted) {
      try #require(one.count == points.count, "\(name) \(window)", sourceLocation: place)
      let averages = window.ema.map { self.averages(name, window, weight: $0) }
      switch one.points {
      case .raw(let values):
        #expect(points.count <= window.buckets, sourceLocation: place)
        #expect(one.steps == points.map(\.step), "\(name) \(window)", sourceLocation: place)
        #expect(one.times == points.map(\.time), sourceLocation: place)
        #expect(
          values.map(\.bitPattern) == points.map(\.value.bitPattern), "\(name) \(window)",
          sourceLocation: place)
        #expect(one.xs?.map(\.bitPattern) == xs(points, window), sourceLocation: place)
        expectAlike(one.averages, averages.map { all in points.map { all[$0.step] ?? .nan } }, place)
      case .buckets: try check(one, points, window, averages, place)
      }
    }
  }

  private func xs(_ points: [Point], _ window: SeriesWindow) -> [UInt64]? {
    window.axis == nil ? nil : points.map { ($0.x ?? 0).bitPattern }
  }

  private func check(
    _ series: Series, _ points: [Point], _ window: SeriesWindow, _ averages: [Int64: Double]?,
    _ place: SourceLocation
  ) throws {
    guard
      case .buckets(let first, let last, let min, let max, let mean, let counts, let nans) = series.points
    else { return }
    #expect(points.count > window.buckets, sourceLocation: place)
    #expect(counts.count <= window.buckets, sourceLocation: place)
    try #require(counts.reduce(0, +) == Int64(points.count), sourceLocation: place)
    let width = (span(points[0], points[points.count - 1]) + 1) / Double(window.buckets)
    var (starts, ends): ([Point], [Point]) = ([], [])
    var at = 0
    for (index, count) in counts.enumerated() {
      try #require(count > 0, sourceLocation: place)
      let part = points[at..<(at + Int(count))]
      at += Int(count)
      let numbers = part.map(\.value).filter { !$0.isNaN }
      let (start, end) = (part[part.startIndex], part[part.endIndex - 1])
      starts.append(start)
      ends.append(end)
      #expect(series.steps[index] == start.step, sourceLocation: place)
      #expect(series.times[index] == start.time, sourceLocation: place)
      #expect(isAlike(first[index], start.value) && isAlike(last[index], end.value), sourceLocation: place)
      #expect(nans[index] == count - Int64(numbers.count), sourceLocation: place)
      #expect(isAlike(min[index], numbers.min() ?? .nan), sourceLocation: place)
      #expect(isAlike(max[index], numbers.max() ?? .nan), sourceLocation: place)
      let average = numbers.isEmpty ? .nan : numbers.reduce(0, +) / Double(numbers.count)
      #expect(isNear(mean[index], average), sourceLocation: place)
      // Blocks of half a width at most: a border moves by less than a quarter.
      #expect(span(start, end) <= 1.5 * width + 1e-6, sourceLocation: place)
    }
    #expect(series.xs?.map(\.bitPattern) == xs(starts, window), sourceLocation: place)
    expectAlike(series.averages, averages.map { all in ends.map { all[$0.step] ?? .nan } }, place)
  }

  /// In steps, also where doubles cannot tell these apart.
  private func span(_ first: Point, _ last: Point) -> Double {
    Double(UInt64(bitPattern: last.step &- first.step))
  }

  private func expectAlike(_ a: [Double]?, _ b: [Double]?, _ place: SourceLocation) {
    #expect(a?.count == b?.count, sourceLocation: place)
    for (a, b) in zip(a ?? [], b ?? []) { #expect(isNear(a, b), sourceLocation: place) }
  }

  func checkSummary(_ store: Store, _ place: SourceLocation = #_sourceLocation) async throws {
    let shown = try await store.read { [id] in try $0.run(id) }
    let run = try #require(shown, sourceLocation: place)
    #expect(run.lastStep == rows.map(\.step).max(), sourceLocation: place)
    #expect(run.points == Int64(rows.reduce(0) { $0 + $1.numbers.count }), sourceLocation: place)
    try #require(run.metrics.map(\.name) == names, sourceLocation: place)
    var texts: [String: LoggedValue] = [:]
    for row in rows {
      for (name, value) in row.texts where row.step >= texts[name]?.lastStep ?? .min {
        texts[name] = LoggedValue(name: name, value: value, lastStep: row.step)
      }
    }
    #expect(run.values == texts.keys.sorted().compactMap { texts[$0] }, sourceLocation: place)
    for metric in run.metrics {
      var expected: MetricSummary?
      for row in rows {
        guard let value = row.numbers.first(where: { $0.name == metric.name })?.value else { continue }
        let time = Timestamp(microseconds: row.time)
        if expected == nil {
          expected = MetricSummary(name: metric.name, value: value, step: row.step, time: time)
        } else {
          expected?.add(value, step: row.step, time: time)
        }
      }
      let all = try #require(expected, sourceLocation: place)
      #expect(isAlike(metric.last, all.last), sourceLocation: place)
      #expect((metric.lastStep, metric.lastTime) == (all.lastStep, all.lastTime), sourceLocation: place)
      #expect((metric.min, metric.minStep) == (all.min, all.minStep), sourceLocation: place)
      #expect((metric.max, metric.maxStep) == (all.max, all.maxStep), sourceLocation: place)
      #expect((metric.count, metric.nanCount) == (all.count, all.nanCount), sourceLocation: place)
      #expect(isNear(metric.sum, all.sum), "\(metric.sum) \(all.sum)", sourceLocation: place)
    }
  }

  /// Reads the history page by page and compares every row.
  func checkHistory(
    _ store: Store, keys: [String]?, from: Int64? = nil, to: Int64? = nil, limit: Int,
    _ place: SourceLocation = #_sourceLocation
  ) async throws {
    var found: [HistoryRow] = []
    var after: Int64?
    repeat {
      let page = try await store.read { [id, after] in
        try $0.history(run: id, keys: keys, fromStep: from, toStep: to, after: after, limit: limit)
      }
      #expect(page.rows.count <= limit, sourceLocation: place)
      if page.next != nil { #expect(page.rows.count == limit, sourceLocation: place) }
      found += page.rows
      after = page.next
    } while after != nil
    let isWanted = { (name: String) in keys?.contains(name) ?? true }
    var expected: [(number: Int64, row: NaiveRow)] = []
    for (number, row) in rows.enumerated() where row.step >= from ?? .min && row.step <= to ?? .max {
      let names = row.numbers.map(\.name) + row.texts.map(\.name)
      if keys == nil || names.contains(where: isWanted) { expected.append((Int64(number), row)) }
    }
    let (numbers, wanted) = (found.map(\.row), expected.map(\.number))
    try #require(numbers == wanted, sourceLocation: place)
    for (row, (_, plain)) in zip(found, expected) {
      #expect((row.step, row.time) == (plain.step, plain.time), sourceLocation: place)
      let values = Dictionary(uniqueKeysWithValues: row.numbers.map { ($0.name, $0.value.bitPattern) })
      let plainValues = plain.numbers.filter { isWanted($0.name) }.map { ($0.name, $0.value.bitPattern) }
      #expect(values == Dictionary(uniqueKeysWithValues: plainValues), sourceLocation: place)
      let texts = Dictionary(
        uniqueKeysWithValues: row.texts.map { ($0.name, String(decoding: $0.value, as: UTF8.self)) })
      let plainTexts = plain.texts.filter { isWanted($0.name) }.map { ($0.name, $0.value.text) }
      #expect(texts == Dictionary(uniqueKeysWithValues: plainTexts), sourceLocation: place)
    }
  }
}

/// Equal, or both NaN; the sign of a zero, which summaries do not keep, does not count.
func isAlike(_ a: Double, _ b: Double) -> Bool { a == b || (a.isNaN && b.isNaN) }

/// Equal but for the order in which numbers were added.
func isNear(_ a: Double, _ b: Double) -> Bool {
  isAlike(a, b) || abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))
}
