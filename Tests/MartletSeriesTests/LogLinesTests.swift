// The body of a log request: rows, or the first line that is none.

import MartletModel
import MartletSeries
import OrderedCollections
import Testing

@Suite struct LogLinesTests {
  private func decode(_ text: String) throws -> [LogRow] {
    try LogLines.decode(Array(text.utf8), now: noon).rows()
  }

  @Test func numbersAndOthersAreParted() throws {
    let rows = try decode(
      #"""
      {"seq": 3, "step": 7, "time": 12, "values": {"loss": 0.5, "note": "text", "n": 2, "ok": true, "list": [1, 1.0]}}

      {"values": {"none": null, "deep": {"a": 1}, "number": "NaN"}, "seq": 4, "step": -9223372036854775808}
      """#)
    #expect(
      rows == [
        LogRow(
          sequence: 3, step: 7, time: Timestamp(microseconds: 12), numbers: [("loss", 0.5), ("n", 2)],
          others: [("note", "text"), ("ok", true), ("list", [1, 1.0])]),
        LogRow(
          sequence: 4, step: .min, time: noon, numbers: [],
          others: [("none", nil), ("deep", ["a": 1]), ("number", "NaN")]),
      ])
  }

  @Test func missingStepAndTime() throws {
    let rows = try decode("{\"seq\":0,\"values\":{\"a\":1}}\r\n{\"seq\":1,\"step\":null,\"values\":{}}\r\n")
    #expect(rows.map(\.step) == [nil, nil])
    #expect(rows.map(\.time) == [noon, noon])
    #expect(rows.map(\.numbers.count) == [1, 0])
  }

  @Test func wordsForNumbersThatJSONLacks() throws {
    let row = try #require(
      try decode(#"{"seq": 0, "values": {"a": NaN, "b": Infinity, "c": -Infinity, "d": -0.0, "e": 5e-324}}"#)
        .first)
    #expect(row.others.isEmpty)
    #expect(row.numbers.map(\.name) == ["a", "b", "c", "d", "e"])
    #expect(row.numbers[0].value.isNaN)
    #expect(row.numbers[1].value == .infinity)
    #expect(row.numbers[2].value == -.infinity)
    #expect(row.numbers[3].value.bitPattern == (-0.0).bitPattern)
    #expect(row.numbers[4].value == .leastNonzeroMagnitude)
  }

  @Test(arguments: [
    ("{", "value|key"), ("[]", "must be an object"), ("5", "must be an object"), ("{}", "'seq' is missing"),
    (#"{"seq": 1}"#, "'values' is missing"), (#"{"seq": 1, "values": null}"#, "'values' is missing"),
    (#"{"seq": 1, "values": [1]}"#, "'values' must be an object, not a list"),
    (#"{"seq": -1, "values": {}}"#, "'seq' must not be negative"),
    (#"{"seq": 9223372036854775807, "values": {}}"#, "'seq' must not be negative"),
    (#"{"seq": 1.5, "values": {}}"#, "'seq' must be a whole number"),
    (#"{"seq": "1", "values": {}}"#, "'seq' must be a whole number, not a string"),
    (#"{"seq": 1, "step": "x", "values": {}}"#, "'step' must be a whole number, not a string"),
    (#"{"seq": 1, "step": 1e300, "values": {}}"#, "'step' must be a whole number"),
    (#"{"seq": 1, "time": true, "values": {}}"#, "'time' must be a whole number"),
    (#"{"seq": 1, "values": {"": 1}}"#, "a name of 0 bytes"),
    (#"{"seq": 1, "values": {"a\u0000": 1}}"#, "a control character"),
    (#"{"seq": 1, "values": {"\u001b[31m": true}}"#, "a control character"),
    (#"{"seq": 1, "values": {"x\u007f": 1}}"#, "a control character"),
    (#"{"seq": 1, "values": {}, "setp": 1}"#, "'setp' is not known here; did you mean 'step'?"),
    (#"{"seq": 2, "values": {}}"#, "must be 1, one more than in the line before, not 2"),
    (#"{"seq": 0, "values": {}}"#, "must be 1, one more than in the line before, not 0"),
    (#"{"seq": 1, "values": {}} x"#, "more text"), ("\u{1}\u{7F}", "a value was expected"),
  ])
  func aWrongLineIsNamed(line: String, words: String) throws {
    let good = #"{"seq": 0, "values": {"a": 1}}"#
    let error = #expect(throws: Problem.self) { try decode("\(good)\n\n\(line)\n\(good)") }
    #expect(error?.code == .unprocessable)
    #expect(error?.details["line"] == 3)
    let message = error?.message ?? ""
    #expect(message.hasPrefix("Line 3 is no row: "))
    #expect(words.split(separator: "|").contains { message.contains($0) }, "\(message)")
  }

  @Test func theColumnOfAFlawIsGiven() {
    let error = #expect(throws: Problem.self) { try decode(#"{"seq": 0, "values": {"a": 01}}"#) }
    #expect(error?.details == ["line": 1, "column": 28])
  }

  @Test(arguments: ["", "\n", " \r\n\t\n"])
  func aBodyWithoutRows(text: String) {
    let error = #expect(throws: Problem.self) { try decode(text) }
    #expect(error?.code == .unprocessable)
    #expect(error?.message.contains("no row in the body") == true)
  }

  @Test func bytesThatAreNoText() {
    let error = #expect(throws: Problem.self) {
      try LogLines.decode(
        Array(#"{"seq": 0, "values": {""#.utf8) + [0xFF] + Array(#"": 1}}"#.utf8), now: noon)
    }
    #expect(error?.details["line"] == 1)
  }

  /// Bytes count, not characters.
  @Test(arguments: ["n", "é", "😀"])
  func namesOfUpTo512Bytes(character: String) throws {
    let width = character.utf8.count
    let longest = String(repeating: character, count: 512 / width)
    #expect(try decode(#"{"seq": 0, "values": {"\#(longest)": 1}}"#).first?.numbers.first?.name == longest)
    for value in ["1", "true"] {
      let error = #expect(throws: Problem.self) {
        try decode(#"{"seq": 0, "values": {"\#(longest)x": \#(value)}}"#)
      }
      #expect(error?.message.contains("a name of 513 bytes; 1 to 512 are allowed") == true)
    }
  }
}
