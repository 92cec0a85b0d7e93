// Charts of single trials in the terminal: over all parameters, over two objectives, and over time.

import MartletModel
import OrderedCollections

extension ChartText {
  /// Rows of a table.
  private static let most = 20
  private static let mostLanes = 24
  /// Characters of an axis in a row.
  private static let track = 9

  /// The best trials as rows: of each parameter the value, and where it lies.
  var parallel: [String] {
    guard let chart = answer.chart(.parallel) else { return [] }
    let (numbers, metrics) = (chart.integers("trials"), chart.numbers("metric"))
    guard !numbers.isEmpty else { return [] }
    let feasible = chart.flags("feasible")
    let order = numbers.indices.sorted { a, b in
      if feasible[a] != feasible[b] { return feasible[a] }
      if metrics[a] == metrics[b] { return numbers[a] < numbers[b] }
      return answer.isMaximized ? metrics[a] > metrics[b] : metrics[a] < metrics[b]
    }
    let shown = order.prefix(Self.most)
    let axes = chart.values("axes").map { ChartAxis($0, grid: []) }
    let positions = chart.values("positions").map { ($0.array ?? []).map { $0.double ?? .nan } }
    let values = chart.values("values").map { $0.array ?? [] }
    func table(tracks: Bool, axes count: Int) -> [String] {
      let rows = shown.map { place in
        [String(numbers[place]) + (feasible[place] ? "" : " ×"), TextPlot.number(metrics[place])]
          + (0..<count).map { axis in
            let value = Terminal.plain(Words.value(values[axis][place]))
            return tracks ? value + " " + Self.track(positions[axis][place]) : value
          }
      }
      return TextPlot.table(["trial", metric] + axes.prefix(count).map { Terminal.plain($0.title) }, rows)
    }
    func fits(_ lines: [String]) -> Bool { lines.allSatisfy { Table.width(of: $0) <= width } }
    var lines = table(tracks: true, axes: axes.count)
    var count = axes.count
    if !fits(lines) { lines = table(tracks: false, axes: count) }
    while !fits(lines), count > 1 {
      count -= 1
      lines = table(tracks: false, axes: count)
    }
    let hidden = axes.count - count
    let tells = [
      order.count > shown.count ? "\(order.count - shown.count) more trials" : nil,
      hidden > 0 ? "\(hidden) more parameter\(hidden == 1 ? "" : "s")" : nil,
    ].compactMap(\.self)
    let marks = shown.contains { !feasible[$0] } ? ["× does not meet every constraint"] : []
    return lines + marks
      + (tells.isEmpty ? [] : ["and \(tells.joined(separator: ", ")): --format json or csv has all"])
  }

  /// A place on an axis, 0 to 1, as a dot on a line.
  private static func track(_ position: Double) -> String {
    guard position.isFinite else { return String(repeating: " ", count: track) }
    let place = min(max(Int((position * Double(track - 1)).rounded()), 0), track - 1)
    return String(repeating: "─", count: place) + "●" + String(repeating: "─", count: track - 1 - place)
  }

  /// The front of several objectives with its table.
  var front: [String] {
    guard let chart = answer.chart(.pareto) else { return [] }
    let metrics = chart.values("metrics").map { ($0.array ?? []).map { $0.double ?? .nan } }
    let (feasible, isFront) = (chart.flags("feasible"), chart.flags("front"))
    let order = metrics.indices.sorted { !isFront[$0] && isFront[$1] }
    let dots = order.map {
      TextPlot.Dot(
        x: metrics[$0][0], y: metrics[$0][1], mark: isFront[$0] ? "●" : feasible[$0] ? "·" : "×")
    }
    let plot = TextPlot.scatter(dots, width: width, height: Self.height)
    guard !plot.isEmpty else { return [] }
    let names = chart.texts("objectives").map(Terminal.plain)
    let marks = feasible.contains(false) ? "; × does not meet every constraint" : ""
    return titled("\(names[1]) over \(names[0]); ● is on the front\(marks)") + plot + [""] + frontTable
  }

  /// The trials on the front by the first objective.
  var frontTable: [String] {
    guard let chart = answer.chart(.pareto) else { return [] }
    let numbers = chart.integers("trials")
    let metrics = chart.values("metrics").map { ($0.array ?? []).map { $0.double ?? .nan } }
    let front = chart.flags("front")
    let rows = numbers.indices.filter { front[$0] }
      .sorted { (metrics[$0][0], numbers[$0]) < (metrics[$1][0], numbers[$1]) }
    guard !rows.isEmpty else { return [] }
    let table = TextPlot.table(
      ["front: trial"] + chart.texts("objectives").map(Terminal.plain),
      rows.prefix(Self.most).map { [String(numbers[$0])] + metrics[$0].map(TextPlot.number) })
    return rows.count > Self.most ? table + ["\(rows.count - Self.most) more"] : table
  }

  /// When trials ran: a lane is a line, a trial begins with the letter of its state.
  var timeline: [String] {
    guard let chart = answer.chart(.timeline) else { return [] }
    let starts = chart.numbers("start")
    let (states, lanes) = (chart.texts("states"), chart.integers("lanes"))
    guard let first = starts.first, let until = chart["until"]?.double else { return [] }
    let ends = chart.values("end").map { $0.double ?? until }
    let count = Int(chart["lane_count"]?.int ?? 0)
    let labels = (1...max(count, 1)).prefix(Self.mostLanes).map(String.init)
    let columns = max(width - (labels.last?.count ?? 1) - 2, 8)
    var cells = Array(repeating: Array(repeating: Character(" "), count: columns), count: labels.count)
    let whole = max(until - first, 1e-6)
    func column(_ time: Double) -> Int {
      min(max(Int(((time - first) / whole * Double(columns)).rounded()), 0), columns)
    }
    for place in starts.indices where lanes[place] < labels.count {
      let (left, right) = (min(column(starts[place]), columns - 1), column(ends[place]))
      for column in left...max(left, right - 1) { cells[lanes[place]][column] = "━" }
      cells[lanes[place]][left] = Self.letters[states[place]] ?? "?"
    }
    let inUse =
      chart["utilization"]?.double.map { ", in use \(Int(($0 * 100).rounded())) % of the time" } ?? ""
    let seen = Self.letters.filter { states.contains($0.key) }.map { "\($0.value) \($0.key)" }
    return titled("when trials ran: \(count) lane\(count == 1 ? "" : "s")\(inUse)")
      + TextPlot.framed(cells, labels: labels, ends: ("0", Words.duration(until - first)))
      + (count > labels.count ? ["\(count - labels.count) more lanes"] : [])
      + [seen.joined(separator: ", ")]
  }

  private static let letters: OrderedDictionary<String, Character> = [
    TrialState.complete.rawValue: "c", TrialState.pruned.rawValue: "p", TrialState.failed.rawValue: "f",
    TrialState.running.rawValue: "r", TrialState.paused.rawValue: "s", TrialState.waiting.rawValue: "w",
  ]

  /// A row for each trial that ended.
  var trials: [String] {
    guard let table = TrialRows(answer), !table.rows.isEmpty else { return [] }
    return TextPlot.table(
      table.titles.map(Terminal.plain), table.rows.map { $0.map { Terminal.plain(Words.value($0)) } })
  }
}
