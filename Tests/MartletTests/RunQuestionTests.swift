// `martlet run list` with filters, orders, columns and groups, and `martlet run compare`.

import Foundation
import MartletModel
import MartletTestSupport
import Testing

@Suite(.serialized)
struct RunQuestionTests {
  /// Three runs: `a` and `b` alike but for the rate, `c` with another optimizer.
  private func fill(_ place: Workplace) async throws {
    for (name, lr, opt, loss) in [("a", 0.1, "adamw", 3), ("b", 0.2, "adamw", 1), ("c", 0.1, "lion", 2)] {
      let run = try await place.makeRun(
        name, project: "digits", config: ["lr": .double(lr), "opt": .string(opt), "seed": 1])
      try await place.log(["{\"val/loss\": \(loss)}"], to: run)
    }
  }

  private func csv(_ place: Workplace, _ arguments: String...) async throws -> [String] {
    let outcome = try await place.martlet(["run"] + arguments + ["--format", "csv"])
    #expect(outcome.status == 0, "\(outcome)")
    return outcome.lines
  }

  @Test("filters, orders and columns")
  func lists() async throws {
    try await Workplace.withServer { place in
      try await fill(place)
      #expect(
        try await csv(
          place, "list", "--filter", "lr<0.15", "--sort", "val/loss", "--columns", "name,lr,val/loss.min")
          == ["name,lr,val/loss.min", "c,0.1,2.0", "a,0.1,3.0"])
      #expect(
        try await csv(place, "list", "-q", "opt:adamw", "--columns", "name,state,opt,config.seed,nothing")
          == [
            "name,state,opt,config.seed,nothing", "b,running,adamw,1,", "a,running,adamw,1,",
          ])
      let wrong = try await place.martlet("run", "list", "--filter", "op:adamw")
      #expect(wrong.status == 64 || wrong.status == 65, "\(wrong)")
      #expect(wrong.errors.contains("No run has 'op'.") && wrong.errors.contains("'opt'"), "\(wrong)")
      for arguments in [
        ["--values", "loss"], ["--columns", "a(", "--project", "digits"], ["--columns", "a", "--group", "b"],
      ] {
        #expect(try await place.martlet(["run", "list"] + arguments).status == 64, "\(arguments)")
      }
    }
  }

  @Test("groups with mean and spread")
  func groups() async throws {
    try await Workplace.withServer { place in
      try await fill(place)
      let table = try await place.martlet("run", "list", "--group", "opt", "--values", "val/loss.min")
      #expect(table.status == 0, "\(table)")
      #expect(table.lines.count == 3)
      #expect(table.lines[0].contains("opt") && table.lines[0].contains("Runs"))
      #expect(table.lines[1].contains("adamw") && table.lines[1].contains("2 ± 1.41"), "\(table)")
      let groups = try await place.json("run", "list", "--group", "opt,lr", "--sort", "opt")
      #expect(groups.array?.map { $0["key"] } == [["adamw", 0.1], ["adamw", 0.2], ["lion", 0.1]])
    }
  }

  @Test("compare shows what differs, in each form")
  func compare() async throws {
    try await Workplace.withServer { place in
      try await fill(place)
      let json = try await place.json("run", "compare", "a", "b")
      #expect(json["runs"]?.array?.map { $0["name"] } == ["a", "b"])
      #expect(json["sections"]?["params"] == ["lr": [0.1, 0.2]])
      #expect(json["sections"]?["metrics"]?["val/loss"] == [3.0, 1.0])
      let all = try await place.json("run", "compare", "a", "b", "--all", "--only", "params")
      #expect(
        all["sections"] == ["params": ["lr": [0.1, 0.2], "opt": ["adamw", "adamw"], "seed": [1, 1]]])
      let markdown = try await place.martlet(
        "run", "compare", "--filter", "lr=0.1", "--sort", "created", "--only", "params", "--format", "md")
      #expect(
        markdown.lines == ["|  | a | c |", "| --- | --- | --- |", "| opt | adamw | lion |"], "\(markdown)")
      let table = try await place.martlet("run", "compare", "a", "c", "--only", "params")
      #expect(table.output.contains("Parameters") && table.output.contains("lion"), "\(table)")
      #expect(
        try await csv(place, "compare", "a", "c", "--only", "params").last?.hasPrefix("params,opt,adamw,lion")
          == true)
      #expect(try await place.martlet("run", "compare", "a").status == 64)
      #expect(try await place.martlet("run", "compare").status == 64)
      #expect(try await place.martlet("run", "compare", "a", "--project", "digits").status == 64)
      #expect(try await place.martlet("run", "compare", "a", "nobody").status == 66)
    }
  }
}
