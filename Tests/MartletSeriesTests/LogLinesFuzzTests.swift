// The reader of JSON lines beside a plain one that goes by way of JSON documents.

import MartletModel
import MartletSeries
import MartletTestSupport
import OrderedCollections
import Testing

/// What a body means: its rows, or the first line that is none.
private enum Meaning: Equatable {
  case rows([LogRow])
  case refusal(line: Int?, message: String)
}

/// Reads a body in the plainest way.
private func reference(_ body: [UInt8]) -> Meaning {
  var rows: [LogRow] = []
  for (index, line) in body.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
    guard line.contains(where: { $0 > 0x20 }) else { continue }
    func refused(_ message: String) -> Meaning {
      .refusal(line: index + 1, message: "Line \(index + 1) is no row: \(message).")
    }
    do {
      let reader = try JSONReader(try JSONValue.parse(line))
      try reader.allowOnly(["seq", "step", "time", "values"])
      let sequence = try reader.requiredInt("seq")
      guard sequence >= 0, sequence < .max else { return refused("'seq' must not be negative") }
      let time = try reader.int("time").map(Timestamp.init(microseconds:)) ?? noon
      let step = try reader.int("step")
      let values = try reader.required("values", reader.object("values"))
      var row = try LogLines.row(values: values, sequence: sequence, step: step, time: time)
      // As it is kept: NaN in a list is the word for it.
      row.others = try row.others.map { ($0.name, try JSONValue.parse($0.value.bytes())) }
      if let last = rows.last, row.sequence != last.sequence + 1 {
        return refused(
          "'seq' must be \(last.sequence + 1), one more than in the line before, not \(row.sequence)")
      }
      rows.append(row)
    } catch let error as JSONSyntaxError {
      return refused(error.message)
    } catch {
      return refused("\(error)")
    }
  }
  return rows.isEmpty
    ? .refusal(line: 1, message: "Line 1 is no row: there is no row in the body.") : .rows(sorted(rows))
}

private func decoded(_ body: [UInt8]) throws -> Meaning {
  try withGuard(body) { bytes in
    do throws(Problem) {
      return .rows(sorted(try LogLines.decode(bytes, now: noon).rows()))
    } catch {
      #expect(error.code == .unprocessable)
      #expect(error.details["column"]?.int ?? 0 >= 1)
      return .refusal(line: error.details["line"]?.int.map { Int($0) }, message: error.message)
    }
  }
}

/// Bodies with everything in them that JSON allows.
private struct BodyWriter {
  var dice: SeededNumbers
  var isUsual: Bool

  mutating func body() -> [UInt8] {
    isUsual = dice.chance(1, in: 3)
    let first =
      dice.chance(1, in: 8)
      ? Int64.max - Int64.random(in: 1...4, using: &dice) : Int64.random(in: 0...9, using: &dice)
    var out: [UInt8] = []
    for row in 0..<Int64.random(in: 1...6, using: &dice) {
      out += line(sequence: first &+ row).utf8
      out += (dice.chance(1, in: 10) ? dice.pick(["\r\n", "\n\n", " \n\t\n", "\n\u{1}\n"]) : "\n").utf8
    }
    if dice.chance(1, in: 4) { out.removeLast() }
    return out
  }

  private mutating func space() -> String {
    isUsual || dice.chance(3, in: 4) ? "" : dice.pick([" ", "  ", "\t", "\r", " \t "])
  }

  private mutating func line(sequence: Int64) -> String {
    var members = ["\"seq\"\(space()):\(space())\(sequence)", "\"values\":\(space())\(values())"]
    if dice.chance(3, in: 4) { members.append("\"step\"\(space()):\(step())") }
    if dice.chance(3, in: 4) {
      members.append("\"time\":\(space())\(dice.pick(["1", "null", "-5", "1790000000000001", "2e3"]))")
    }
    if dice.chance(1, in: 30) {
      members.append(dice.pick(["\"step\":1", "\"seq\":0", "\"x\":1", "\"st\\u0065p\":7"]))
    }
    if !isUsual { members.shuffle(using: &dice) }
    let text = "{" + members.map { "\(space())\($0)\(space())" }.joined(separator: ",") + "}"
    return dice.chance(1, in: 40) ? "\u{FEFF}" + text : space() + text + space()
  }

  private mutating func step() -> String {
    dice.pick([
      "0", "7", "-1", "null", "9223372036854775807", "-9223372036854775808", "9007199254740993", "1.0",
      "\(dice.next() >> 1)",
    ])
  }

  private mutating func values() -> String {
    if isUsual {
      return "{"
        + (0..<dice.pick([2, 3, 3, 3])).map {
          "\"name/\($0)\":\(dice.chance(1, in: 9) ? value(0) : "\(dice.next() >> 40)e-3")"
        }.joined(separator: ",") + "}"
    }
    var members: [String] = []
    for _ in 0..<Int.random(in: 0...5, using: &dice) {
      members.append("\(name())\(space()):\(space())\(value(0))")
    }
    return "{\(space())" + members.joined(separator: "\(space()),\(space())") + "\(space())}"
  }

  private mutating func name() -> String {
    dice.pick([
      "\"a\"", "\"b\"", "\"loss\"", "\"train/loss\"", "\"a longer name than a word\"", "\"\\u0061\"", "\"é\"",
      "\"e\u{301}\"", "\"\\u00e9\"", "\"a\\\"b\"",
      "\"😀\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"a\\/b\"", "\"a/b\"",
      dice.chance(1, in: 9) ? "\"\"" : "\"c\"",
      dice.chance(1, in: 9) ? "\"\\n\"" : "\"d\"", dice.chance(1, in: 9) ? "\"\u{7F}\"" : "\"e\"",
    ])
  }

