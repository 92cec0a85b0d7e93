// What a sweep taught, as a page of text.

import MartletModel
import MartletSearch
import OrderedCollections

/// The findings of a sweep: sentences, importances, the history of the best, and with several objectives the front.
struct SweepReport {
  /// The charts that it is made of.
  static let charts: [AnalysisChart] = [.history, .pareto]

  let answer: AnalysisAnswer

  /// The page, no line wider than `width` as long as that is 40 or more and names are short; sentences are broken between
  /// words.
  func lines(width: Int) -> [String] {
    let sections = [
      sentences.flatMap { TextPlot.broken($0, width: width) },
      ChartText(answer, width: width).history(height: 10),
      importanceLines(width), interactionLines, ChartText(answer, width: width).frontTable,
    ]
    return Array(sections.filter { !$0.isEmpty }.joined(separator: [""]))
  }

  private var importance: JSONValue? { answer.json["importance"] }
  private var parameters: [JSONValue] { importance?.values("parameters") ?? [] }

  private var sentences: [String] {
    let isSilent = parameters.isEmpty && (importance?["trials"]?.int ?? 0) > 0
    let note = isSilent ? importance?["note"]?.string : nil
    let leftOut = answer.leftOut
    return answer.statements.filter { note?.contains($0) != true } + [note].compactMap(\.self)
      + (leftOut.isEmpty
        ? []
        : ["Left out, because it would take too long for so many trials: \(leftOut.joined(separator: ", "))."])
  }

  private func importanceLines(_ width: Int) -> [String] {
    guard !parameters.isEmpty else { return [] }
    func percent(_ row: JSONValue, _ key: String) -> String { SweepAnalysis.percent(row[key]?.double ?? 0) }
    let table = TextPlot.table(
      ["parameter", "explains", "among the best", "splits", "trials"],
      parameters.map {
        [
          Terminal.plain($0["name"]?.string ?? ""), percent($0, "variance"), percent($0, "among_the_best"),
          percent($0, "impurity"), String($0["trials"]?.int ?? 0),
        ]
      })
    let wide = table.map(Table.width).max() ?? 0
    let room = width - wide - 2
    let shares = parameters.map { $0["variance"]?.double ?? 0 }
    guard room >= 8, let longest = shares.max(), longest > 0 else { return table }
    return table.enumerated().map { place, line in
      guard place > 0 else { return line }
      let bar = TextPlot.bar(shares[place - 1] / longest, width: min(room, 40))
      return bar.isEmpty ? line : line + String(repeating: " ", count: wide - Table.width(of: line) + 2) + bar
    }
  }

  private var interactionLines: [String] {
    let strong = (importance?.values("interactions") ?? []).prefix(3)
      .filter { ($0["variance"]?.double ?? 0) >= 0.01 }
    guard !strong.isEmpty else { return [] }
    return TextPlot.table(
      ["together", "explain"],
      strong.map {
        [
          Terminal.plain("\($0["first"]?.string ?? "") × \($0["second"]?.string ?? "")"),
          SweepAnalysis.percent($0["variance"]?.double ?? 0),
        ]
      })
  }
}
