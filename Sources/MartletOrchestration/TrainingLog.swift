// The metrics file of ghost's trainer: a JSON list of entries, one an evaluation.

import Foundation
import MartletModel
import MartletSeries
import MartletTracking
import OrderedCollections

enum TrainingLog {
  /// The entries of `training_log.json` as rows: `step` is the step, all else is logged as it is. An absent file has
  /// none; one that cannot be read says why, and has those before the fault.
  static func batches(path: String) -> (batches: [RowBatch], problem: String?) {
    let read = rows(path: path)
    let rows = read.rows
    var problem = read.problem
    var batches: [RowBatch] = []
    for start in stride(from: 0, to: rows.count, by: 1_000) {
      do throws(Problem) {
        batches.append(try RowBatch(Array(rows[start..<min(start + 1_000, rows.count)])))
      } catch {
        problem = error.description
        break
      }
    }
    return (batches, problem)
  }

  private static func rows(path: String) -> (rows: [LogRow], problem: String?) {
    guard FileManager.default.fileExists(atPath: path) else { return ([], nil) }
    do {
      let url = URL(fileURLWithPath: path)
      let json = try JSONValue.parse(try Data(contentsOf: url))
      guard let entries = json.array else {
        return ([], "must hold a list of entries, not \(json.kindInWords)")
      }
      let written = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
      let time = Timestamp(microseconds: Int64((written ?? Date()).timeIntervalSince1970 * 1e6))
      var rows: [LogRow] = []
      for (index, entry) in entries.enumerated() {
        guard var values = entry.object else { return (rows, "entry \(index) is no object") }
        let step = values.removeValue(forKey: "step")?.int
        rows.append(try LogLines.row(values: values, sequence: Int64(index), step: step, time: time))
      }
      return (rows, nil)
    } catch {
      return ([], "\(error)")
    }
  }
}
