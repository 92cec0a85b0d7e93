// `martlet sweep analyze`: what the API tells of a sweep, as a page, as charts, as JSON and as rows.

import Foundation
import MartletModel
import MartletTestSupport
import OrderedCollections
import Testing

@Suite("sweep analyze", .serialized)
struct SweepAnalyzeTests {
  @Test("a page, every chart, JSON and rows; what there is not is refused in words")
  func analyze() async throws {
    try await Workplace.withServer { place in
      try place.writeGrid()
      #expect(try await place.martlet("sweep", "run", "grid.yaml").status == 0)
      let page = try await place.martlet("sweep", "analyze", "grid")
      #expect(page.status == 0, "\(page)")
      // x=1, y=0.25 ends at 1 + 0.25 + 1/3.
      #expect(page.lines.first == "The best loss of 4 trials is 1.583, by trial 3.", "\(page)")
      #expect(page.lines.contains { $0.hasPrefix("x ") && $0.contains("%") })
      for chart in AnalysisChart.allCases {
        let drawn = try await place.martlet("sweep", "analyze", "grid", "--chart", chart.rawValue)
        #expect(
          drawn.status == 0
            && drawn.lines.count > (["pareto", "hypervolume"].contains(chart.rawValue) ? 0 : 4), "\(drawn)")
      }
      let two = try await place.martlet(
        "sweep", "analyze", "grid", "--chart", "rank", "--chart", "edf", "--x", "y")
      #expect(
        two.output.contains("y across, x up") && two.output.contains("share of complete trials"), "\(two)")

      let json = try await place.json("sweep", "analyze", "grid")
      #expect(Set(json["charts"]?.object?.keys ?? []) == Set(AnalysisChart.allCases.map(\.rawValue)))
      #expect(json["charts"]?["contour"]?["surface"]?.array?.count == 2)
      #expect(json["trials"]?["complete"] == 4)
      let one = try await place.json("sweep", "analyze", "grid", "--chart", "history")
      #expect(one["charts"]?.object.map { Array($0.keys) } == ["history"])

      let rows = try await place.martlet("sweep", "analyze", "grid", "--format", "csv")
      #expect(rows.output.hasPrefix("trial,state,feasible,outside,x,y,loss,best,rank\r\n"), "\(rows)")
      #expect(rows.output.contains("\r\n3,complete,true,false,1,0.25,1.583"))
      #expect(rows.output.hasSuffix(",1\r\n") && rows.output.split(separator: "\r\n").count == 5)

      for (wrong, words) in [
        (["--chart", "contur"], "Did you mean 'contour'?"), (["--objective", "los"], "Did you mean 'loss'?"),
        (["--objective", "1"], "there is none at place 1"),
        (["--chart", "rank", "--x", "z"], "It searches x, y."),
        (["--x", "x"], "neither is asked for"),
        (["--format", "csv", "--chart", "edf"], "a row for each trial"),
      ] {
        let refused = try await place.martlet(["sweep", "analyze", "grid"] + wrong)
        #expect(refused.status != 0 && refused.output.isEmpty && refused.errors.contains(words), "\(refused)")
      }
    }
  }

  @Test("a sweep that looks for nothing has no analysis")
  func nothing() async throws {
    try await Workplace.withServer { place in
      let path = try place.writeGrid()
      try place.write(
        "grid.yaml", try place.text(of: path).replacing("metric: {name: loss, goal: minimize}\n", with: ""))
      #expect(try await place.martlet("sweep", "run", "grid.yaml").status == 0)
      let refused = try await place.martlet("sweep", "analyze", "grid")
      #expect(refused.status != 0 && refused.errors.contains("looks for nothing"), "\(refused)")
    }
  }
}
