// Charts in characters: what they look like, and what must not disturb them.

import Foundation
import MartletTestSupport
import Testing

@testable import martlet

@Suite("charts in the terminal")
struct PlotTests {
  private func curve(_ name: String, _ values: [Double]) -> Plot.Curve {
    Plot.Curve(
      name: name, points: values.enumerated().map { Plot.Point(x: Double($0.offset), value: $0.element) })
  }

  private func plot(_ curves: [Plot.Curve], width: Int = 40, height: Int = 9) -> Plot {
    Plot(curves: curves, width: width, height: height)
  }

  @Test("a line in braille, with ticks and its last value")
  func braille() {
    let lines = plot([curve("loss", (0...40).map(Double.init))]).lines()
    #expect(lines == Golden.braille, "\n\(lines.joined(separator: "\n"))")
  }

  @Test("two curves without colours are told apart by marks")
  func marks() {
    var two = plot([
      curve("train", (0...30).map { 30 - Double($0) }), curve("val", (0...30).map { Double($0) / 2 }),
    ])
    two.isUnicode = false
    let lines = two.lines()
    #expect(lines == Golden.marks, "\n\(lines.joined(separator: "\n"))")
    #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
    two.isUnicode = true
    #expect(two.lines()[0] == "* train 0   + val 15")
  }

  @Test("colours mark curves, and nothing is coloured without them")
  func colours() {
    var two = plot([curve("a", [1, 2]), curve("b", [2, 1])])
    #expect(!two.lines().joined().contains("\u{1B}"))
    two.isColored = true
    let lines = two.lines()
    #expect(lines[0] == "\u{1B}[36m━\u{1B}[0m a 2   \u{1B}[33m━\u{1B}[0m b 1")
    #expect(lines.joined().contains("⠁") || lines.joined().unicodeScalars.contains { $0.value > 0x2800 })
  }

  @Test("a long legend takes several lines, and the chart the fewer")
  func legend() {
    let curves = (0..<5).map { curve("a/rather/long/name/of/metric/\($0)", [1, 2]) }
    let lines = plot(curves, width: 40, height: 12).lines()
    #expect(lines[0] == "* a/rather/long/name/of/metric/0 2")
    #expect(lines[4] == "# a/rather/long/name/of/metric/4 2")
    #expect(lines.count == 12)
    let narrow = plot([curve(String(repeating: "n", count: 90), [1])], width: 30).lines()
    #expect(narrow[0] == "━ " + String(repeating: "n", count: 25) + "… 1")
  }

  @Test("in ASCII what is cut is ASCII too, and a legend leaves room for the chart")
  func narrow() {
    var long = plot([curve(String(repeating: "n", count: 90), [1])], width: 30)
    long.isUnicode = false
    let lines = long.lines()
    #expect(lines[0] == "* " + String(repeating: "n", count: 23) + "... 1")
    #expect(lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } })
    let many = plot(
      (0..<30).map { curve("a/rather/long/name/of/metric/\($0)", [1, 2]) }, width: 40, height: 9
    ).lines()
    #expect(many.count == 9)
    #expect(many.contains("and 26 more"), "\(many)")
  }

  @Test("NaN leaves a gap, infinities are named, and a lone point is a dot")
  func gaps() {
    var chart = plot([curve("x", [1, 1, .nan, .nan, 1, 1])], width: 28, height: 6)
    chart.isUnicode = false
    let row = chart.lines().dropFirst().first { $0.contains("*") } ?? ""
    #expect(row == "1.0 |*****             *****", "\(chart.lines())")
    let infinite = plot([curve("x", [1, .infinity, 2, -.infinity])]).lines()
    #expect(infinite.last == "Infinite values are not shown.")
    #expect(plot([curve("x", [.nan, .nan])]).lines() == ["There is no number to draw."])
    #expect(plot([]).lines() == ["There is no number to draw."])
    #expect(plot([curve("x", [5])]).lines().joined().unicodeScalars.contains { $0.value > 0x2800 })
  }

  @Test("by powers of ten, with what cannot be shown left out")
  func logarithmic() {
    var chart = plot([curve("loss", [1_000, 100, 10, 1, 0, -1])], height: 12)
    chart.isLog = true
    let lines = chart.lines()
    for label in ["1000 ┤", "100 ┤", "10 ┤", " 1 ┤"] {
      #expect(lines.contains { $0.contains(label) }, "\(label)\n\(lines.joined(separator: "\n"))")
    }
    #expect(lines.last == "Values of 0 and below are not shown.")
    chart.curves = [curve("loss", [0, -1])]
    #expect(chart.lines() == ["There is no number above 0 to draw."])
  }