  private mutating func value(_ depth: Int) -> String {
    switch Int.random(in: 0..<(depth < 3 ? 12 : 9), using: &dice) {
    case 0: return "\(Double(bitPattern: dice.next()).isFinite ? Double.random(in: -9...9, using: &dice) : 0)"
    case 1:
      return dice.pick([
        "0", "-0", "-0.0", "1", "0.5", "1e5", "1E-7", "1e999", "-1e999", "123456789012345678901234567890",
      ])
    case 2: return dice.pick(["NaN", "Infinity", "-Infinity"])
    case 3: return dice.pick(["true", "false", "null"])
    case 4: return "\(Int64(bitPattern: dice.next()))"
    case 5: return "\(Float(bitPattern: UInt32(truncatingIfNeeded: dice.next()) & 0xBFFF_FFFF))"
    case 6, 7: return string()
    case 8: return "\(dice.next() >> 20).\(dice.next())"
    case 9, 10:
      return "[\(space())"
        + (0..<Int.random(in: 0...3, using: &dice)).map { _ in value(depth + 1) }.joined(
          separator: "\(space()),\(space())") + "\(space())]"
    default:
      return "{\(space())"
        + (0..<Int.random(in: 0...3, using: &dice)).map { _ in
          "\(name())\(space()):\(space())\(value(depth + 1))"
        }.joined(separator: "\(space()),\(space())") + "\(space())}"
    }
  }

  private mutating func string() -> String {
    dice.pick([
      "\"\"", "\"text\"", "\"two\\nlines\"", "\"tab\\t\"", "\"\\u00e9\\\\\\\"\"", "\"naïve\"", "\"\u{7F}\"",
      "\"\\ud83d\\ude00\"", "\"\\udc00\"",
      "\"NaN\"", "\"a\\/b\"", "\"{[,]}\"", "\"bad \\x\"", "\"\\u12\"",
    ])
  }
}

@Suite struct LogLinesFuzzTests {
  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func meansWhatThePlainReaderSays(seed: UInt64) throws {
    var writer = BodyWriter(dice: SeededNumbers(seed: seed), isUsual: false)
    var accepted = 0
    for _ in 0..<150 {
      let body = writer.body()
      let expected = reference(body)
      if case .rows = expected { accepted += 1 }
      try same(body, expected)
      let changed = damaged(body, &writer.dice)
      try same(changed, reference(changed))
    }
    // Else the bodies would test refusals only.
    #expect(accepted > 40)
  }

  private func same(_ body: [UInt8], _ expected: Meaning) throws {
    let got = try decoded(body)
    #expect(got == expected, "\(String(decoding: body, as: UTF8.self))")
  }

  @Test func cutAtEveryByte() throws {
    let body = Array(
      """
      {"seq": 0, "step": 1, "time": 2, "values": {"loss": 0.123456789012, "n\\u00e9": [1, {"a": "é"}], "b": NaN}}
      {"seq": 1, "step": 2, "time": 3, "values": {"loss": -1.5e-7, "n\\u00e9": "text", "b": -Infinity}}

      """.utf8)
    for length in 0...body.count {
      try same(Array(body.prefix(length)), reference(Array(body.prefix(length))))
    }
  }

  @Test(arguments: [1, 2, 3, 509, 510, 511, 600])
  func depth(levels: Int) throws {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      let value = String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
      let body = Array("{\"seq\":0,\"values\":{\"v\":\(value)}}".utf8)
      let got = try decoded(body)
      #expect(got == reference(body))
      if case .rows = got { #expect(levels <= 510) } else { #expect(levels > 510) }
    }
  }

  /// Shapes that change, names that come late and go: columns say which rows have them.
  @Test func columnsAcrossShapes() throws {
    var dice = SeededNumbers(seed: 3)
    var body = ""
    for row in 0..<3_000 {
      let names =
        row < 1_000
        ? ["a", "b", "c"]
        : dice.chance(1, in: 3)
          ? ["b", "d"] : ["a", "b", "c", "d", "e"].filter { _ in dice.chance(2, in: 3) }
      body +=
        "{\"seq\":\(row),\"step\":\(row),\"values\":{\(names.map { "\"\($0)\":\(row)" }.joined(separator: ","))}}\n"
    }
    let batch = try LogLines.decode(Array(body.utf8), now: noon)
    #expect(batch.numbers.map(\.name) == ["a", "b", "c", "d", "e"])
    for column in batch.numbers {
      #expect(column.values == column.rows.indices(of: 3_000).map { Double($0) }, "\(column.name)")
    }
    #expect(.rows(sorted(batch.rows())) == reference(Array(body.utf8)))
  }

  @Test func theColumnOfAMemberIsGiven() {
    func column(_ line: String) -> Int64? {
      let error = #expect(throws: Problem.self) { try LogLines.decode(Array(line.utf8), now: noon) }
      return error?.details["column"]?.int
    }
    #expect(column(#"{"values": {"a": "\"seq\": {"}, "seq": -1}"#) == 33)
    #expect(column(#"{"seq": 0, "values": {"": 1}}"#) == 12)
    #expect(column(#"{"seq": 0, "step": "x", "values": {"step": 1}}"#) == 12)
    #expect(column(#"{"seq": 0}"#) == 1)
    #expect(column(" \u{2}\n{\"seq\": 0, \"values\": 1}") == 12)
  }
}
