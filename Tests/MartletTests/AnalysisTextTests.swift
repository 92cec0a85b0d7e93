// An analysis as text: the page, charts in characters, and rows.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import martlet

@Suite("an analysis in the terminal")
struct AnalysisTextTests {
  private let loss = Objective(metric: "loss", goal: .minimize)
  private let accuracy = Objective(metric: "accuracy", goal: .maximize)

  private func analysis(_ trials: Int, _ objectives: [Objective], infeasible: Int? = nil) throws
    -> SweepAnalysis
  {
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
          losses: objectives.indices.map { $0 == 0 ? 2 * place + Double(trial % 3) : 1 - place },
          violations: trial == infeasible ? [1] : []))
    }
    return SweepAnalysis(history, objectives: objectives)
  }

  /// What the API answers of it, as far as texts read it.
  private func answer(_ trials: Int, _ objectives: [Objective], infeasible: Int? = nil) throws
    -> AnalysisAnswer
  {
    let analysis = try analysis(trials, objectives, infeasible: infeasible)
    let model = analysis.response()
    let slices = ["lr", "kind"].compactMap { analysis.slice($0, model: model)?.json }
    let contour = analysis.contour(x: "lr", y: "kind", model: model)
    let several = objectives.count > 1
    return AnalysisAnswer(
      json: [
        "objective": 0, "objectives": .array(objectives.map(\.json)), "progress": analysis.progress().json,
        "importance": [
          "trials": .int(Int64(analysis.completed.count)), "note": .null,
          "parameters": .array(model.map { analysis.importances($0) }?.map(\.json) ?? []),
          "interactions": .array(model.map { analysis.interactions($0) }?.map(\.json) ?? []),
        ],
        "left_out": [],
        "charts": [
          "history": analysis.optimizationHistory().json, "edf": analysis.distribution().json,
          "slices": .array(slices), "contour": contour?.json ?? .null, "rank": contour?.ranks ?? .null,
          "parallel": analysis.parallelCoordinates().json, "pareto": several ? analysis.pareto().json : .null,
          "hypervolume": analysis.hypervolumeHistory()?.json ?? .null,
          "timeline": SweepTimeline(
            [
              .init(trial: 0, start: 0, end: 10, state: .complete),
              .init(trial: 1, start: 0, end: 5, state: .failed),
              .init(trial: 2, start: 6, end: nil, state: .running),
            ], now: 10
          ).json,
        ],
        "chart_notes": several ? [:] : ["pareto": "The sweep has one objective: there is no front."],
      ])
  }

  // MARK: - The page

  @Test("a page for one objective")
  func page() throws {
    let report = SweepReport(answer: try answer(40, [loss]))
    let lines = report.lines(width: 76)
    #expect(lines.first == "The best loss of 40 trials is 0, by trial 0.")
    #expect(lines.allSatisfy { $0.count <= 76 && $0.last != " " })
    #expect(lines.contains("loss by trial; the line is the best so far"))
    #expect(lines.contains { $0.hasPrefix("parameter") && $0.contains("splits") })
    // The stronger one has the longer bar.
    let bars = lines.filter { $0.contains("█") }
    #expect(bars.count == 2 && bars[0].hasPrefix("kind") && bars[1].hasPrefix("lr"))
    #expect(bars[0].count { $0 == "█" } > bars[1].count { $0 == "█" })
    #expect(report.lines(width: 40).allSatisfy { $0.count <= 60 })
  }

  @Test("a page for two objectives shows the front; an infeasible trial is not on it")
  func front() throws {
    let lines = SweepReport(answer: try answer(40, [loss, accuracy])).lines(width: 80)
    let front = try #require(lines.firstIndex { $0.hasPrefix("front: trial") })
    #expect(lines[front] == "front: trial  loss  accuracy")
    #expect(lines[front + 1] == "0                0        -1")
    let other = SweepReport(answer: try answer(40, [loss, accuracy], infeasible: 0)).lines(width: 80)
    #expect(other[0].contains("39 trials") && !other[0].hasSuffix("by trial 0."))
    #expect(!other.contains("0                0        -1"))
  }

  @Test("an empty sweep has a page too, and charts that say so")
  func empty() throws {
    let nothing = try answer(0, [loss])
    #expect(SweepReport(answer: nothing).lines(width: 80) == ["No trial has ended yet."])
    let text = ChartText(nothing, width: 100)
    for chart in [AnalysisChart.history, .edf, .contour, .rank, .parallel] {
      #expect(
        text.lines(chart) == [
          "There is nothing to draw for \(chart.rawValue) yet: no trial has come to its end with a value."
        ])
    }
    #expect(text.lines(.trials) == ["No trial has ended yet."])
    #expect(text.lines(.pareto) == ["The sweep has one objective: there is no front."])
  }

  // MARK: - Charts

  @Test("every chart has a title and keeps to its width")
  func widths() throws {
    let answer = try answer(40, [loss, accuracy], infeasible: 3)
    for chart in AnalysisChart.allCases where chart != .trials {
      for width in [60, 100] {
        let lines = ChartText(answer, width: width).lines(chart)
        #expect(lines.count > 4, "\(chart)")
        #expect(
          lines.allSatisfy { Table.width(of: $0) <= width }, "\(chart)\n\(lines.joined(separator: "\n"))")
      }
    }
  }

  @Test("shares of trials rise to one, and a front is marked")
  func shares() throws {
    let text = ChartText(try answer(20, [loss, accuracy], infeasible: 3), width: 60)
    let shares = text.lines(.edf)
    #expect(shares[1].hasPrefix("   1 ┤") && shares[1].hasSuffix("━"))
    #expect(shares.last?.hasPrefix("      0") == true && shares.last?.hasSuffix("3.9") == true, "\(shares)")
    let front = text.lines(.pareto)
    #expect(
      front.prefix(2) == ["accuracy over loss; ● is on the front; × does not meet every", "constraint"])
    #expect(front.contains { $0.contains("×") && $0.contains("┤") })
    #expect(text.lines(.hypervolume)[0].hasPrefix("hypervolume behind the front by trial"))
  }

  @Test("a slice of numbers is dots and a line, one of a few values a table")
  func slices() throws {
    let lines = ChartText(try answer(40, [loss]), width: 70).lines(.slices)
    #expect(lines[0] == "loss over lr (log); the line is the mean over all other parameters")
    let table = try #require(lines.firstIndex { $0.hasPrefix("kind") })
    #expect(lines[table].split(separator: " ").prefix(4) == ["kind", "trials", "best", "loss"])
    #expect(lines[table + 1].split(separator: " ").prefix(3) == ["a", "14", "0"])
    #expect(lines.count == table + 4)
  }

  @Test("a surface in shades: the better the darker, with a legend")
  func contour() throws {
    let lines = ChartText(try answer(60, [loss]), width: 60).lines(.contour)
    let title = lines.prefix { !$0.contains("┤") }.joined(separator: " ")
    #expect(
      title
        == "loss, the mean over all other parameters: lr (log) across, kind up; o is the best trial here, 0")
    let rows = lines.filter { $0.contains("┤") }
    // Three values, five rows each, named in the middle; the best one stands at the bottom.
    #expect(rows.count == 15)
    #expect(rows.enumerated().filter { !$0.element.hasPrefix(" ") }.map(\.offset) == [2, 7, 12])
    #expect(rows[2].hasPrefix("c ┤") && rows[12].hasPrefix("a ┤o█"))
    #expect(rows[14].hasPrefix("  ┤██") && !rows[0].contains("█"))
    #expect(lines.last?.hasPrefix("█ ≤ ") == true && lines.last?.contains("blank ≤ ") == true)
  }

  @Test("trials by their ranks: 0 the best, 9 the worst")
  func ranks() throws {
    let lines = ChartText(try answer(60, [loss], infeasible: 1), width: 60).lines(.rank)
    let rows = lines.filter { $0.contains("┤") }
    #expect(rows.count == 15)
    #expect(rows[12].hasPrefix("a ┤0") && rows[2].hasSuffix("9"))
    #expect(
      lines.joined(separator: " ").contains("9 the worst, × does not meet every constraint: lr (log) across"))
  }

  @Test("parallel coordinates are rows, the best first and the infeasible ones last")
  func parallel() throws {
    let lines = ChartText(try answer(30, [loss], infeasible: 0), width: 80).lines(.parallel)
    #expect(lines[0].split(separator: " ") == ["trial", "loss", "lr", "(log)", "kind"])
    #expect(lines[1].hasPrefix("3 ") && lines[1].contains("●────────"), "\(lines)")
    #expect(lines.count == 22)
    #expect(lines.last == "and 10 more trials: --format json or csv has all")
    let few = ChartText(try answer(5, [loss], infeasible: 0), width: 80).lines(.parallel)
    #expect(few[5].hasPrefix("0 ×") && few.last == "× does not meet every constraint", "\(few)")
    let narrow = ChartText(try answer(5, [loss]), width: 40).lines(.parallel)
    #expect(narrow.allSatisfy { $0.count <= 40 } && !narrow[1].contains("●"))
  }

  @Test("a timeline has a line for each lane; trials begin with their state's letter")
  func timeline() throws {
    let lines = ChartText(try answer(3, [loss]), width: 23).lines(.timeline)
    #expect(
      lines == [
        "when trials ran: 2", "lanes, in use 95 % of", "the time", "1 ┤c━━━━━━━━━━━━━━━━━━━",
        "2 ┤f━━━━━━━━━  r━━━━━━━",
        "   0               10 s", "c complete, f failed, r running",
      ])
  }

  // MARK: - Rows

  @Test("rows after RFC 4180, with names that are not mistaken for others")
  func rows() throws {
    let answer = AnalysisAnswer(
      json: [
        "objectives": [["name": "loss", "goal": "minimize"], ["name": "best", "goal": "maximize"]],
        "charts": [
          "trials": [
            "trials": [0, 1], "states": ["complete", "failed"], "feasible": [true, nil],
            "outside": [false, true],
            "parameters": ["state": [0.1, 1e-9], "opt": ["a,\"b\"", nil]],
            "metrics": [[1.23456789, nil], [2, nil]], "best": [1.23456789, 1.23456789], "rank": [1, nil],
          ]
        ],
      ])
    let table = try #require(TrialRows(answer))
    #expect(
      table.csv
        == "trial,state,feasible,outside,parameter.state,opt,loss,metric.best,best,rank\r\n"
        + "0,complete,true,false,0.1,\"a,\"\"b\"\"\",1.23456789,2,1.23456789,1\r\n"
        + "1,failed,,true,1e-09,,,,1.23456789,\r\n")
  }

  // MARK: - Plots

  @Test("dots and steps")
  func dots() {
    func dots(_ points: [(Double, Double)]) -> [TextPlot.Dot] {
      points.map { TextPlot.Dot(x: $0.0, y: $0.1) }
    }
    let plot = TextPlot.scatter(
      dots([(0, 4), (1, 2), (2, 3), (3, 0)]), steps: [(0, 4), (1, 2), (3, 0)], width: 16, height: 5)
    #expect(
      plot == [
        "4 ┤━━━━━", "  ┤        ·", "  ┤    ━━━━━━━━━", "  ┤", "0 ┤            ━", "   0           3",
      ])
    #expect(TextPlot.scatter([], width: 40, height: 5) == [])
    #expect(TextPlot.scatter(dots([(0, 1e308), (1, -1e308)]), width: 40, height: 5).count == 6)
    #expect(
      TextPlot.scatter(dots([(0, 1)]), width: 40, height: 5, ends: ("low", "high")).last?.hasSuffix("high")
        == true)
    #expect(TextPlot.bar(0.5, width: 4) == "██" && TextPlot.bar(0.53125, width: 4) == "██▏")
    #expect(TextPlot.broken("one two three", width: 7) == ["one two", "three"])
  }
}