  @Test("a bucket is drawn from its minimum to its maximum")
  func buckets() {
    let points = (0..<20).map {
      Plot.Point(x: Double($0), first: 5, last: 5, low: $0 == 10 ? 0 : 5, high: $0 == 10 ? 9 : 5)
    }
    var chart = plot([Plot.Curve(name: "x", points: points)], height: 13)
    chart.isUnicode = false
    let rows = chart.lines().dropFirst().prefix(10)
    #expect(rows.allSatisfy { $0.contains("*") }, "\(chart.lines())")
  }

  @Test("never wider or higher than asked, whatever the numbers")
  func bounds() {
    var numbers = SeededNumbers(seed: 3)
    let extremes = [
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 0, -0.0, 1e-300, .nan,
      .infinity, 1, 1e15, 1e15 + 1,
    ]
    for _ in 0..<2_000 {
      let count = Int.random(in: 0...12, using: &numbers)
      let curves = (0..<Int.random(in: 1...3, using: &numbers)).map { index in
        Plot.Curve(
          name: "c\(index)",
          points: (0..<count).map { place in
            let value = extremes[Int.random(in: 0..<extremes.count, using: &numbers)]
            let other = extremes[Int.random(in: 0..<extremes.count, using: &numbers)]
            return Plot.Point(
              x: Double(place) * (Bool.random(using: &numbers) ? 1 : 9e18), first: value, last: other,
              low: min(value, other), high: max(value, other))
          })
      }
      let (width, height) = (
        Int.random(in: 30...90, using: &numbers), Int.random(in: Plot.lowest...30, using: &numbers)
      )
      let chart = Plot(
        curves: curves, width: width, height: height, isLog: Bool.random(using: &numbers),
        isUnicode: Bool.random(using: &numbers), isColored: false)
      let lines = chart.lines()
      // Narrow legends take lines of their own, and so do two notes.
      #expect(lines.count <= height + 4)
      #expect(lines.dropFirst().allSatisfy { $0.count <= max(width, 50) }, "\(lines)")
    }
  }

  @Test("ticks are round and tell each other apart")
  func ticks() {
    #expect(PlotScale(low: 0, high: 40).ticks(about: 4) == [0, 10, 20, 30, 40])
    #expect(PlotScale(low: -1, high: 1).ticks(about: 4) == [-1, -0.5, 0, 0.5, 1])
    #expect(PlotScale.labels([-1, -0.5, 0, 0.5, 1]) == ["-1.0", "-0.5", "0.0", "0.5", "1.0"])
    #expect(PlotScale.labels([0, 1_000_000, 2_000_000]) == ["0", "1e6", "2e6"])
    #expect(PlotScale.labels([0.0001, 0.00015]) == ["1.0e-4", "1.5e-4"])
    #expect(PlotScale(low: 1, high: 1e6, isLog: true).ticks(about: 8).count == 7)
    #expect(PlotScale(low: 2, high: 6, isLog: true).ticks(about: 4) == [2, 5])
    #expect(PlotScale(low: 3, high: 3).ticks(about: 4).contains(3))
  }
}

private enum Golden {
  static let braille = [
    "━ loss 40",
    "40 ┤                              ⣀⡠⠤⠔⠒⠉",
    "   │                       ⢀⣀⡠⠤⠒⠒⠉",
    "20 ┤                 ⢀⣀⠤⠤⠒⠊⠁",
    "   │            ⣀⠤⠔⠒⠊⠁",
    "   │      ⡠⠤⠔⠒⠊⠉",
    " 0 ┤⡠⠤⠔⠒⠉⠉",
    "   └┬─────────────────┬────────────────┬",
    "    0                20               40",
  ]

  static let marks = [
    "* train 0   + val 15",
    "   |*****",
    "   |     *******",
    "20 |            *******                +",
    "   |                   **++++++++++++++",
    "   |       ++++++++++++++     *******",
    " 0 |+++++++                          ***",
    "   ++----------------------+------------",
    "    0                     20",
  ]
}
