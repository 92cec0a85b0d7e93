// The body of POST /runs/:run/log: JSON lines to columns.

public import MartletModel
public import OrderedCollections

public enum LogLines {
  /// Reads one row a line; empty lines are passed over.
  ///
  /// - Parameters:
  ///   - body: UTF-8; at most as many rows as an Int32 counts.
  ///   - now: the time of rows that have none.
  /// - Throws: `Problem.unprocessable` with `details` `line` and `column` (bytes, from 1) of the first flaw.
  public static func decode(_ body: UnsafeRawBufferPointer, now: Timestamp) throws(Problem) -> RowBatch {
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
    return try RowBatch(rows)
  }

  /// The same from an array.
  public static func decode(_ body: [UInt8], now: Timestamp) throws(Problem) -> RowBatch {
    try body.withUnsafeBufferPointer { (bytes) throws(Problem) in
      try decode(UnsafeRawBufferPointer(bytes), now: now)
    }
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

  /// Parts numbers from everything else.
  ///
  /// - Throws: `JSONMemberError` for a name that is not allowed.
  public static func row(
    values: JSONObject, sequence: Int64, step: Int64?, time: Timestamp
  ) throws(JSONMemberError) -> LogRow {
    var row = LogRow(sequence: sequence, step: step, time: time, numbers: [], others: [])
    for (raw, value) in values {
      let name = raw.inNormalForm
      if let fault = MetricName.fault(of: name) { throw JSONMemberError(key: "values", message: fault) }
      switch value {
      case .int(let number): row.numbers.append((name, Double(number)))
      case .double(let number): row.numbers.append((name, number))
      case .null, .bool, .string, .array, .object: row.others.append((name, value))
      }
    }
    return row
  }
}
