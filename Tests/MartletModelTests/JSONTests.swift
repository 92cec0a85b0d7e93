// The JSON reader and writer: what is kept, what is refused, and where.

import MartletModel
import OrderedCollections
import Testing

@Suite struct JSONTests {
  @Test func integersAreWrittenInFull() {
    var values: [Int64] = [0, .min, .max, .min + 1]
    var power: Int64 = 1
    for _ in 0..<18 {
      power *= 10
      values += [power - 1, power, power + 1, 1 - power, -power]
    }
    for value in values { #expect(JSONValue.int(value).text == String(value)) }
  }

  @Test(arguments: [
    "null", "true", "false", "0", "-1", "1.0", "0.1", "1e-05", "9223372036854775807", "-9223372036854775808",
    "1e+300",
    #""a\"b\\c\n\t\r\u0001é😀""#, "[]", "{}", "[1,[2,[3]]]", #"{"b":1,"a":{"c":[null,true]}}"#,
  ])
  func whatIsReadIsWrittenAlike(text: String) throws {
    let value = try JSONValue.parse(text)
    #expect(try JSONValue.parse(value.text) == value)
    #expect(try JSONValue.parse(value.bytes(indented: true)) == value)
    #expect(value.text == text)
  }

  @Test func wholeAndRealStayApart() throws {
    #expect(try JSONValue.parse("1") == .int(1))
    #expect(try JSONValue.parse("1.0") == .double(1))
    #expect(try JSONValue.parse("1e2") == .double(100))
    #expect(try JSONValue.parse("9223372036854775808") == .double(9_223_372_036_854_775_808))
    #expect(try JSONValue.parse("-0") == .int(0))
  }

  @Test func pythonsWordsAreReadAndWrittenAsText() throws {
    let values = try #require(try JSONValue.parse("[NaN, Infinity, -Infinity]").array)
    #expect(values[0].double?.isNaN == true)
    #expect(values[1] == .double(.infinity))
    #expect(values[2] == .double(-.infinity))
    #expect(JSONValue.array(values).text == #"["NaN","Infinity","-Infinity"]"#)
    #expect(JSONValue.string("NaN").double?.isNaN == true)
  }

  @Test func escapesAndSurrogates() throws {
    #expect(try JSONValue.parse(#""\u00e9\ud83d\ude00\/\b\f""#) == .string("é😀/\u{8}\u{C}"))
    // A lone surrogate is no character.
    #expect(try JSONValue.parse(#""\ud83dx""#) == .string("\u{FFFD}x"))
    #expect(try JSONValue.parse(#""\ud83d\u0041""#) == .string("\u{FFFD}A"))
  }

  @Test func membersKeepTheirOrder() throws {
    let value = try JSONValue.parse(#"{"z": 1, "a": 2, "m": 3}"#)
    #expect(value.object.map { Array($0.keys) } == ["z", "a", "m"])
  }

  @Test func aKeyGivenTwice() throws {
    let text = "{\"a\": 1,\n  \"a\": 2}"
    #expect(try JSONValue.parse(text) == ["a": 2])
    let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(text, allowsRepeatedKeys: false) }
    #expect(error?.line == 2)
    #expect(error?.column == 3)
    #expect(error?.message.contains("twice") == true)
  }

  @Test(arguments: [
    ("", 1, 1), ("[1,]", 1, 4), ("{\"a\" 1}", 1, 6), ("{\"a\": 01}", 1, 7), ("[1\n 2]", 2, 2), ("nul", 1, 1),
    ("1 2", 1, 3), ("\"a", 1, 1), ("[1.]", 1, 4), ("1e", 1, 3), ("\"\u{1}\"", 1, 2), ("{a: 1}", 1, 2),
    ("'a'", 1, 1),
    ("+1", 1, 1), (#""\x""#, 1, 2), (#""\u12g4""#, 1, 4),
  ])
  func flawedTextIsPlaced(text: String, line: Int, column: Int) {
    let error = #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(text) }
    #expect(error?.line == line)
    #expect(error?.column == column)
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect(throws: JSONSyntaxError.self) { try JSONValue.parse([0x22, 0xFF, 0x22] as [UInt8]) }
    #expect(throws: Never.self) { try JSONValue.parse([0xEF, 0xBB, 0xBF, 0x31] as [UInt8]) }
  }

  @Test func depthIsLimited() {
    let deep = String(repeating: "[", count: 512) + String(repeating: "]", count: 512)
    #expect(throws: Never.self) { try JSONValue.parse(deep) }
    #expect(throws: JSONSyntaxError.self) { try JSONValue.parse("[" + deep + "]") }
    #expect(throws: JSONSyntaxError.self) { try JSONValue.parse(String(repeating: "[", count: 1_000_000)) }
  }

  @Test func indentedTextHasALineForEveryMember() {
    let value: JSONValue = ["a": [1, 2], "b": [:], "c": []]
    #expect(
      String(decoding: value.bytes(indented: true), as: UTF8.self)
        == "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}")
  }

  @Test func objectsMergeMemberByMember() {
    let a: JSONValue = ["x": 1, "o": ["p": 1, "q": 2], "l": [1, 2]]
    let b: JSONValue = ["o": ["q": 3, "r": 4], "l": [5], "y": nil]
    #expect(a.merging(b) == ["x": 1, "o": ["q": 3, "r": 4], "l": [5], "y": nil])
    #expect(a.merging(7) == 7)
  }
}

@Suite struct JSONReaderTests {
  private func reader(_ text: String) throws -> JSONReader {
    try JSONReader(JSONValue.parse(text), path: "run")
  }

  @Test func absentAndNullAreNil() throws {
    let reader = try reader(#"{"a": null}"#)
    #expect(try reader.string("a") == nil)
    #expect(try reader.int("b") == nil)
  }

  @Test func aWrongKindNamesTheMember() throws {
    let reader = try reader(#"{"n": "x", "s": 1, "l": ["a", 2], "d": 1.5}"#)
    #expect(throws: JSONMemberError(key: "run.n", message: "must be a whole number, not a string")) {
      try reader.int("n")
    }
    #expect(throws: JSONMemberError.self) { try reader.string("s") }
    #expect(throws: JSONMemberError(key: "run.l[1]", message: "must be a string, not a whole number")) {
      try reader.strings("l")
    }
    #expect(throws: JSONMemberError.self) { try reader.int("d") }
    #expect(try reader.double("s") == 1)
  }

  @Test func missingAndUnknown() throws {
    let reader = try reader(#"{"nmae": 1}"#)
    #expect(throws: JSONMemberError(key: "run.name", message: "is missing")) {
      try reader.requiredString("name")
    }
    let error = #expect(throws: JSONMemberError.self) { try reader.allowOnly(["name", "step"]) }
    #expect(error?.key == "run.nmae")
    #expect(error?.message.contains("did you mean 'name'?") == true)
    #expect(throws: JSONMemberError.self) { try JSONReader([1]) }
  }
}
