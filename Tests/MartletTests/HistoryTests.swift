// `martlet run history`, `metrics`, and the lives of runs: rewinding, forking, the trash.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@testable import martlet

@Suite("histories and lives of runs", .serialized)
struct HistoryTests {
  @Test("a history comes as table, JSON, JSON lines and CSV, narrowed by names and steps")
  func forms() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one")
      try await place.log(
        [#"{"loss": 1.5, "note": "a,\"b\"\nc"}"#, #"{"loss": NaN}"#, #"{"loss": -Infinity, "lr": 1e-3}"#],
        to: run)
      func history(_ options: String...) async throws -> Outcome {
        let outcome = try await place.martlet(["run", "history", "one"] + options)
        #expect(outcome.status == 0, "\(outcome)")
        return outcome
      }
      let lines = try await history("--format", "jsonl").lines
      #expect(lines.count == 3)
      #expect(lines[1].hasSuffix(#""values":{"loss":NaN}}"#))
      let json = try JSONValue.parse(try await history("--format", "json").output)
      #expect(json.array?.count == 3)
      #expect(json.array?[2]["values"]?["loss"] == "-Infinity")
      #expect(json.array?[0]["values"]?["note"] == "a,\"b\"\nc")
      let csv = try await history("--format", "csv", "--keys", "lr,loss").output
      #expect(
        csv == "row,step,time,lr,loss\r\n0,0,1790000000000000,,1.5\r\n1,1,1790000000000001,,NaN\r\n"
          + "2,2,1790000000000002,0.001,-Infinity\r\n")
      let table = try await history().lines
      #expect(table.count == 4)
      #expect(table[0].contains("loss") && table[0].contains("note"))
      #expect(try await history("--from-step", "1", "--format", "jsonl").lines.count == 2)
      #expect(try await history("--to-step", "1", "-n", "1", "--format", "jsonl").lines.count == 1)
      #expect(try await history("-n", "0", "--format", "jsonl").lines.count == 3)

