// What the trials of a sweep showed, and which charts are told of it.

import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletOrchestration
@testable import MartletStore

@Suite struct SweepFindingsTests {
  private let id = PublicID(rawValue: "abcd1234")

  private func trial(
    _ number: Int, _ x: Double, _ losses: [Double], _ state: TrialState = .complete
  ) throws -> Trial {
    var trial = Trial(
      number: number, state: state, run: try #require(id), runName: "r", runState: .finished,
      parameters: ["x": .double(x), "y": .double(Double(number % 7) / 7)],
      createdAt: Timestamp(microseconds: 0))
    trial.objective = losses.first
    trial.measured = Measured(others: Array(losses.dropFirst())).json
    return trial
  }

  @Test func `which method chooses, and who came no further than which rung`() throws {
    let trials = try (0..<6).map { number in
      var trial = try trial(number, 0.1 * Double(number), [1], number < 3 ? .complete : .pruned)
      if number >= 3 { trial.measured = Measured(step: [4, 9, 2][number - 3]).json }
      return trial
    }
    let rule = "early_terminate: {type: asha, min_iter: 3, eta: 3}"
    let json = try findings("metric: {name: loss, goal: minimize}\n\(rule)", trials)
    #expect(
      json["stopping"]?["rungs"] == [
        ["step": 3, "stopped": [3], "paused": []], ["step": 9, "stopped": [4], "paused": []],
      ])
    #expect(json["stopping"]?["rules"]?.array?.count == 1)
    #expect(json["search"]?["method"] == "random")
    #expect(json["search"]?["stages"]?.array?.first?["until"]?.isNull == true)
    #expect(json["search"]?["reason"]?.isNull == true)
    #expect(try findings("metric: {name: loss, goal: minimize}", trials)["stopping"]?.isNull == true)
  }

  private func specification(_ metric: String) throws -> SweepSpecification {
    try SweepSpecification.read(
      source: """
        name: two
        method: random
        \(metric)
        parameters: {x: {min: 0.0, max: 1.0}, y: {min: 0.0, max: 1.0}}
        command: ["true"]
        """)
  }

  private let two = "objectives: [{name: loss, goal: minimize}, {name: accuracy, goal: maximize}]"

  private func findings(
    _ metric: String, _ trials: [Trial], _ question: SweepFindings.Question = .init(),
    patience: Duration = .seconds(60), mostCells: Int = SweepFindings.mostCells
  ) throws -> JSONValue {
    SweepFindings(
      of: try #require(id), try specification(metric), trials, question, patience: patience,
      mostCells: mostCells
    ).json
  }

  @Test func `what matters, how the search goes and the front`() throws {
    let trials = try (0..<40).map { number in
      let x = Double(number) / 40
      return try trial(number, x, [x * x, x])
    }
    let json = try findings(two, trials + [trial(40, 0.5, [], .failed), trial(41, 0.1, [], .running)])
    #expect(json["trials"] == ["ended": 41, "complete": 40, "feasible": 40, "outside": 0])
    #expect(json["progress"]?["best_trial"] == 0)
    let first = json["importance"]?["parameters"]?.array?.first
    #expect(first?["name"] == "x")
    #expect((first?["variance"]?.double ?? 0) > 0.6)
    #expect(json["importance"]?["note"]?.isNull == true)
    #expect(json["slices"]?.array?.map { $0["values"]?.array?.count } == [64, 64])
    // Lower losses cost accuracy: all are on the front.
    #expect(json["front"]?.array?.count == 40)
    #expect(json["hypervolume"]?["trials"]?.array?.count == 40)
    #expect(json["left_out"] == [])
    // Of a maximised one the values are as they were logged.
    let other = try findings(two, trials, .init(objective: 1))
    #expect(other["progress"]?["best"]?.double == 39.0 / 40)
  }

  @Test func `too few trials, and trials that are all the same, are said in words`() throws {
    let metric = "metric: {name: loss, goal: minimize}"
    func note(_ trials: [Trial]) throws -> String? {
      let json = try findings(metric, trials)
      #expect(json["importance"]?["parameters"] == [])
      #expect(json["front"]?.isNull == true)
      return json["importance"]?["note"]?.string
    }
    #expect(try note([]) == "What matters can be said from 4 complete trials on: there are none yet.")
    #expect(
      try note([trial(0, 0.5, [1])]) == "What matters can be said from 4 complete trials on: there is 1.")
    #expect(
      try note((0..<9).map { try trial($0, Double($0) / 9, [1]) })
        == "All complete trials came to the same value: there is nothing to explain.")
  }

  @Test func `when time is up what is missing is named`() throws {
    let trials = try (0..<20).map { try trial($0, Double($0) / 20, [Double($0), 1]) }
    let json = try findings(two, trials, patience: .zero)
    #expect(json["left_out"] == ["importance", "interactions", "slices"])
    #expect(json["progress"]?["best"]?.double == 0)
  }

  @Test func `each objective has its own target`() throws {
    let aims =
      "objectives: [{name: loss, goal: minimize}, {name: accuracy, goal: maximize, target: 12}]"
    let trials = try (0..<10).map { try trial($0, Double($0) / 10, [1, Double($0)]) }
    #expect(try findings(aims, trials)["progress"]?["regret"]?.isNull == true)
    #expect(try findings(aims, trials, .init(objective: 1))["progress"]?["regret"]?.double == 3)
  }

  // MARK: - Charts

  private let everything = SweepFindings.Question(
    charts: Set(AnalysisChart.allCases).subtracting([.timeline]))

  @Test func `charts are told when they are asked for`() throws {
    let trials = try (0..<20).map { try trial($0, Double($0) / 20, [abs(10 - Double($0)), Double($0)]) }
    let plain = try findings(two, trials)
    #expect(plain["charts"] == [:] && plain["chart_notes"] == [:])
    let json = try findings(two, trials + [trial(20, 0.5, [], .failed)], everything)
    let charts = try #require(json["charts"])
    #expect(charts["history"]?["trials"]?.array?.count == 21)
    #expect(charts["history"]?["best"]?.array?.last?.double == 0)
    #expect(charts["edf"]?["metric"]?.array?.count == 20)
    #expect(charts["slices"]?.array?.map { $0["trials"]?.array?.count } == [20, 20])
    #expect(charts["contour"]?["surface"]?.array?.count == 64)
    #expect(charts["rank"]?["surface"] == nil && charts["rank"]?["rank"]?.array?.count == 20)
    #expect(charts["parallel"]?["axes"]?.array?.compactMap { $0["name"]?.string } == ["x", "y"])
    #expect(charts["pareto"]?["trials"]?.array?.count == 20)
    #expect(charts["hypervolume"] == json["hypervolume"])
    let table = try #require(charts["trials"])
    #expect(table["parameters"]?["x"]?.array?.count == 21)
    #expect(table["metrics"]?.array?.map { $0.array?.count } == [21, 21])
    #expect(table["rank"]?.array?[10] == 1 && table["rank"]?.array?[20] == .null)
    // 9 and 11 share the second place.
    #expect(table["rank"]?.array?[9] == 2 && table["rank"]?.array?[11] == 2 && table["rank"]?.array?[8] == 4)
    #expect(table["feasible"]?.array?[20] == .null)
    #expect(json["chart_notes"] == [:])
    #expect(try JSONValue.parse(json.text) == json)
  }

  @Test func `the parameters of a chart of two are those that matter, or those that are named`() throws {
    let trials = try (0..<30).map { try trial($0, Double($0) / 30, [Double($0 % 7)]) }
    let one = "metric: {name: loss, goal: minimize}"
    func axes(_ question: SweepFindings.Question, _ trials: [Trial]) throws -> [String?] {
      let chart = try findings(one, trials, question)["charts"]?["rank"]
      return [chart?["x"]?["name"]?.string, chart?["y"]?["name"]?.string]
    }
    #expect(Set(try axes(.init(charts: [.rank]), trials)) == ["x", "y"])
    #expect(try axes(.init(charts: [.rank]), []) == ["x", "y"])
    #expect(try axes(.init(charts: [.rank], x: "y"), trials) == ["y", "x"])
    #expect(try axes(.init(charts: [.rank], y: "x"), trials) == ["y", "x"])
    let none = try findings(one, [], everything)
    #expect(none["charts"]?["contour"]?["surface"] == [])
    #expect(none["chart_notes"]?["contour"]?.string?.hasPrefix("What matters can be said from 4") == true)
    #expect(none["charts"]?["pareto"]?.isNull == true)
    #expect(none["chart_notes"]?["pareto"] == "The sweep has one objective: there is no front.")
  }

  @Test func `charts of too many trials are left out, and named`() throws {
    let trials = try (0..<20).map { try trial($0, Double($0) / 20, [Double($0), 1]) }
    let json = try findings(two, trials, everything, patience: .zero)
    #expect(
      json["left_out"] == ["importance", "interactions", "slices", "charts.contour", "charts.slices"])
    #expect(json["charts"]?["contour"]?["surface"] == [])
    #expect(json["charts"]?["history"]?["trials"]?.array?.count == 20)
    // Two parameters of twenty trials.
    let large = try findings(two, trials, everything, mostCells: 39)
    #expect(large["left_out"] == ["charts.slices", "charts.parallel", "charts.trials"])
    #expect(large["charts"]?["trials"]?.isNull == true && large["charts"]?["edf"]?.isNull == false)
    #expect(large["slices"]?.array?.count == 2)
    #expect(try findings(two, trials, everything, mostCells: 40)["left_out"] == [])
  }

  @Test func `a timeline is put to an answer`() throws {
    var (first, second) = (try trial(0, 0, [1]), try trial(1, 0, [], .running))
    (first.startedAt, first.endedAt) = (
      Timestamp(microseconds: 1_000_000), Timestamp(microseconds: 3_000_000)
    )
    second.startedAt = Timestamp(microseconds: 2_000_000)
    let timeline = SweepFindings.timeline([first, second, try trial(2, 0, [], .waiting)], now: 5)
    let answer = try SweepFindings.adding(timeline, to: Array(#"{"charts": {"edf": null}, "a": 1}"#.utf8))
    let json = try JSONValue.parse(answer)
    let chart = json["charts"]?["timeline"]
    #expect(json["charts"]?["edf"]?.isNull == true)
    #expect(chart?["trials"] == [0, 1] && chart?["lane_count"] == 2)
    #expect(chart?["until"]?.double == 5 && chart?["end"]?.array?.last?.isNull == true)
    #expect(chart?["utilization"]?.double == 5.0 / 8)
  }

  // MARK: - Trials outside the space

  @Test func `trials outside the present space count in all but what is said of parameters`() throws {
    var trials = try (0..<20).map { try trial($0, Double($0) / 10, [2 - Double($0) / 10, Double($0)]) }
    // The best lies outside; the last one besides is infeasible, and never the best.
    trials[19].measured = Measured(others: [19], violations: [1]).json
    let json = try findings(two, trials, everything)
    // x of 0 to 1: eleven trials.
    #expect(json["trials"] == ["ended": 20, "complete": 20, "feasible": 19, "outside": 9])
    #expect(json["progress"]?["best_trial"] == 18)
    let sentence =
      "9 trials lie outside the space of the sweep's present file: they count in all but what is said of parameters."
    #expect(json["progress"]?["statements"]?.array?.last == .string(sentence))
    #expect(json["importance"]?["note"] == .string(sentence))
    #expect(json["importance"]?["trials"] == 11)
    #expect(json["importance"]?["parameters"]?.array?.first?["trials"] == 11)
    #expect(json["front"] == [18])
    #expect(json["distribution"]?["metric"]?.array?.count == 20)
    #expect(json["hypervolume"]?["trials"]?.array?.count == 19)
    #expect(json["charts"]?["history"]?["trials"]?.array?.count == 20)
    #expect(json["charts"]?["parallel"]?["trials"]?.array?.count == 11)
    #expect(json["charts"]?["pareto"]?["trials"]?.array?.count == 20)
    let table = json["charts"]?["trials"]
    #expect(table?["outside"]?.array?.map(\.bool) == (0..<20).map { $0 > 10 })
    #expect(table?["rank"]?.array?[18] == 1 && table?["rank"]?.array?[19] == .null)
    let few = try findings(two, Array(trials.suffix(10)))
    #expect(
      few["importance"]?["note"]?.string?.hasPrefix(
        "What matters can be said from 4 complete trials on: there is 1. 9 trials lie outside") == true)
  }

  // MARK: - Questions

  @Test func `what a sweep has not is refused, and what it has is named`() throws {
    let sweep = try #require(id)
    let specification = try specification(two)
    func refusal(
      _ objective: String? = nil, _ charts: String? = nil, x: String? = nil, y: String? = nil
    ) throws -> String? {
      do {
        _ = try AnalysisQuestion(objective: objective, charts: charts, x: x, y: y)
          .resolved(in: specification, of: sweep)
        return nil
      } catch {
        #expect(error.code == .unprocessable)
        return error.description
      }
    }
    #expect(try refusal("accuracy", "contour,rank", x: "x", y: "y") == nil)
    #expect(try refusal("1") == nil)
    #expect(
      try refusal("acuracy")
        == "Sweep 'abcd1234' has no objective 'acuracy'. Did you mean 'accuracy'? It has loss, accuracy.")
    #expect(
      try refusal("2") == "Sweep 'abcd1234' has 2 objectives: there is none at place 2. Places count from 0.")
    #expect(
      try refusal(nil, "contur")?.hasPrefix("There is no chart 'contur'. Did you mean 'contour'?") == true)
    #expect(
      try refusal(nil, "contour", x: "z")?.hasPrefix("Sweep 'abcd1234' searches no parameter 'z'.") == true)
    #expect(try refusal(nil, "contour", x: "x", y: "x")?.hasPrefix("'x' and 'y' are both 'x'") == true)
    #expect(try refusal(nil, "edf", y: "x")?.hasPrefix("'y' names a parameter of the charts") == true)
    let question = try AnalysisQuestion(objective: "accuracy").resolved(in: specification, of: sweep)
    #expect(question.objective == 1)
  }
}
