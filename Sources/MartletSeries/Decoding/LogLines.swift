// The body of POST /runs/:run/log: JSON lines to columns.

public import MartletModel
public import OrderedCollections

public enum LogLines {
  /// Reads one row a line; empty lines are passed over.
  ///
  /// Numbers become the nearest doubles, `seq`, `step` and `time` stay exact. Strings, lists, objects, true, false and null become
  /// compact JSON; numbers in them keep their spelling. Of a member that is given twice, the later one stands.
  ///
  /// - Parameters:
  ///   - body: UTF-8; fewer than 2^31 bytes.
  ///   - now: the time of rows that have none.
  /// - Throws: `Problem.unprocessable` with `details` `line` and `column` (bytes, from 1) of the first flaw.
  public static func decode(_ body: UnsafeRawBufferPointer, now: Timestamp) throws(Problem) -> RowBatch {
    let text = body.bindMemory(to: UInt8.self)
    guard let start = text.baseAddress else { throw SlowLine.noRow }
    return try FloatParser.with { (parser) throws(Problem) in
      var reader = LineReader(start: start, count: text.count, now: now, parser: parser)
      return try reader.read()
    }
  }

  /// The same from an array.
  public static func decode(_ body: [UInt8], now: Timestamp) throws(Problem) -> RowBatch {
    try body.withUnsafeBufferPointer { (bytes) throws(Problem) in
      try decode(UnsafeRawBufferPointer(bytes), now: now)
    }
  }

  /// One row of values: numbers parted from everything else.
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
