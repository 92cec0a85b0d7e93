// Bars, dots and tables in characters.

import Foundation

/// Lines of plain text of a given width.
enum TextPlot {
  struct Dot {
    var x: Double
    var y: Double
    var mark: Character = "·"
  }

  /// A number in four digits.
  static func number(_ value: Double) -> String { String(format: "%.4g", value) }

  /// Cells in columns, each as wide as its widest: the first to the left, the others to the right.
  static func table(_ titles: [String], _ rows: [[String]]) -> [String] {
    let lines = [titles] + rows
    let widths = titles.indices.map { column in lines.map { Table.width(of: $0[column]) }.max() ?? 0 }
    return lines.map { cells in
      let padded = cells.indices.map { column in
        let blank = String(repeating: " ", count: widths[column] - Table.width(of: cells[column]))
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

  /// Dots and a line of steps over them, with the values of both axes.
  ///
  /// - Parameters:
  ///   - dots: a later one covers those before.
  ///   - steps: drawn over the dots; ascending by the first number.
  ///   - height: rows, 3 or more.
  ///   - ends: what stands under the left and the right end; nil: the numbers there.
  static func scatter(
    _ dots: [Dot], steps: [(Double, Double)] = [], width: Int, height: Int, ends: (String, String)? = nil
  ) -> [String] {
    let all = dots.map { ($0.x, $0.y) } + steps
    guard let frame = Frame(all, width: width, height: height) else { return [] }
    var cells = Array(repeating: Array(repeating: Character(" "), count: frame.columns), count: height)
    for dot in dots where dot.x.isFinite && dot.y.isFinite {
      cells[frame.row(dot.y)][frame.column(dot.x)] = dot.mark
    }
    for (place, step) in steps.enumerated() where step.0.isFinite && step.1.isFinite {
      let end = place + 1 < steps.count ? frame.column(steps[place + 1].0) : frame.columns - 1
      for column in frame.column(step.0)...max(end, frame.column(step.0)) {
        cells[frame.row(step.1)][column] = "━"
      }
    }
    let labels = cells.indices.map { $0 == 0 ? frame.top : $0 == height - 1 ? frame.bottom : "" }
    return framed(cells, labels: labels, margin: frame.margin, ends: ends ?? (frame.left, frame.right))
  }

  /// Rows of characters with what stands beside each and under both ends.
  static func framed(
    _ cells: [[Character]], labels: [String], margin: Int? = nil, ends: (String, String)
  ) -> [String] {
    let margin = margin ?? labels.map(Table.width).max() ?? 0
    let columns = cells.first?.count ?? 0
    let lines = zip(cells, labels).map { line, label in
      trimmed(
        String(repeating: " ", count: max(margin - Table.width(of: label), 0)) + label + " ┤" + String(line))
    }
    let gap = max(columns - Table.width(of: ends.0) - Table.width(of: ends.1), 1)
    return lines + [
      trimmed(
        String(repeating: " ", count: margin + 2) + ends.0 + String(repeating: " ", count: gap) + ends.1)
    ]
  }

  /// A sentence in lines that are broken between words.
  static func broken(_ sentence: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in sentence.split(separator: " ") {
      if let last = lines.last, Table.width(of: last) + 1 + Table.width(of: String(word)) <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
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
      margin = max(TextPlot.number(low.1).count, TextPlot.number(high.1).count)
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

    var top: String { TextPlot.number(high.1) }
    var bottom: String { TextPlot.number(low.1) }
    var left: String { TextPlot.number(low.0) }
    var right: String { TextPlot.number(high.0) }
  }
}
