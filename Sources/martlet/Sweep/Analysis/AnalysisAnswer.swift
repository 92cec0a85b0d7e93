// An analysis of a sweep as the API tells it, read.

import Foundation
import MartletModel
import MartletSearch
import OrderedCollections

/// What `GET /sweeps/:sweep/analysis` answers.
struct AnalysisAnswer {
  let json: JSONValue

  var statements: [String] { json["progress"]?["statements"]?.array?.compactMap(\.string) ?? [] }

  /// The objectives' metrics.
  var metrics: [String] { objectives.map { $0["name"]?.string ?? "" } }

  private var objectives: [JSONValue] { json["objectives"]?.array ?? [] }

  private var place: Int { Int(json["objective"]?.int ?? 0) }

  /// The metric that it is about.
  var metric: String { metrics.indices.contains(place) ? metrics[place] : "" }

  var isMaximized: Bool {
    objectives.indices.contains(place)
      && objectives[place]["goal"]?.string == Objective.Goal.maximize.rawValue
  }

  var leftOut: [String] { json["left_out"]?.array?.compactMap(\.string) ?? [] }

  /// A chart; nil: it was not asked for, or there cannot be one.
  func chart(_ chart: AnalysisChart) -> JSONValue? {
    json["charts"]?[chart.rawValue].flatMap { $0.isNull ? nil : $0 }
  }

  /// Why a chart is not there, or what it lacks.
  func note(_ chart: AnalysisChart) -> String? { json["chart_notes"]?[chart.rawValue]?.string }
}

/// Columns of an answer.
extension JSONValue {
  /// What is no number is NaN.
  func numbers(_ key: String) -> [Double] { (self[key]?.array ?? []).map { $0.double ?? .nan } }

  func integers(_ key: String) -> [Int] { (self[key]?.array ?? []).map { Int($0.int ?? 0) } }

  func texts(_ key: String) -> [String] { (self[key]?.array ?? []).map { $0.string ?? "" } }

  func flags(_ key: String) -> [Bool] { (self[key]?.array ?? []).map { $0.bool ?? false } }

  func values(_ key: String) -> [JSONValue] { self[key]?.array ?? [] }
}

/// An axis of a chart.
struct ChartAxis {
  let name: String
  let isCategory: Bool
  let isLogarithmic: Bool
  /// Values at equal distances, of a category all.
  let grid: [JSONValue]

  init(_ axis: JSONValue?, grid: [JSONValue]) {
    name = axis?["name"]?.string ?? ""
    isCategory = axis?["kind"]?.string == "category"
    isLogarithmic = axis?["scale"]?.string == "log"
    self.grid = grid
  }

  /// With its scale where that is not plain.
  var title: String { isLogarithmic ? "\(name) (log)" : name }

  /// The place in the grid that is nearest to a value; nil: it is none of a category.
  func place(of value: JSONValue) -> Int? {
    if isCategory {
      return grid.firstIndex(of: value)
        ?? value.double.flatMap { number in grid.firstIndex { $0.double == number } }
    }
    guard let number = value.double.map(scaled) else { return nil }
    let distances = grid.map { abs(($0.double.map(scaled) ?? .nan) - number) }
    return distances.indices.filter { !distances[$0].isNaN }.min { distances[$0] < distances[$1] }
  }

  private func scaled(_ value: Double) -> Double { isLogarithmic ? value.logarithm : value }

  /// Every value, where there are few; else none.
  var names: [String]? { grid.count <= 8 ? grid.map(Words.value) : nil }

  var ends: (String, String) { (Words.value(grid.first), Words.value(grid.last)) }
}

extension Double {
  /// To the base of ten; of what has none the number nearest to it that has.
  var logarithm: Double { self > 0 ? Foundation.log10(self) : -324 }
}
