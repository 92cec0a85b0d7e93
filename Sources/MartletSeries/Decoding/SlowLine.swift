// A line by way of a JSON document: complete, and able to say what is wrong with it.

import MartletModel
import OrderedCollections

/// One line of a body, read with the parser of JSON documents.
struct SlowLine {
  private let bytes: [UInt8]
  /// Counts lines, which is worth it only when one is wrong.
  private let number: () -> Int

  /// - Parameters:
  ///   - bytes: without the line feed.
  ///   - number: from 1.
  init(_ bytes: [UInt8], number: @escaping () -> Int) {
    self.bytes = bytes
    self.number = number
  }

  /// - Parameters:
  ///   - now: microseconds; the time of a row that has none.
  ///   - previous: the number of the row before; nil: there is none.
  /// - Throws: `Problem.unprocessable` with `details` `line` and `column`.
  func row(now: Int64, following previous: Int64?) throws(Problem) -> LogRow {
    let json: JSONValue
    do {
      json = try JSONValue.parse(bytes)
    } catch {
      throw Self.problem(number(), error.message, column: error.column)
    }
    do throws(JSONMemberError) {
      let row = try Self.row(json, now: Timestamp(microseconds: now))
      if let previous, row.sequence != previous + 1 {
        throw JSONMemberError(
          key: "seq",
          message: "must be \(previous + 1), one more than in the line before, not \(row.sequence)")
      }
      return row
    } catch {
      throw Self.problem(number(), error.description, column: column(of: error.key))
    }
  }

  static var noRow: Problem { problem(1, "there is no row in the body", column: 1) }

  private static func problem(_ line: Int, _ message: String, column: Int) -> Problem {
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
    return try LogLines.row(values: values, sequence: sequence, step: step, time: time)
  }

  /// Where the line's last member of this name begins, from 1; 1 when it has none.
  private func column(of key: String) -> Int {
    var found = 1
    var depth = 0
    var begin: Int?
    var at = 0
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: "\""):
        begin = at
        at += 1
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
          at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
        }
      case UInt8(ascii: ":") where depth == 1:
        if let begin, at > begin, (try? JSONValue.parse(bytes[begin..<at]))?.string == key {
          found = begin + 1
        }
      default: break
      }
      at += 1
    }
    return found
  }
}
