// What is found in the losses of a trial, and how experiments are told of.

import MartletModel
import MartletSearch
import OrderedCollections
import Testing

@testable import MartletFormats

@Suite struct LossCheckTests {
  private let loss = Objective(metric: "val/loss", goal: .minimize)
  private let run = PublicID(rawValue: "run00001") ?? .random()

  private func found(
    _ curves: KeyValuePairs<String, [Double]>, objective: Objective? = nil, pruned: Bool = false
  ) -> TrialFindings {
    var metrics: [MetricSummary] = []
    var series: [Series] = []
    for (name, values) in curves {
      var summary: MetricSummary?
      for (step, value) in values.enumerated() {
        if summary == nil {
          summary = MetricSummary(name: name, value: value, step: 0, time: Timestamp(microseconds: 0))
        } else {
          summary?.add(value, step: Int64(step), time: Timestamp(microseconds: 0))
        }
      }
      if let summary { metrics.append(summary) }
      series.append(
        Series(
          run: run, key: name, count: values.count, steps: values.indices.map(Int64.init),
          times: values.map { _ in 0 }, points: .raw(values: values)))
    }
    return LossCheck(metrics: metrics, objective: objective ?? loss).findings(in: series, wasPruned: pruned)
  }

  @Test func `losses that fall have nothing wrong`() {
    let findings = found([
      "train/loss": [2, 1, 0.5], "val/loss": [2, 1.2, 0.9], "accuracy": [0.1, 0.5, 0.4],
    ])
    #expect(findings.issues == [])
    #expect(findings.training?.first == 2 && findings.training?.final == 0.5)
    #expect(findings.validation?.best == 0.9)
    #expect(findings.epochs == 3)
    #expect(!findings.isEarlyStopped)
  }

  @Test func `each trouble is said in a sentence`() {
    #expect(found(["val/loss": [0.5, 0.7]]).issues == ["val/loss rose from 0.5 to 0.7."])
    #expect(found(["val/loss": [1, .nan, 0.5]]).issues == ["val/loss was NaN in 1 of 3 points."])
    #expect(
      found(["train/loss": [1, .infinity, 0.5], "val/loss": [1, 0.9]]).issues == ["train/loss was infinite."])
    #expect(
      found(["train/loss": [1, 35, 0.5]]).issues
        == ["train/loss reached 35, more than 10: it may have exploded."])
    #expect(
      found(["train/loss": [1, 0.6, 0.3, 0.1], "val/loss": [1, 0.5, 0.7, 0.9]]).issues
        == ["val/loss rose from 0.5 at step 1 to 0.9 while train/loss fell from 0.6 to 0.1."])
  }

  @Test func `a loss that begins high and falls has not exploded, one that stays there has`() {
    #expect(found(["loss": [80, 20, 3]]).issues == [])
    #expect(found(["loss": [80, 60, 20]]).issues == ["loss reached 80, more than 10: it may have exploded."])
  }

  @Test func `what is no loss is not judged, and says how good a trial is all the same`() {
    let findings = found(
      ["accuracy": [0.9, 0.2], "perplexity": [900, 400]],
      objective: Objective(metric: "accuracy", goal: .maximize))
    #expect(findings.issues == [])
    #expect(findings.validation?.best == 0.9 && findings.validation?.final == 0.2)
  }

  @Test func `a program may say itself how long it trained`() {
    let findings = found(["val/loss": [1, 0.5], "epochs_trained": [7], "early_stopped": [1]])
    #expect(findings.epochs == 7 && findings.isEarlyStopped)
    #expect(found(["val/loss": [1]], pruned: true).isEarlyStopped)
    #expect(TrialFindings(json: findings.json) == findings)
  }

  // MARK: - Experiments

  private func experiment(
    _ number: Int, _ name: String, _ state: TrialState = .complete, _ best: Double? = nil,
    _ curves: KeyValuePairs<String, [Double]> = [:]
  ) -> Experiment {
    var trial = Trial(
      number: number, state: state, run: run, runName: name, runState: .finished, parameters: ["lr": 0.1],
      createdAt: Timestamp(microseconds: 0))
    trial.objective = best
    trial.findings = curves.isEmpty ? nil : found(curves)
    if state == .failed { trial.reason = "Exited with code 1." }
    return Experiment(trial: trial, parameters: ["lr": 0.1], directory: "/r/\(name)")
  }

  /// The files of these experiments, as they are written.
  private func files(_ experiments: [Experiment], seconds: Double? = nil) throws -> (
    json: JSONValue, csv: String
  ) {
    let overall = OverallResults(
      experiments.map { experiment in
        let trial = experiment.trial
        return TrialStanding(
          number: trial.number, runName: trial.runName, state: trial.state, objective: trial.objective,
          validation: trial.findings?.validation?.best)
      }, objective: loss)
    let all = Dictionary(uniqueKeysWithValues: experiments.map { ($0.trial.number, $0) })
    var json = overall.opening(name: "digits", seconds: seconds)
    var csv = overall.header
    for (place, entry) in overall.succeeded.enumerated() {
      let experiment = try #require(all[entry.number])
      json += String(decoding: overall.element(experiment, entry, isFirst: place == 0), as: UTF8.self)
      csv += overall.line(experiment, entry)
    }
    json += overall.middle
    for (place, entry) in overall.failed.enumerated() {
      let experiment = try #require(all[entry.number])
      json += String(decoding: overall.element(experiment, entry, isFirst: place == 0), as: UTF8.self)
    }
    json += overall.ending
    let value = try JSONValue.parse(json)
    // Bit by bit it is what it would be at once.
    #expect(json == String(decoding: value.bytes(indented: true), as: UTF8.self) + "\n")
    return (value, csv)
  }

  @Test func `successes stand best first, failures apart, and no name twice`() throws {
    let json = try files(
      [
        experiment(0, "a", .complete, 0.5), experiment(1, "b", .failed), experiment(2, "c", .complete, 0.2),
        experiment(3, "a", .complete, .nan), experiment(4, "a_0", .pruned, 0.3),
      ], seconds: 12
    ).json
    #expect(json["experiment_name"] == "digits" && json["total_time"]?.double == 12)
    #expect(json["num_experiments"] == 5)
    #expect(json["successful_experiments"] == 4 && json["failed_experiments"] == 1)
    let names = json["experiments"]?.array?.compactMap { $0["experiment_name"]?.string }
    // 'a_0' belongs to somebody, so that trial 0 bears another name.
    #expect(names == ["c", "a_0", "a_0_", "a_3"])
    let failed = try #require(json["failed"]?.array?.first)
    #expect(failed["error"] == "Exited with code 1." && failed["hyperparameters"]?["lr"] == 0.1)
    let none = try files([]).json
    #expect(none["experiments"] == [] && none["failed"] == [])
  }

  @Test func `the table has the columns of hex, best first`() throws {
    let table = try files([
      experiment(0, "a", .complete, 0.9, ["train/loss": [2, 0.5], "val/loss": [2, 0.9]]),
      experiment(1, "b", .complete, 0.5, ["train/loss": [1, 2], "val/loss": [0.5, 0.5]]),
      experiment(2, "x", .failed),
    ]).csv
    #expect(
      table == """
        Experiment,Final Train Loss,Final Val Loss,Best Val Loss,Epochs Trained,Early Stopped,Loss Decrease,Issues
        b,2.0,0.5,0.5,2,False,-1.0,train/loss rose from 1 to 2.
        a,0.5,0.9,0.9,2,False,1.5,

        """)
  }
}
