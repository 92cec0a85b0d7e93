// The trials of an analysis as rows.

import MartletModel
import OrderedCollections

/// A row for each trial that ended: what it was given, what it came to, and how it stands.
struct TrialRows {
  let titles: [String]
  let rows: [[JSONValue]]

  /// Nil: the answer has no trials.
  init?(_ answer: AnalysisAnswer) {
    guard let chart = answer.chart(.trials) else { return nil }
    let parameters = chart["parameters"]?.object ?? [:]
    let metrics = answer.metrics
    let own = ["trial", "state", "feasible", "outside"]
    let standing = ["best", "rank"]
    // A parameter that is called like another column says what it is, and a metric too.
    var taken = Set(own + standing)
    func titled(_ names: [String], _ kind: String) -> [String] {
      names.map { name in
        var title = name
        while !taken.insert(title).inserted { title = "\(kind).\(title)" }
        return title
      }
    }
    titles = own + titled(Array(parameters.keys), "parameter") + titled(metrics, "metric") + standing
    let columns =
      ["trials", "states", "feasible", "outside"].map(chart.values) + parameters.values.map { $0.array ?? [] }
      + chart.values("metrics").map { $0.array ?? [] } + ["best", "rank"].map(chart.values)
    rows = chart.values("trials").indices.map { place in
      columns.map { $0.indices.contains(place) ? $0[place] : .null }
    }
  }

  /// After RFC 4180, with a header.
  var csv: String {
    let lines = rows.map { row in
      CSV.line(
        row.map { value in
          switch value {
          case .null: ""
          case .string(let text): text
          case .bool, .int, .double, .array, .object: value.text
          }
        })
    }
    return CSV.line(titles) + lines.joined()
  }
}
