// Series as arrays in a frame, histories as text.

import Foundation
import MartletModel
import MartletSeries
import MartletTestSupport
import Testing

@Suite struct OutputTests {
  private func series() throws -> [Series] {
    let run = try #require(PublicID(rawValue: "k2f9a0xy"))
    return [
      Series(
        run: run, key: "train/\"loss\" é", count: 3, steps: [.min, 0, .max], times: [1, 2, 3],
        points: .raw(values: [-0.0, Double(nan: 7, signaling: false), .infinity]), averages: [1, 2, 3],
        xs: [0.5, 1, .nan]),
      Series(
        run: run, key: "acc", count: 2_000, steps: [1, 2], times: [3, 4],
        points: .buckets(
          first: [1, 2], last: [3, 4], min: [.nan, 5], max: [6, 7], mean: [8, 9], counts: [1_000, 1_000],
          nanCounts: [0, 9])),
      Series(run: run, key: "none", count: 0, steps: [], times: [], points: .raw(values: [])),
    ]
  }

  private func decode(_ bytes: [UInt8]) throws -> [Series] {
    try withGuard(bytes) { try SeriesFrame.decode($0) }
  }

  /// All that a series holds, bit for bit.
  private func words(_ series: Series) -> [[UInt64]] {
    var words = [series.steps, series.times].map { $0.map { UInt64(bitPattern: $0) } }
    switch series.points {
    case .raw(let values): words.append(values.map(\.bitPattern))
    case .buckets(let first, let last, let min, let max, let mean, let counts, let nanCounts):
      words += [first, last, min, max, mean].map { $0.map(\.bitPattern) }
      words += [counts, nanCounts].map { $0.map { UInt64(bitPattern: $0) } }
    }
    return words + [series.averages, series.xs].map { $0?.map(\.bitPattern) ?? [.max] }
  }

  @Test func framesComeBack() throws {
    let all = try series()
    for some in [all, [], [all[1]]] {
      let read = try decode(SeriesFrame.encode(some))
      #expect(read.map(\.run) == some.map(\.run) && read.map(\.key) == some.map(\.key))
      #expect(read.map(\.count) == some.map(\.count) && read.map(words) == some.map(words))
    }
  }

  /// What a program in another language relies on.
  @Test func theLayoutOfAFrame() throws {
    let bytes = SeriesFrame.encode(try series())
    #expect(Array(bytes.prefix(12)) == Array("MARTLETS".utf8) + [1, 0, 0, 0])
    let length = bytes[12..<16].reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(length % 8 == 0)
    let header = try JSONValue.parse(bytes[16..<(16 + length)])
    let first = try #require(header["series"]?.array?.first)
    #expect(first["run"] == "k2f9a0xy" && first["kind"] == "raw" && first["count"] == 3 && first["n"] == 3)
    let arrays = try #require(first["arrays"]?.array)
    #expect(arrays.map { $0["name"] } == ["steps", "times", "values", "ema", "x"])
    #expect(arrays.map { $0["type"] } == ["i64", "i64", "f64", "f64", "f64"])
    #expect(arrays.map { $0["offset"] } == [0, 24, 48, 72, 96])
    #expect(header["series"]?.array?[1]["arrays"]?.array?.first?["offset"] == 120)
    let values = bytes[(16 + length + 48)...]
    #expect(Array(values.prefix(8)) == [0, 0, 0, 0, 0, 0, 0, 0x80])
    #expect(bytes.count == 16 + length + 8 * (15 + 18))
  }

  @Test func damagedFrames() throws {
    var dice = SeededNumbers(seed: 1)
    let whole = SeriesFrame.encode(try series())
    #expect(throws: Problem.self) { try decode(Array(whole.prefix(whole.count - 1))) }
    for _ in 0..<1_000 {
      do {
        for one in try decode(damaged(whole, &dice)) { #expect(one.steps.count == one.times.count) }
      } catch {
        #expect((error as? Problem)?.code == .badRequest)
      }
    }
  }

  @Test func theJSONOfASeries() throws {
    var out: [UInt8] = []
    try series()[0].write(to: &out)
    let json = try JSONValue.parse(out)
    #expect(json["ema"] == [1.0, 2.0, 3.0] && json["x"] == [0.5, 1.0, "NaN"])
  }

  // MARK: - Histories

  private let row = HistoryRow(
    row: 7, step: -3, time: 5, numbers: [("loss", 0.1), ("a,b", .nan), ("c", -.infinity), ("n", 2)],
    texts: [("note", Array(#""say \"hi\", you""#.utf8)), ("list", Array("[1,2]".utf8))])

  @Test func linesThatCanBeLoggedAgain() throws {
    var out: [UInt8] = []
    HistoryText.writeJSONLine(row, to: &out)
    HistoryText.writeJSONLine(HistoryRow(row: 8, step: 0, time: 6), to: &out)
    let text = String(decoding: out, as: UTF8.self)
    #expect(
      text == """
        {"row":7,"step":-3,"time":5,"values":{"loss":0.1,"a,b":NaN,"c":-Infinity,"n":2.0,"note":"say \\"hi\\", you","list":[1,2]}}
        {"row":8,"step":0,"time":6,"values":{}}

        """)
    let again = text.replacingOccurrences(of: "\"row\"", with: "\"seq\"")
    let rows = try LogLines.decode(Array(again.utf8), now: noon).rows()
    #expect(rows.map(\.step) == [-3, 0])
    #expect(rows[0].numbers.map(\.name) == ["loss", "a,b", "c", "n"])
    #expect(
      rows[0].numbers[0].value == 0.1 && rows[0].numbers[1].value.isNaN
        && rows[0].numbers[2].value == -.infinity)
    #expect(rows[0].others.map(\.value) == ["say \"hi\", you", [1, 2]])
  }

  @Test func tables() {
    let names = ["loss", "a,b", "none", "note", "c", "list", "quo\"te"]
    var out: [UInt8] = []
    HistoryText.writeCSVHeader(names: names, to: &out)
    HistoryText.writeCSVLine(row, names: names, to: &out)
    #expect(
      String(decoding: out, as: UTF8.self)
        == [
          #"row,step,time,loss,"a,b",none,note,c,list,"quo""te""#,
          #"7,-3,5,0.1,NaN,,"say ""hi"", you",-Infinity,"[1,2]","#, "",
        ].joined(separator: "\r\n"))
  }

  /// A string is itself, whatever JSON makes of it; everything else that is no number is JSON.
  @Test(arguments: [
    (#"'plain'"#, #"'plain'"#), (#"'NaN'"#, #"'NaN'"#), (#"''"#, #"''"#),
    (#"'a\nb\t\u00e9\\n'"#, "'a\nb\té\\n'"), (#"'\uD83D\uDC26'"#, "'🐦'"), ("true", "'true'"),
    ("null", "'null'"), (#"['a',NaN]"#, #"'[''a'',NaN]'"#), (#"{'a':'b\'c'}"#, #"'{''a'':''b\''c''}'"#),
  ]) func whatIsNoNumber(json: String, field: String) {
    var out: [UInt8] = []
    // Quotes as they are; above, others stand for them.
    let (json, field) = (json.replacing("'", with: "\""), field.replacing("'", with: "\""))
    let row = HistoryRow(row: 0, step: 0, time: 0, texts: [("v", Array(json.utf8))])
    HistoryText.writeCSVLine(row, names: ["v"], to: &out)
    #expect(String(decoding: out, as: UTF8.self) == "0,0,0,\(field)\r\n")
  }
}
