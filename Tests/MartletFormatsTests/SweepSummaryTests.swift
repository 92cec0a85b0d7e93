// The ranking, the CSV and the note beside the best checkpoint.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct SweepSummaryTests {
  /// A trial with what its line shows.
  private struct Line {
    var standing: TrialStanding
    var row: SweepSummary.Row
  }

  /// The table of these trials, as it is written.
  private func csv(_ summary: SweepSummary, _ lines: [Line]) -> String {
    let rows = Dictionary(uniqueKeysWithValues: lines.map { ($0.standing.number, $0.row) })
    return summary.header + summary.ranked.compactMap { rows[$0.number].map(summary.line) }.joined()
  }

  private func row(
    _ number: Int, _ name: String, _ state: TrialState = .complete, _ parameters: JSONObject = [:],
    loss: (final: Double, min: Double, max: Double)? = nil, objective: Double? = nil, train: Double? = nil
  ) -> Line {
    Line(
      standing: TrialStanding(number: number, runName: name, state: state, objective: objective),
      row: SweepSummary.Row(
        runName: name, state: state.rawValue, parameters: parameters,
        metric: .init(final: loss?.final, min: loss?.min, max: loss?.max), trainLoss: train))
  }

  private func specification(goal: String) throws -> SweepSpecification {
    try SweepSpecification.read(
      source: """
        program: t.py
        method: grid
        metric: {name: val/loss, goal: \(goal)}
        parameters: {lr: {values: [1e-5]}, "a,b": {values: [x]}}
        """)
  }

  @Test func csvOfASweep() throws {
    let lines = [
      row(0, "crow-0", .failed, ["lr": 1e-5, "a,b": "x"], loss: (0.1, 0.1, 0.1), objective: 0.1),
      row(
        1, "owl-1", .complete, ["lr": 1e-5, "a,b": "say \"hi\", you"], loss: (0.5, 0.25, 0.9),
        objective: 0.5),
      row(2, "tern-2", .complete, ["lr": 0.1, "a,b": "two\nlines"], loss: (0.3, 0.3, 3), objective: 0.3),
      row(3, "wren-3", .complete, ["lr": 1e-4, "a,b": true]),
      row(4, "swift-4", .complete, ["lr": 1, "a,b": nil], loss: (.nan, .nan, .nan), objective: .nan),
    ]
    let summary = SweepSummary(of: try specification(goal: "minimize"), lines.map(\.standing))
    #expect(
      csv(summary, lines) == """
        run_name,state,lr,"a,b",final_val/loss,min_val/loss
        tern-2,complete,0.1,"two
        lines",0.3,0.3
        owl-1,complete,1e-05,"say ""hi"", you",0.5,0.25
        wren-3,complete,0.0001,True,,
        swift-4,complete,1,None,nan,nan
        crow-0,failed,1e-05,x,0.1,0.1

        """)
    #expect(summary.best?.runName == "tern-2")
  }

  @Test func maximizingTurnsItRound() throws {
    let lines = [
      row(0, "a", loss: (0.2, 0.1, 0.9), objective: 0.2),
      row(1, "b", loss: (0.3, 0.1, 0.8), objective: 0.3),
      row(2, "c", loss: (0.3, 0.1, 0.8), objective: 0.3),
    ]
    let summary = SweepSummary(of: try specification(goal: "maximize"), lines.map(\.standing))
    #expect(summary.ranked.map(\.runName) == ["b", "c", "a"])
    #expect(
      csv(summary, lines).hasPrefix(
        "run_name,state,lr,\"a,b\",final_val/loss,max_val/loss\nb,complete,,,0.3,0.8\n"))
  }

  @Test func onlyTheCompleteCompeteForTheBest() throws {
    let lines = [
      row(0, "failed", .failed, objective: 0.1), row(1, "empty"), row(2, "slow", .running, objective: 0.3),
      row(3, "pruned", .pruned, objective: 0.2), row(4, "nan", objective: .nan),
      row(5, "worse", objective: 0.9),
      row(6, "best", objective: 0.8),
    ]
    let summary = SweepSummary(of: try specification(goal: "minimize"), lines.map(\.standing))
    #expect(summary.ranked.map(\.runName) == ["best", "worse", "pruned", "slow", "empty", "nan", "failed"])
    #expect(summary.best?.runName == "best")
  }

  @Test func ghostsColumns() throws {
    let file = try SweepSpecification.read(
      source: #"{"base_command": "x", "sweep_params": {"a": {"values": [1, 2, 3], "prefix": "a"}}}"#)
    let lines = [
      row(0, "a_1", .complete, ["a": 1], loss: (4.5, 4.5, 9), objective: 4.5, train: 4.25),
      row(1, "a_2", .failed, ["a": 2]),
      row(2, "a_3", .complete, ["a": 3], loss: (5, 4, 9), objective: 4, train: 3),
    ]
    let summary = SweepSummary(of: file, lines.map(\.standing))
    #expect(
      csv(summary, lines) == """
        run_name,final_eval_loss,min_eval_loss,final_train_loss
        a_3,5.0,4.0,3.0
        a_1,4.5,4.5,4.25
        a_2,,,

        """)
  }

  @Test func withoutAMetric() throws {
    let file = try SweepSpecification.read(
      source: "program: t.py\nmethod: grid\nparameters: {a: {values: [1, 2]}}")
    let lines = [row(1, "b", .complete, ["a": 2]), row(0, "a", .failed, ["a": 1])]
    let summary = SweepSummary(of: file, lines.map(\.standing))
    #expect(csv(summary, lines) == "run_name,state,a\nb,complete,2\na,failed,1\n")
    #expect(summary.best == nil)
  }

  @Test func theNoteBesideTheBestModel() throws {
    let id = try #require(PublicID(rawValue: "abcd1234"))
    var best = BestModel(
      runName: "swift-finch-3", runID: id, sweep: "digits", parameters: ["lr": 0.1],
      objective: Objective(metric: "val/loss", goal: .minimize), value: 0.25,
      sourcePath: "/out/swift-finch-3/best_model.pt",
      digest: .file("00ff"), command: ["python3", "train.py"], gitCommit: nil,
      time: Timestamp(microseconds: 1_700_000_000_123_456))
    #expect(
      best.metadata == [
        "run_name": "swift-finch-3", "run_id": "abcd1234", "sweep": "digits", "parameters": ["lr": 0.1],
        "objective": ["name": "val/loss", "goal": "minimize", "value": 0.25],
        "source_path": "/out/swift-finch-3/best_model.pt", "sha256": "00ff",
        "command": ["python3", "train.py"],
        "git_commit": nil, "time": "2023-11-14T22:13:20Z",
      ])
    best.digest = .folder(["config.json": "01", "sub/weights": "02"])
    #expect(best.metadata["sha256"] == .null)
    #expect(best.metadata["files"] == ["config.json": "01", "sub/weights": "02"])
  }
}
