// A chart in characters.

import Foundation

/// Curves over one axis, with ticks and a legend.
struct Plot {
  /// A point, or what a bucket holds of points.
  struct Point: Hashable {
    var x: Double
    var first: Double
    var last: Double
    /// NaN when there is no number.
    var low: Double
    var high: Double

    init(x: Double, value: Double) {
      (self.x, first, last, low, high) = (x, value, value, value, value)
    }

    init(x: Double, first: Double, last: Double, low: Double, high: Double) {
      (self.x, self.first, self.last, self.low, self.high) = (x, first, last, low, high)
    }
  }

  struct Curve: Hashable {
    var name: String
    /// By x.
    var points: [Point]
  }

  var curves: [Curve]
  /// Of the whole chart, in characters.
  var width: Int
  var height: Int
  var isLog = false
  /// Whether the terminal shows more than ASCII.
  var isUnicode = true
  var isColored = false

  static let narrowest = 24
  static let lowest = 6

  /// Cyan, yellow, magenta, green, blue, red: what most palettes tell apart.
  private static let colors = ["36", "33", "35", "32", "34", "31"]

  /// Braille has no marks to tell curves apart without colours.
  private var ink: PlotInk { isUnicode && (isColored || curves.count < 2) ? .braille : .marks }

  private func isShown(_ value: Double) -> Bool { value.isFinite && (!isLog || value > 0) }

  /// The chart, line by line; without a number that can be shown, a sentence.
  func lines() -> [String] {
    let shown = curves.flatMap(\.points).filter { isShown($0.low) || isShown($0.high) }
    let values = shown.flatMap { [$0.low, $0.high, $0.first, $0.last] }.filter(isShown)
    let xs = curves.flatMap(\.points).map(\.x)
    guard let low = values.min(), let high = values.max(), let left = xs.min(), let right = xs.max() else {
      return [isLog ? "There is no number above 0 to draw." : "There is no number to draw."]
    }
    let y = PlotScale(low: low, high: high, isLog: isLog)
    let x = left < right ? PlotScale(low: left, high: right) : PlotScale(low: left, high: left)
    let legend = legend
    return legend + body(x, y, rows: max(2, height - legend.count - 2)) + notes
  }

  // MARK: - Legend

  /// A mark, a name and a last value for each curve, as many on a line as fit. The chart stays larger than its two axes.
  private var legend: [String] {
    let most = max(1, height - 4)
    var lines: [String] = []
    var room = 0
    for (index, curve) in curves.enumerated() {
      let mark =
        ink == .marks ? String(PlotCanvas.marks[index % PlotCanvas.marks.count]) : isUnicode ? "━" : "-"
      let last = curve.points.last.map { " \(Words.number($0.last))" } ?? ""
      let name = Table.cut(
        Terminal.plain(curve.name), to: max(4, width - 2 - last.count), ellipsis: isUnicode ? "…" : "...")
      let words = name + last
      let taken = 2 + Table.width(of: words)
      let entry = "\(paint(mark, index)) \(words)"
      if taken + 3 <= room {
        lines[lines.count - 1] += "   " + entry
        room -= taken + 3
      } else if lines.count < most - 1 || lines.count < most && index == curves.count - 1 {
        lines.append(entry)
        room = width - taken
      } else {
        return lines + ["and \(curves.count - index) more"]
      }
    }
    return lines
  }

  private func paint(_ text: String, _ curve: Int) -> String {
    isColored ? "\u{1B}[\(Self.colors[curve % Self.colors.count])m\(text)\u{1B}[0m" : text
  }

  private var notes: [String] {
    let values = curves.flatMap(\.points).flatMap { Set([$0.low, $0.high].filter { !$0.isNaN }) }
    var notes: [String] = []
    if values.contains(where: \.isInfinite) { notes.append("Infinite values are not shown.") }
    if isLog, values.contains(where: { $0 <= 0 }) { notes.append("Values of 0 and below are not shown.") }
    return notes
  }

  // MARK: - Axes

  private func body(_ x: PlotScale, _ y: PlotScale, rows: Int) -> [String] {
    let ticks = y.ticks(about: max(2, isLog ? rows / 2 : rows / 3))
    let labels = PlotScale.labels(ticks)
    let margin = (labels.map(\.count).max() ?? 0) + 1
    let columns = max(8, width - margin - 1)
    var canvas = PlotCanvas(columns: columns, rows: rows, ink: ink)
    for (index, curve) in curves.enumerated() { draw(curve, index, x, y, on: &canvas) }
    var named: [Int: String] = [:]
    for (tick, label) in zip(ticks, labels) {
      let row = rows - 1 - y.place(of: tick, in: rows)
      if named[row] == nil { named[row] = label }
    }
    var lines = (0..<rows).map { row in
      let label = named[row] ?? ""
      let blank = String(repeating: " ", count: margin - 1 - label.count)
      let side = isUnicode ? (named[row] == nil ? " │" : " ┤") : " |"
      return blank + label + side + canvas.text(row: row, paint: paint)
    }
    lines += bottom(x, columns: columns, margin: margin)
    return lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
  }

  private func bottom(_ x: PlotScale, columns: Int, margin: Int) -> [String] {
    let ticks = x.ticks(about: max(2, columns / 14))
    let labels = PlotScale.labels(ticks)
    var axis = Array(repeating: isUnicode ? Character("─") : "-", count: columns)
    var numbers = Array(repeating: Character(" "), count: columns + margin + 1)
    var free = 0
    for (tick, label) in zip(ticks, labels) {
      let column = x.place(of: tick, in: columns)
      axis[column] = isUnicode ? "┬" : "+"
      let start = min(max(margin + 1 + column - label.count / 2, 0), numbers.count - label.count)
      guard start >= free else { continue }
      numbers.replaceSubrange(start..<(start + label.count), with: label)
      free = start + label.count + 1
    }
    let corner = isUnicode ? "└" : "+"
    return [String(repeating: " ", count: margin) + corner + String(axis), String(numbers)]
  }

  // MARK: - Curves

  private func draw(_ curve: Curve, _ index: Int, _ x: PlotScale, _ y: PlotScale, on canvas: inout PlotCanvas)
  {
    func row(_ value: Double) -> Int { canvas.height - 1 - y.place(of: value, in: canvas.height) }
    var before: (x: Int, y: Int)?
    for point in curve.points {
      let column = x.place(of: point.x, in: canvas.width)
      let shown = [point.low, point.high, point.first, point.last].filter(isShown)
      guard let low = shown.min(), let high = shown.max() else {
        before = nil
        continue
      }
      if let before, isShown(point.first) {
        canvas.line(from: before, to: (column, row(point.first)), curve: index)
      }
      canvas.line(from: (column, row(high)), to: (column, row(low)), curve: index)
      before = isShown(point.last) ? (column, row(point.last)) : nil
    }
  }
}
