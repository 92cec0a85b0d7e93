// The body of POST /runs/:run/log: JSON lines to rows.

package import MartletModel
import MartletStore
import OrderedCollections

package enum LogLines {
  /// Bytes of UTF-8 in a metric's name, at most.
  package static let nameLimit = 512

  /// Reads one row a line; empty lines are passed over.
  ///
  /// - Throws: `Problem` `unprocessable` with `details.line` for the first line that is wrong, so that none is stored.
  package static func decode(_ body: [UInt8], now: Timestamp) throws(Problem) -> [LogRow] {
    var rows: [LogRow] = []
    for (index, line) in body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .enumerated()
    {
      guard line.contains(where: { $0 > 0x20 }) else { continue }
      let number = index + 1
      let json: JSONValue
      do {
        json = try JSONValue.parse(line)
      } catch {
        throw problem(number, error.message, column: error.column)
      }
      do throws(JSONMemberError) {
        let row = try row(json, now: now)
        if let last = rows.last, row.sequence != last.sequence + 1 {
          throw JSONMemberError(
            key: "seq",
            message: "must be \(last.sequence + 1), one more than in the line before, not \(row.sequence)")
        }
        rows.append(row)
      } catch {
        throw problem(number, error.description, column: nil)
      }
    }
    guard !rows.isEmpty else { throw problem(1, "there is no row in the body", column: nil) }
    return rows
  }

  private static func problem(_ line: Int, _ message: String, column: Int?) -> Problem {
    Problem(
      .unprocessable, "Line \(line) is no row: \(message).",
      hint: #"A row is {"seq": 0, "step": 0, "time": 1790000000000000, "values": {"loss": 0.5}}."#,
      details: ["line": JSONValue(line), "column": JSONValue(column)])
  }

  private static func row(_ json: JSONValue, now: Timestamp) throws(JSONMemberError) -> LogRow {
    let reader = try JSONReader(json, path: "")
    try reader.allowOnly(["seq", "step", "time", "values"])
    let sequence = try reader.requiredInt("seq")
    guard sequence >= 0, sequence < .max else {
      throw JSONMemberError(key: "seq", message: "must not be negative")
    }
    let time = try reader.int("time").map(Timestamp.init(microseconds:)) ?? now
    let step = try reader.int("step")
    let values = try reader.required("values", reader.object("values"))
    return try row(values: values, sequence: sequence, step: step, time: time)
  }

  /// What forbids this name of a metric; nil: nothing.
  static func fault(ofName name: String) -> String? {
    if name.isEmpty || name.utf8.count > nameLimit {
      return "holds a name of \(name.utf8.count) bytes; 1 to \(nameLimit) are allowed"
    }
    if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
      return "holds a name with a control character"
    }
    return nil
  }

  /// Parts numbers from everything else.
  package static func row(
    values: JSONObject, sequence: Int64, step: Int64?, time: Timestamp
  ) throws(JSONMemberError) -> LogRow {
    var row = LogRow(sequence: sequence, step: step, time: time, numbers: [], others: [])
    for (raw, value) in values {
      let name = raw.inNormalForm
      if let fault = fault(ofName: name) { throw JSONMemberError(key: "values", message: fault) }
      switch value {
      case .int(let number): row.numbers.append((name, Double(number)))
      case .double(let number): row.numbers.append((name, number))
      case .null, .bool, .string, .array, .object: row.others.append((name, value))
      }
    }
    return row
  }
}
