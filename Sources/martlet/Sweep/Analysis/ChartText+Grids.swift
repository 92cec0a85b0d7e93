// Charts over two parameters in the terminal: the forest's mean in shades, and trials by their ranks.

import MartletModel
import OrderedCollections

extension ChartText {
  /// From the best to the worst.
  private static let shades: [Character] = ["█", "▓", "▒", "░", " "]

  /// Two axes as rows and columns of characters.
  private struct Grid {
    let x: ChartAxis
    let y: ChartAxis
    let columns: Int
    let rows: Int

    init(_ chart: JSONValue, width: Int, height: Int) {
      x = ChartAxis(chart["x"], grid: chart.values("grid_x"))
      y = ChartAxis(chart["y"], grid: chart.values("grid_y"))
      let margin = (y.names ?? [y.ends.0, y.ends.1]).map { Table.width(of: Terminal.plain($0)) }.max() ?? 0
      let room = min(max(width - margin - 2, 16), 72)
      // Where there are few values each has as many characters as the others.
      columns = x.names == nil ? room : max(room / max(x.grid.count, 1), 1) * max(x.grid.count, 1)
      rows = y.names == nil ? height : max(height / max(y.grid.count, 1), 1) * max(y.grid.count, 1)
    }

    /// The place on the axis across that a column shows.
    func across(_ column: Int) -> Int { column * x.grid.count / columns }

    /// The place on the axis up that a row shows, the first row at the top.
    func up(_ row: Int) -> Int { (rows - 1 - row) * y.grid.count / rows }

    /// Where a trial stands; nil: nowhere.
    func cell(_ across: JSONValue, _ up: JSONValue) -> (row: Int, column: Int)? {
      guard let i = x.place(of: across), let j = y.place(of: up) else { return nil }
      return (
        rows - 1 - (2 * j + 1) * rows / (2 * y.grid.count), (2 * i + 1) * columns / (2 * x.grid.count)
      )
    }

    func lines(_ cells: [[Character]]) -> [String] {
      var labels = Array(repeating: "", count: rows)
      if let names = y.names {
        for (place, name) in names.enumerated() {
          labels[rows - 1 - (2 * place + 1) * rows / (2 * names.count)] = Terminal.plain(name)
        }
      } else {
        (labels[0], labels[rows - 1]) = (Terminal.plain(y.ends.1), Terminal.plain(y.ends.0))
      }
      guard let names = x.names else {
        return TextPlot.framed(
          cells, labels: labels, ends: (Terminal.plain(x.ends.0), Terminal.plain(x.ends.1)))
      }
      let room = columns / max(names.count, 1)
      let under = names.map { name in
        let text = Table.cut(Terminal.plain(name), to: max(room - 1, 1))
        let left = max(room - Table.width(of: text), 0) / 2
        let right = max(room - Table.width(of: text) - left, 0)
        return String(repeating: " ", count: left) + text + String(repeating: " ", count: right)
      }
      return TextPlot.framed(cells, labels: labels, ends: (under.joined(), ""))
    }
  }

  var contour: [String] {
    guard let chart = answer.chart(.contour) else { return [] }
    let grid = Grid(chart, width: width, height: Self.height)
    let surface = chart.values("surface").map { ($0.array ?? []).map { $0.double ?? .nan } }
    let limits = shadeLimits(surface.flatMap(\.self))
    guard !limits.isEmpty, surface.count == grid.y.grid.count,
      surface.allSatisfy({ $0.count == grid.x.grid.count })
    else { return [] }
    var cells = (0..<grid.rows).map { row in
      (0..<grid.columns).map { column in shade(surface[grid.up(row)][grid.across(column)], limits) }
    }
    let ranks = chart.numbers("rank")
    let feasible = chart.flags("feasible")
    let best = ranks.indices.filter { feasible[$0] }.min { ranks[$0] < ranks[$1] }
    if let best, let cell = grid.cell(chart.values("x_values")[best], chart.values("y_values")[best]) {
      cells[cell.row][cell.column] = "o"
    }
    let sign = answer.isMaximized ? "≥" : "≤"
    let legend = zip(Self.shades, limits).map { shade, limit in
      "\(shade == " " ? "blank" : String(shade)) \(sign) \(TextPlot.number(limit))"
    }
    let trial = best.map { "; o is the best trial here, \(chart.integers("trials")[$0])" } ?? ""
    return TextPlot.broken(
      "\(metric), the mean over all other parameters: \(title(grid.x)) across, \(title(grid.y)) up\(trial)",
      width: width) + grid.lines(cells) + TextPlot.broken(legend.joined(separator: "   "), width: width)
  }

  var ranks: [String] {
    guard let chart = answer.chart(.rank) else { return [] }
    let grid = Grid(chart, width: width, height: Self.height)
    let ranks = chart.numbers("rank")
    guard !ranks.isEmpty else { return [] }
    var cells = Array(repeating: Array(repeating: Character(" "), count: grid.columns), count: grid.rows)
    let (across, up, feasible) = (chart.values("x_values"), chart.values("y_values"), chart.flags("feasible"))
    // The better come last and stand on the others.
    for place in ranks.indices.sorted(by: {
      (feasible[$0] ? 1 : 2, ranks[$0]) > (feasible[$1] ? 1 : 2, ranks[$1])
    }) {
      guard let cell = grid.cell(across[place], up[place]) else { continue }
      cells[cell.row][cell.column] = feasible[place] ? Character(String(min(Int(ranks[place] * 10), 9))) : "×"
    }
    // Also those that have no place here, since a parameter of theirs has no value.
    let all = answer.json["importance"]?["trials"]?.int ?? Int64(ranks.count)
    let marks = feasible.contains(false) ? ", × does not meet every constraint" : ""
    return TextPlot.broken(
      "trials by \(metric), 0 the best tenth of \(all) and 9 the worst\(marks): \(title(grid.x)) across, "
        + "\(title(grid.y)) up",
      width: width) + grid.lines(cells)
  }

  private func title(_ axis: ChartAxis) -> String { Terminal.plain(axis.title) }

  /// Up to where each shade goes, the best first: each has a fifth of the surface.
  private func shadeLimits(_ values: [Double]) -> [Double] {
    let sorted = values.filter(\.isFinite).sorted { answer.isMaximized ? $0 > $1 : $0 < $1 }
    guard !sorted.isEmpty else { return [] }
    return Self.shades.indices.map { sorted[max((($0 + 1) * sorted.count / Self.shades.count) - 1, 0)] }
  }

  private func shade(_ value: Double, _ limits: [Double]) -> Character {
    let place = limits.firstIndex { answer.isMaximized ? value >= $0 : value <= $0 }
    return Self.shades[place ?? Self.shades.count - 1]
  }
}
