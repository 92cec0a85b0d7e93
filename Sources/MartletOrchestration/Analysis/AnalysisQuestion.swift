// What an analysis of a sweep is asked for.

import MartletFormats
package import MartletModel
import MartletSearch
import OrderedCollections

/// One of the objectives, and charts beside what an analysis always tells.
package struct AnalysisQuestion: Sendable, Hashable {
  /// Its place among those of the sweep, or its metric's name; nil: the first.
  package var objective: String?
  package var charts: Set<AnalysisChart>
  /// The parameters that charts of two have; nil: those that matter most.
  package var x: String?
  package var y: String?

  /// - Parameter charts: names with commas between.
  /// - Throws: `Problem.unprocessable` for a chart that there is not, and for parameters of charts that are not asked for.
  package init(
    objective: String? = nil, charts: String? = nil, x: String? = nil, y: String? = nil
  ) throws(Problem) {
    self.objective = objective
    self.charts = []
    for part in (charts ?? "").split(separator: ",") {
      guard let chart = AnalysisChart(rawValue: String(part)) else { throw Self.unknown(String(part)) }
      self.charts.insert(chart)
    }
    (self.x, self.y) = (x, y)
    if let given = x != nil ? "x" : y != nil ? "y" : nil, !self.charts.contains(where: \.isOfTwoParameters) {
      throw Problem(
        .unprocessable,
        "'\(given)' names a parameter of the charts contour and rank: neither is asked for.",
        details: ["key": .string(given)])
    }
    if let x, x == y {
      throw Problem(
        .unprocessable, "'x' and 'y' are both '\(x.prefix(100))': a chart of two parameters takes two.",
        details: ["key": "y"])
    }
  }

  private static func unknown(_ name: String) -> Problem {
    let known = AnalysisChart.allCases.map(\.rawValue)
    return Problem(
      .unprocessable, "There is no chart '\(name.prefix(100))'.",
      hint: hint(String(name.prefix(100)), known, "Known are"), details: ["key": "charts"])
  }

  private static func hint(_ name: String, _ known: [String], _ words: String) -> String {
    let near = nearest(to: name, in: known).map { "Did you mean '\($0)'? " } ?? ""
    return near + "\(words) \(known.joined(separator: ", "))."
  }

  /// What is meant in a sweep with this file.
  ///
  /// - Throws: `Problem.unprocessable` for an objective or a parameter that the sweep has not.
  func resolved(
    in specification: SweepSpecification, of sweep: PublicID
  ) throws(Problem) -> SweepFindings.Question {
    var question = SweepFindings.Question(
      objective: try place(in: specification.objectives, of: sweep), charts: charts)
    guard x != nil || y != nil else { return question }
    let cube = UnitCube(specification.space)
    let names = cube.axes.indices.map { cube.parameter(of: $0).name }
    for (key, name) in [("x", x), ("y", y)] {
      guard let name, !names.contains(name) else { continue }
      throw Problem(
        .unprocessable, "Sweep '\(sweep)' searches no parameter '\(name.prefix(100))'.",
        hint: Self.hint(String(name.prefix(100)), names, "It searches"), details: ["key": .string(key)])
    }
    (question.x, question.y) = (x, y)
    return question
  }

  private func place(in objectives: [Objective], of sweep: PublicID) throws(Problem) -> Int {
    guard let objective else { return 0 }
    let names = objectives.map(\.metric)
    if let place = names.firstIndex(of: objective) { return place }
    if let place = Int(objective), objectives.indices.contains(place) { return place }
    let count = objectives.count
    let has = count == 1 ? "one objective" : "\(count) objectives"
    if Int(objective) != nil {
      throw Problem(
        .unprocessable, "Sweep '\(sweep)' has \(has): there is none at place \(objective.prefix(20)).",
        hint: "Places count from 0.", details: ["key": "objective"])
    }
    throw Problem(
      .unprocessable, "Sweep '\(sweep)' has no objective '\(objective.prefix(100))'.",
      hint: Self.hint(String(objective.prefix(100)), names, "It has"), details: ["key": "objective"])
  }
}
