// Values of metrics at steps, which are read from each run's points, once for each question.

import GRDB
import MartletModel
import MartletSeries

/// What has been read of values at steps for one question, and of which runs it is read.
final class StepValues {
  private struct Key: Hashable {
    var name: String
    var step: Int64
  }

  /// Runs whose points may be read for one metric and step.
  var limit = 5_000

  /// Conditions on `run` that hold for every run the question can be about: of others nothing is read.
  var conditions: () throws -> [SQL] = { [] }
  private var known: [Key: FieldSource] = [:]

  /// The values of a metric at a step, as a list.
  ///
  /// - Throws: `Problem.unprocessable` where too many runs have come so far; as `Answering.check`.
  func source(_ name: String, _ step: Int64, project: Int64?, _ reader: StoreReader) throws -> FieldSource {
    let key = Key(name: name, step: step)
    if let source = known[key] { return source }
    let source = FieldSource.list(try values(name, step, project: project, reader))
    known[key] = source
    return source
  }

  private func values(
    _ name: String, _ step: Int64, project: Int64?, _ reader: StoreReader
  ) throws -> [(run: Int64, value: Double)] {
    var conditions: [SQL] = ["run.purge IS NULL"] + (try conditions())
    if let project { conditions.append("run.project_id = \(project)") }
    let rows = try SQLRequest<Row>(
      literal: """
        SELECT run.id, run.public_id FROM run WHERE \(conditions.joined(separator: " AND ")) AND run.id IN (
          SELECT run_id FROM metric_summary
            WHERE key_id = (SELECT id FROM metric_key WHERE name = \(name)) AND last_step >= \(step)
          UNION SELECT run_id FROM derived_summary JOIN derived_metric ON derived_metric.id = derived_id
            WHERE name = \(name) AND last_step >= \(step))
        LIMIT \(limit + 1)
        """
    ).fetchAll(reader.db)
    guard rows.count <= limit else {
      throw Problem(
        .unprocessable, "More than \(limit) runs have come to step \(step) of '\(name)'.",
        hint:
          "Values at a step are read from each run's points: ask for one project, for runs that fewer conditions leave, or for .last, .min or .max."
      )
    }
    let window = SeriesWindow(keys: [name], buckets: 2, fromStep: step, toStep: step)
    let answering = Answering.current
    // Of all these runs together.
    let effort = DerivedEffort(until: { answering?.isLate() ?? false })
    return try rows.compactMap { row -> (run: Int64, value: Double)? in
      try answering?.check()
      guard let id = PublicID(rawValue: row[1]),
        case .raw(let values)? = try reader.series(run: id, window, effort: effort).first?.points,
        let value = values.last
      else { return nil }
      return (row[0], value)
    }
  }
}

extension FieldSource {
  /// Runs and their values, made for one question.
  fileprivate static func list(_ values: [(run: Int64, value: Double)]) -> FieldSource {
    // What JSON has no number for; SQLite reads one beyond all doubles as infinite.
    let pairs = values.map { run, value in
      "[\(run),\(value.isNaN ? "null" : value.isInfinite ? (value < 0 ? "-9e999" : "9e999") : "\(value)")]"
    }
    let list = "[\(pairs.joined(separator: ","))]"
    return FieldSource(
      table: """
        (SELECT json_extract(j.value, '$[0]') AS run_id, json_extract(j.value, '$[1]') AS value FROM json_each(\(list)) j)
        """,
      keys: "1", isThere: "1", value: "s.value", isNumber: true, index: nil,
      isSortable: "s.value IS NOT NULL",
      isList: true)
  }
}
