// Bars, dots and tables in characters.

import Foundation

/// Lines of plain text of a given width.
enum TextPlot {
  /// Cells in columns, each as wide as its widest: the first to the left, the others to the right.
  static func table(_ titles: [String], _ rows: [[String]]) -> [String] {
    let lines = [titles] + rows
    let widths = titles.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      let padded = cells.indices.map { column in
        let blank = String(repeating: " ", count: widths[column] - cells[column].count)
        return column == 0 ? cells[column] + blank : blank + cells[column]
      }
      return trimmed(padded.joined(separator: "  "))
    }
  }

  /// A bar for a share of 0 to 1, in eighths of a character.
  static func bar(_ share: Double, width: Int) -> String {
    let eighths = Int((min(max(share, 0), 1) * Double(width) * 8).rounded())
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
  }

  /// Points as dots and a line of steps over them, with the values of both axes.
  ///
  /// - Parameters:
  ///   - points: the second number upwards.
  ///   - steps: drawn over the points; ascending by the first number.
  ///   - height: rows, 3 or more.
  static func scatter(
    _ points: [(Double, Double)], steps: [(Double, Double)], width: Int, height: Int
  ) -> [String] {
    guard let frame = Frame(points + steps, width: width, height: height) else { return [] }
    var cells = Array(repeating: Array(repeating: Character(" "), count: frame.columns), count: height)
    for point in points where point.1.isFinite { cells[frame.row(point.1)][frame.column(point.0)] = "·" }
    for (place, step) in steps.enumerated() {
      let end = place + 1 < steps.count ? frame.column(steps[place + 1].0) : frame.columns - 1
      for column in frame.column(step.0)...max(end, frame.column(step.0)) {
        cells[frame.row(step.1)][column] = "━"
      }
    }
    let lines = cells.enumerated().map { row, line in
      let label = row == 0 ? frame.top : row == height - 1 ? frame.bottom : ""
      return trimmed(String(repeating: " ", count: frame.margin - label.count) + label + " ┤" + String(line))
    }
    let (left, right) = (frame.left, frame.right)
    let gap = max(frame.columns - left.count - right.count, 1)
    return lines + [
      String(repeating: " ", count: frame.margin + 2) + left + String(repeating: " ", count: gap) + right
    ]
  }

  private static func trimmed(_ line: String) -> String {
    String(line.reversed().drop { $0 == " " }.reversed())
  }

  /// Where numbers lie in a grid of characters.
  private struct Frame {
    let columns: Int
    let height: Int
    let margin: Int
    let low: (Double, Double)
    let high: (Double, Double)

    init?(_ points: [(Double, Double)], width: Int, height: Int) {
      let finite = points.filter { $0.0.isFinite && $0.1.isFinite }
      guard let first = finite.first, height >= 3 else { return nil }
      var (low, high) = (first, first)
      for point in finite {
        low = (min(low.0, point.0), min(low.1, point.1))
        high = (max(high.0, point.0), max(high.1, point.1))
      }
      (self.low, self.high, self.height) = (low, high, height)
      margin = max(MetricWording.plain(low.1).count, MetricWording.plain(high.1).count)
      columns = width - margin - 2
      guard columns >= 8 else { return nil }
    }

    func column(_ x: Double) -> Int { Self.place(x, low.0, high.0, columns) }
    func row(_ y: Double) -> Int { height - 1 - Self.place(y, low.1, high.1, height) }

    private static func place(_ value: Double, _ low: Double, _ high: Double, _ count: Int) -> Int {
      // Halves first: the whole range may be too large for a number.
      let range = high / 2 - low / 2
      guard range > 0 else { return count / 2 }
      return min(max(Int(((value / 2 - low / 2) / range * Double(count - 1)).rounded()), 0), count - 1)
    }

    var top: String { MetricWording.plain(high.1) }
    var bottom: String { MetricWording.plain(low.1) }
    var left: String { MetricWording.plain(low.0) }
    var right: String { MetricWording.plain(high.0) }
  }
}
