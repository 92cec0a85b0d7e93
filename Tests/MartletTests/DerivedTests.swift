// `martlet project derive` and `martlet metrics … --plot` through the real program.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite("derived metrics and charts", .serialized)
struct DerivedProgramTests {
  @Test("derive, look, draw, take away")
  func derive() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("finch", project: "digits")
      try await place.log(
        (0..<200).map { #"{"val/loss": \#(400 - $0), "train/loss": \#(200 - $0)}"# }, to: run)
      let made = try await place.martlet(
        "project", "derive", "digits", "gap", "val/loss - train/loss", "--goal", "minimize")
      #expect(made.status == 0, "\(made)")
      let list = try await place.json("project", "derived", "digits")
      #expect(list.array?.first?["expression"] == "val/loss - train/loss")
      #expect(list.array?.first?["goal"] == "minimize")
      let shown = try await place.martlet("project", "show", "digits")
      #expect(shown.output.contains("gap") && shown.output.contains("val/loss - train/loss"))

      try await eventually("the run's table has it") {
        try await place.json("metrics", "finch", "gap").array?.first?["best"]?.double == 200
      }
      let csv = try await place.martlet("metrics", "finch", "gap", "val/loss", "--format", "csv")
      #expect(csv.lines.count == 3)
      #expect(csv.lines.first?.hasSuffix(",derived") == true)

      let history = try await place.martlet("run", "history", "finch", "--keys", "gap")
      #expect(history.status == 66)
      #expect(history.errors.contains("is derived"))

      let chart = try await place.martlet("metrics", "finch", "gap", "val/loss", "--plot", "--width", "60")
      #expect(chart.status == 0, "\(chart)")
      #expect(chart.lines.first == "* gap 200   + val/loss 201")
      #expect(chart.lines.count == 20)
      #expect(!chart.output.contains("\u{1B}"))
      let one = try await place.martlet("metrics", "finch", "gap", "--plot", "--height", "8")
      #expect(one.output.unicodeScalars.contains { (0x2801...0x28FF).contains($0.value) })
      #expect(one.lines.count == 8)
      let plain = try await place.martlet("metrics", "finch", "gap", "--plot", environment: ["LC_ALL": "C"])
      #expect(plain.output.utf8.allSatisfy { $0 < 0x80 }, "\(plain)")

      #expect(try await place.martlet("project", "underive", "digits", "gap").status == 0)
      #expect(try await place.json("project", "derived", "digits").array?.isEmpty == true)
      #expect(try await place.martlet("metrics", "finch", "gap", "--plot").status == 66)
    }
  }

  @Test("what is wrong is named, with its place")
  func wrong() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("finch", project: "digits")
      try await place.log([#"{"loss": 1}"#], to: run)
      let wrong = try await place.martlet("project", "derive", "digits", "x", "loss * nope(loss)")
      #expect(wrong.status == 65)
      #expect(wrong.errors.contains("    loss * nope(loss)\n           ^^^^"), "\(wrong)")
      let typed = try await place.martlet("project", "derive", "digits", "x", "2 * lss")
      #expect(typed.status == 0)
      #expect(typed.errors.contains("did you mean 'loss'?"))
      #expect(try await place.martlet("project", "derive", "digits", "loss", "2 * x").status == 1)
      let unknown = try await place.martlet("metrics", "finch", "lss", "--plot")
      #expect(unknown.status == 66)
      #expect(unknown.errors.contains("'loss'"))
      for arguments in [
        ["metrics", "finch", "--plot"], ["metrics", "finch", "loss", "--log"],
        ["metrics", "finch", "loss", "--plot", "--format", "csv"],
        ["metrics", "finch", "loss", "--plot", "--width", "3"], ["metrics", "finch", "loss", "--follow"],
        ["metrics", "finch", "loss", "--plot", "--smooth", "1"],
      ] {
        #expect(try await place.martlet(arguments).status == 64, "\(arguments)")
      }
      #expect(try await place.martlet("project", "describe", "digits", "Which width?").status == 0)
      #expect(try await place.json("project", "show", "digits")["description"] == "Which width?")
    }
  }

  @Test("--follow draws in colours on a terminal until the run has ended; NO_COLOR keeps them away")
  func follow() async throws {
    try await Workplace.withServer { place in
      let run = try await place.makeRun("finch", project: "digits")
      try await place.log([#"{"loss": 1, "acc": 2}"#, #"{"loss": 2, "acc": 1}"#], to: run)
      let following = try place.startOnTerminal(["metrics", "finch", "loss", "acc", "--follow"], columns: 70)
      try await eventually("the first chart") { following.outputSoFar.contains("acc 1") }
      try await place.log([#"{"loss": 3, "acc": 7}"#], to: run, from: 2)
      try await eventually("the next chart") { following.outputSoFar.contains("acc 7") }
      _ = try await place.api("POST", "/runs/\(run)/finish", [:])
      let outcome = try await following.outcome()
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("\u{1B}[36m━\u{1B}[0m loss"))
      #expect(outcome.output.contains("\u{1B}[20A\u{1B}[J"))
      // A higher chart than the terminal, whose size is asked for each time.
      let low = try place.startOnTerminal(
        ["metrics", "finch", "loss", "--follow", "--height", "60"], columns: 70, rows: 12)
      let lowDrawn = try await low.outcome()
      #expect(lowDrawn.status == 0, "\(lowDrawn)")
      #expect(lowDrawn.output.filter { $0 == "\n" }.count <= 11, "\(lowDrawn)")
      #expect(lowDrawn.output.hasPrefix("\u{1B}[?7l"), "\(lowDrawn)")
      let dumb = try place.startOnTerminal(
        ["metrics", "finch", "loss", "--follow"], columns: 70, environment: ["TERM": "dumb"])
      let refused = try await dumb.outcome()
      #expect(refused.status == 64, "\(refused)")
      let plain = try place.startOnTerminal(
        ["metrics", "finch", "loss", "acc", "--plot"], columns: 70, environment: ["NO_COLOR": "1"])
      let drawn = try await plain.outcome()
      #expect(drawn.output.hasPrefix("* loss 3   + acc 7"), "\(drawn)")
    }
  }

  @Test("a sweep may look for what is derived, also when the trial logs to its very end")
  func sweep() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid(metric: "cost")
      let made = try await place.martlet(
        "project", "derive", "digits", "cost", "cummin(loss) + 100 * abs(config.x - 2)")
      #expect(made.status == 0, "\(made)")
      let outcome = try await place.martlet("sweep", "run", "grid.yaml")
      #expect(outcome.status == 0, "\(outcome)")
      let sweep = try await place.json("sweep", "show", "grid")
      // x=2, y=0.25: 4 + 0.25 + 1/3; by the loss alone x=1 would be better.
      let best = try #require(sweep["trials"]?.array?.first)
      #expect(best["params"]?["x"]?.double == 2)
      #expect(best["params"]?["y"]?.double == 0.25)
      #expect(abs((best["objective"]?.double ?? 0) - (4.25 + 1.0 / 3)) < 1e-9)
      #expect(abs((best["metrics"]?["min"]?.double ?? 0) - (4.25 + 1.0 / 3)) < 1e-9)
    }
  }
}
