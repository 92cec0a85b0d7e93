// The page of text: what stands on it, and that it keeps to its width.

import MartletModel
import OrderedCollections
import Testing

@testable import MartletSearch

@Suite struct SweepReportTests {
  private func analysis(_ trials: Int, objectives: [Objective]) throws -> SweepAnalysis {
    let space = try Space([
      Parameter("lr", .real(.logUniformValues(min: 0.001, max: 0.1))),
      Parameter("kind", .categorical(["a", "b", "c"])),
    ])
    var history = History(cube: UnitCube(space))
    for trial in 0..<trials {
      let place = Double(trial * 7 % 20) / 20
      history.end(
        Observation(
          trial: trial, coordinates: [place, Double(trial % 3)], state: .complete,
          losses: objectives.indices.map { $0 == 0 ? 2 * place + Double(trial % 3) : 1 - place }))
    }
    return SweepAnalysis(history, objectives: objectives)
  }

  @Test func aPageForOneObjective() throws {
    let objectives = [Objective(metric: "loss", goal: .minimize)]
    let report = SweepReport(try analysis(40, objectives: objectives))
    let lines = report.lines(width: 72)
    #expect(lines.first == "The best loss of 40 trials is 0, by trial 0.")
    #expect(lines.allSatisfy { $0.count <= 72 && $0.last != " " })
    #expect(lines.contains("loss by trial; the line is the best so far"))
    // The stronger one has the longer bar.
    let bars = lines.filter { $0.contains("█") }
    #expect(bars.count == 2 && bars[0].hasPrefix("kind") && bars[1].hasPrefix("lr"))
    #expect(bars[0].count { $0 == "█" } > bars[1].count { $0 == "█" })
    #expect(report.lines(width: 40).allSatisfy { $0.count <= 50 })
    #expect(report.json["importances"]?.array?.count == 2)
    #expect(report.json["pareto"] == nil)
  }

  @Test func aPageForTwoObjectivesShowsTheFront() throws {
    let objectives = [
      Objective(metric: "loss", goal: .minimize), Objective(metric: "accuracy", goal: .maximize),
    ]
    let report = SweepReport(try analysis(40, objectives: objectives))
    let lines = report.lines(width: 80)
    let front = try #require(lines.firstIndex { $0.hasPrefix("front: trial") })
    #expect(lines[front] == "front: trial  loss  accuracy")
    #expect(lines[front + 1] == "0                0        -1")
    #expect(report.json["hypervolume"] != nil)
  }

  @Test func anEmptySweepHasAPageToo() throws {
    let report = SweepReport(try analysis(0, objectives: [Objective(metric: "loss", goal: .minimize)]))
    #expect(report.lines(width: 80) == ["No trial has ended yet."])
  }

  @Test func dotsAndSteps() {
    let plot = TextPlot.scatter(
      [(0, 4), (1, 2), (2, 3), (3, 0)], steps: [(0, 4), (1, 2), (3, 0)], width: 16, height: 5)
    #expect(
      plot == [
        "4 ┤━━━━━", "  ┤        ·", "  ┤    ━━━━━━━━━", "  ┤", "0 ┤            ━", "   0           3",
      ])
    #expect(TextPlot.scatter([], steps: [], width: 40, height: 5) == [])
    #expect(TextPlot.scatter([(0, 1e308), (1, -1e308)], steps: [], width: 40, height: 5).count == 6)
    #expect(TextPlot.bar(0.5, width: 4) == "██" && TextPlot.bar(0.53125, width: 4) == "██▏")
  }
}