      let wrong = try await place.martlet("run", "history", "one", "--keys", "los")
      #expect(wrong.status == 66, "\(wrong)")
      #expect(wrong.errors.contains("'loss'"))
      #expect(try await place.martlet("run", "history", "two").status == 66)
      for options in [["--from-step", "2", "--to-step", "1"], ["-n", "-1"], ["--format", "xml"]] {
        #expect(try await place.martlet(["run", "history", "one"] + options).status == 64)
      }
    }
  }

  @Test("a long history comes whole, page after page, and a table says that it is cut")
  func pages() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("long")
      try await place.log((0..<12_500).map { #"{"loss": \#(Double($0) / 8)}"# }, to: run)
      let csv = try await place.martlet("run", "history", run, "--format", "csv").output
      let lines = csv.split(whereSeparator: \.isNewline)
      #expect(lines.count == 12_501)
      #expect(lines.last?.hasPrefix("12499,12499,1790000000012499,1562.375") == true)
      #expect(
        try await place.martlet("run", "history", run, "-n", "10001", "--format", "jsonl").lines.count
          == 10_001)
      let table = try await place.martlet("run", "history", run)
      #expect(table.lines.count == 101)
      #expect(table.errors.contains("--limit 0"))
    }
  }

  @Test("metrics: last, best, lowest, highest, mean, with their steps, counts and NaN")
  func metrics() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one")
      try await place.log(
        [#"{"acc": 0.5}"#, #"{"acc": NaN}"#, #"{"acc": 0.75, "note": "x"}"#, #"{"acc": 0.25}"#], to: run)
      try await place.api("PATCH", "/runs/\(run)", ["metrics": ["acc": ["goal": "maximize"]]])
      let metrics = try #require(try await place.json("metrics", "one").array)
      let acc = try #require(metrics.first { $0["name"] == "acc" })
      for (member, value) in [
        ("last", 0.25), ("last_step", 3), ("best", 0.75), ("best_step", 2), ("min", 0.25), ("min_step", 3),
        ("max", 0.75), ("max_step", 2), ("mean", 0.5), ("count", 4), ("nan_count", 1),
      ] {
        #expect(acc[member]?.double == value, "\(member): \(acc)")
      }
      #expect(metrics.first { $0["name"] == "note" }?["value"] == "x")
      let table = try await place.martlet("metrics", run, "--search", "AC")
      #expect(table.lines.count == 2, "\(table)")
      #expect(
        try await place.martlet("metrics", run, "--format", "csv").lines.first?.hasPrefix("name,last,")
          == true)
      #expect(try await place.martlet("metrics", "none").status == 66)
    }
  }

  @Test("rewinding takes rows back, but nobody is asked without a terminal; forking leaves the run as it is")
  func rewindAndFork() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one", config: ["lr": 0.5])
      try await place.log((0..<10).map { #"{"loss": \#($0)}"# }, to: run)
      let fork = try await place.martlet("run", "fork", "one", "--step", "3", "--name", "two")
      #expect(fork.status == 0, "\(fork)")
      let id = fork.output.trimmingCharacters(in: .newlines)
      #expect(try await place.history(id).count == 4)
      let forked = try await place.json("run", "show", "two")
      #expect(forked["config"]?["lr"]?.double == 0.5)
      #expect(try await place.history(run).count == 10)

      let unasked = try await place.martlet("run", "rewind", "one", "5")
      #expect(unasked.status == 64, "\(unasked)")
      #expect(unasked.errors.contains("--yes"))
      #expect(try await place.history(run).count == 10)
      let rewound = try await place.martlet("run", "rewind", "one", "5", "--yes")
      #expect(rewound.status == 0, "\(rewound)")
      #expect(try await place.history(run).map { $0["step"]?.int } == Array(0...5))
      #expect(try await place.json("run", "show", "one")["summary"]?["loss"]?["max"]?.double == 5)
      // Nothing is above it any more: nothing to ask, nothing to do.
      #expect(try await place.martlet("run", "rewind", "one", "5").status == 0)
      for arguments in [["one"], ["one", "five"], ["one", "1.5"]] {
        #expect(try await place.martlet(["run", "rewind"] + arguments).status == 64)
      }
    }
  }

  @Test("on a terminal a rewind asks first")
  func question() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("one")
      try await place.log((0..<10).map { #"{"loss": \#($0)}"# }, to: run)
      for (answer, rows) in [("n", 10), ("y", 3)] {
        let input = Pipe()
        let asking = try place.startOnTerminal(["run", "rewind", "one", "2"], input: input)
        #expect(try await eventually { asking.outputSoFar.contains("[y/N]") })
        try input.fileHandleForWriting.write(contentsOf: Data("\(answer)\n".utf8))
        let outcome = try await asking.outcome()
        #expect(outcome.status == (answer == "y" ? 0 : 1), "\(outcome)")
        #expect(try await place.history(run).count == rows)
      }
    }
  }

  @Test("deleted runs are in the trash until they are restored or purged")
  func trash() async throws {
    try await Workplace.withServer { place in
      let runs = [try await place.makeRun("one"), try await place.makeRun("two")]
      try await place.log([#"{"loss": 1}"#], to: runs[0])
      func names(_ options: String...) async throws -> [String] {
        let outcome = try await place.martlet(["run", "list", "--format", "json"] + options)
        return try JSONValue.parse(outcome.output).array?.compactMap { $0["name"]?.string } ?? []
      }
      let deleted = try await place.martlet("run", "delete", "one", runs[1])
      #expect(deleted.status == 0, "\(deleted)")
      #expect(try await names().isEmpty)
      #expect(Set(try await names("--deleted")) == ["one", "two"])
      #expect(try await place.martlet("run", "show", "one").status == 66)

      let wrong = try await place.martlet("run", "restore", "oen")
      #expect(wrong.status == 66, "\(wrong)")
      #expect(wrong.errors.contains("'one'"))
      #expect(try await place.martlet("run", "restore", "one").status == 0)
      #expect(try await names() == ["one"])
      #expect(try await place.history(runs[0]).count == 1)

      // All are looked up before the first one goes.
      #expect(try await place.martlet("run", "delete", "one", "nobody").status == 66)
      #expect(try await names() == ["one"])

      let unasked = try await place.martlet("run", "delete", "one", "--purge")
      #expect(unasked.status == 64, "\(unasked)")
      let purged = try await place.martlet("run", "delete", "one", "two", "--purge", "--yes")
      #expect(purged.status == 0, "\(purged)")
      #expect(try await eventually { try await names("--deleted").isEmpty })
      #expect(try await names().isEmpty)
      #expect(try await place.martlet("run", "restore", "one").status == 66)
    }
  }

  @Test("a line of a history is taken apart without reading its values")
  func line() throws {
    let whole =
      #"{"row":7,"step":-2,"time":5,"values":{"a\"b,":-1.5e-7,"n":NaN,"x":{"k":[1,"}]\""]},"s":"é\\"}}"#
      + "\n"
    let bytes = Array(whole.utf8)
    var end = 0
    let line = try #require(HistoryLine(bytes, from: 0, end: &end))
    #expect(end == bytes.count)
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
    #expect(line.fixed.map(text) == ["7", "-2", "5"])
    #expect(line.values.map { text($0.name) } == [#"a\"b,"#, "n", "x", "s"])
    #expect(line.values.map { text($0.text) } == ["-1.5e-7", "NaN", #"{"k":[1,"}]\""]}"#, #""é\\""#])
    #expect(line.values.map(\.isNumber) == [true, true, false, false])
    // Cut anywhere, it is no line.
    for count in 0..<(bytes.count) {
      #expect(HistoryLine(Array(bytes[..<count]), from: 0, end: &end) == nil)
    }
  }

  @Test("a table of known columns ends before a row that has another one")
  func unknownColumn() throws {
    let lines = [#"{"a":1.0}"#, #"{"b":"x"}"#, #"{"c":2.0}"#].enumerated()
      .map { "{\"row\":\($0),\"step\":\($0),\"time\":0,\"values\":\($1)}\n" }.joined()
    var table = HistoryTable(names: ["b", "a"])
    var out: [UInt8] = []
    #expect(try table.append(Array(lines.utf8), to: &out) == 2)
    #expect(String(decoding: out, as: UTF8.self) == "0,0,0,,1.0\r\n1,1,0,\"x\",\r\n")
    out = []
    #expect(try table.append(Array(lines.utf8), lead: "r,", skipsUnknown: true, to: &out) == nil)
    #expect(String(decoding: out, as: UTF8.self).hasSuffix("r,2,2,0,,\r\n"))
    #expect(throws: Failure.self) { try table.append(Array(lines.dropLast(3).utf8), to: &out) }
  }
}
