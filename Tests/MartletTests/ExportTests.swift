// `martlet export`: what comes out is what Python's csv and json read as what went in.

import Foundation
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@testable import martlet

@Suite("export", .serialized)
struct ExportTests {
  /// Reads every file of an export with Python's own csv or json and says what it found, as JSON: file to rows.
  private func read(_ directory: String, _ place: Workplace) async throws -> JSONValue {
    let program = """
      import csv, json, pathlib, sys
      root = pathlib.Path(\(JSONValue.string(directory).text))
      found = {}
      for path in sorted(root.rglob("*.*")):
          if path.suffix == ".csv":
              with open(path, newline="", encoding="utf-8") as file:
                  rows = list(csv.DictReader(file, strict=True))
                  assert all(None not in row and None not in row.values() for row in rows), rows
          else:
              rows = [json.loads(line) for line in open(path, encoding="utf-8")]
          found[str(path.relative_to(root))] = rows
      print(json.dumps(found))
      """
    let outcome = try await place.python(program)
    guard outcome.status == 0 else { throw Unexpected("\(outcome)") }
    return try JSONValue.parse(outcome.output)
  }

  @Test("runs and histories as CSV, with names, values and texts of every kind")
  func csv() async throws {
    try await Workplace.withServer { place in
      let config: JSONValue = [
        "lr": 0.1, "model": ["depth": 3, "a.b": [1, "x"]], "model.depth": "flat", "none": [:],
      ]
      let first = try await place.makeRun("a/b: \"c\"", config: ["x": 1])
      let second = try await place.makeRun("a/b: c", config: config)
      let third = try await place.makeRun("a/b: c", project: "q")
      try await place.log(
        [
          #"{"loss": 0.1, "we\"ird, näme": 1e308, "note": "a,\"b\"\r\nc"}"#,
          #"{"loss": NaN, "many": [1, "x,y"]}"#,
          #"{"loss": -Infinity, "tiny": 5e-324, "zero": -0.0, "flag": true, "nil": null}"#,
        ], to: second)
      let outcome = try await place.martlet("export", "--project", "p", "--output", "out")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output == "2 runs, 3 rows in \(place.root.path)/out\n")
      let found = try await read(place.root.path + "/out", place)
      let runs = try #require(found["runs.csv"]?.array)
      #expect(runs.map { $0["id"]?.string } == [first, second])
      #expect(runs[0]["name"] == "a/b: \"c\"")
      #expect(runs[1]["config.lr"] == "0.1")
      #expect(runs[1]["config.model.depth"] == "3")
      #expect(runs[1]["config.model\\.depth"] == "flat")
      #expect(runs[1]["config.model.a.b"] == #"[1,"x"]"#)
      #expect(runs[1]["config.none"] == "{}")
      #expect(runs[1]["config.x"] == "")
      #expect(runs[1]["summary.loss.last"] == "-Infinity")
      #expect(runs[1]["summary.loss.nan_count"] == "1")
      #expect(runs[1]["summary.we\"ird, näme.max"] == "1e+308")
      #expect(runs[1]["summary.note.value"] == "a,\"b\"\r\nc")
      #expect(runs[0]["summary.loss.last"] == "")
      let name = try #require(runs[1]["history"]?.string)
      #expect(name == "histories/a_b__c-\(second).csv")
      let rows = try #require(found[name]?.array)
      #expect(rows.count == 3)
      #expect(rows[0]["loss"] == "0.1")
      #expect(rows[0]["we\"ird, näme"]?.string.flatMap(Double.init) == 1e308)
      #expect(rows[0]["note"] == "a,\"b\"\r\nc")
      #expect(rows[0]["tiny"] == "")
      #expect(rows[1]["loss"] == "NaN")
      #expect(rows[1]["many"] == #"[1,"x,y"]"#)
      #expect(rows[2]["loss"] == "-Infinity")
      #expect(rows[2]["tiny"]?.string.flatMap(Double.init) == .leastNonzeroMagnitude)
      #expect(rows[2]["zero"]?.string.flatMap(Double.init)?.sign == .minus)
      #expect(rows[2]["flag"] == "true")
      #expect(rows[2]["nil"] == "null")
      #expect(rows.map { $0["step"]?.string } == ["0", "1", "2"])
      // One without rows has a heading all the same.
      #expect(found[runs[0]["history"]?.string ?? ""]?.array == [])
      #expect(
        try await read(place.root.path + "/out", place).object?.keys.contains { $0.contains(third) } == false)
    }
  }

  @Test("JSON lines are the API's own objects, and a history comes out as it went in")
  func jsonLines() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one", config: ["model": ["depth": 3]])
      let values = (0..<11_000).map { #"{"loss": \#(Double($0) / 3), "note": "\#($0)"}"# }
      try await place.log(values, to: run)
      let outcome = try await place.martlet("export", "one", "--format", "jsonl", "-o", "out")
      #expect(outcome.status == 0, "\(outcome)")
      let found = try await read(place.root.path + "/out", place)
      let shown = try #require(found["runs.jsonl"]?.array?.first)
      #expect(shown["config"] == ["model": ["depth": 3]])
      let rows = try #require(found[shown["history"]?.string ?? ""]?.array)
      #expect(rows.count == values.count)
      for (index, row) in rows.enumerated() {
        guard row["row"]?.int == Int64(index), row["values"]?["loss"]?.double == Double(index) / 3,
          row["values"]?["note"]?.string == String(index)
        else {
          Issue.record("row \(index) is \(row)")
          break
        }
      }
    }
  }

  @Test(
    "standard output has one table with the runs' ids; --keys narrows it; --only-runs leaves histories out")
  func standardOutput() async throws {
    try await Workplace.withServer { place in
      let runs = [try await place.makeRun("one"), try await place.makeRun("two")]
      try await place.log([#"{"a": 1, "b": 2}"#, #"{"a": 3}"#], to: runs[0])
      try await place.log([#"{"c": 4}"#], to: runs[1], client: "other-client")
      func export(_ options: String...) async throws -> [String] {
        let outcome = try await place.martlet(["export", "-o", "-"] + options)
        #expect(outcome.status == 0, "\(outcome)")
        return outcome.output.components(separatedBy: "\r\n").flatMap { $0.components(separatedBy: "\n") }
          .filter { !$0.isEmpty }
      }
      #expect(
        try await export("one", "two") == [
          "run,row,step,time,a,b,c", "\(runs[0]),0,0,1790000000000000,1.0,2.0,",
          "\(runs[0]),1,1,1790000000000001,3.0,,",
          "\(runs[1]),0,0,1790000000000000,,,4.0",
        ])
      #expect(
        try await export("--keys", "c") == ["run,row,step,time,c", "\(runs[1]),0,0,1790000000000000,4.0"])
      let lines = try await export("--format", "jsonl").map { try JSONValue.parse($0) }
      #expect(lines.map { $0["run"]?.string } == [runs[0], runs[0], runs[1]])
      #expect(lines[2]["values"] == ["c": 4.0])
      let table = try await export("--only-runs")
      #expect(table.count == 3)
      #expect(table[0].hasPrefix("id,name,"))
      #expect(!table[0].contains("history"))
    }
  }

  @Test("all runs of a sweep or of everything; nothing is written over")
  func selection() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid()
      #expect(try await place.martlet("sweep", "run", "grid.yaml").status == 0)
      _ = try await place.makeRun("other")
      #expect(
        try await place.martlet("export", "--sweep", "grid", "-o", "grid").output.hasPrefix("4 runs, 12 rows")
      )
      #expect(try await place.martlet("export", "-o", "all").output.hasPrefix("5 runs, 12 rows"))
      let again = try await place.martlet("export", "-o", "all")
      #expect(again.status == 73, "\(again)")
      #expect(again.errors.contains("not empty"))
      // One directory for each call that names none.
      #expect(try await place.martlet("export", "other").status == 0)
      let names = try FileManager.default.contentsOfDirectory(atPath: place.root.path)
      #expect(names.contains { $0.hasPrefix("martlet-export-") })
    }
  }

  @Test(
    "what makes no sense, or is not there, is said",
    arguments: [
      (["nobody"], 66), (["--project", "none"], 66), (["--sweep", "none"], 66),
      (["one", "--project", "p"], 64),
      (["--format", "parquet"], 64), (["--only-runs", "--keys", "a"], 64), (["--output", ""], 64),
      (["one", "-o", "/proc/none"], 73),
    ] as [([String], Int32)])
  func wrong(arguments: [String], status: Int32) async throws {
    try await Workplace.withServer { place in
      _ = try await place.makeRun("one")
      let outcome = try await place.martlet(["export"] + arguments)
      #expect(outcome.status == status, "\(outcome)")
      #expect(outcome.errors.hasPrefix("martlet: "))
    }
  }

  @Test(
    "names of files are safe everywhere",
    arguments: [
      ("plain-1.5_x", "plain-1.5_x"), ("a/b\\c", "a_b_c"), ("..", "_."), (".hidden", "_hidden"), ("", "run"),
      ("é\u{301}", "é\u{301}"), ("a\u{0}b\n", "a_b_"), ("日本 語", "日本_語"),
      (String(repeating: "x", count: 300), String(repeating: "x", count: 100)),
    ])
  func safeNames(name: String, safe: String) {
    #expect(ExportDirectory.safe(name) == safe)
  }
}
