// The experiments of a sweep as hex's tools read them: one file for all, one for each run, and a table.

import Foundation
package import MartletModel
import MartletSearch
import OrderedCollections

/// One trial that has ended.
package struct Experiment: Sendable {
  package var trial: Trial
  /// Nested, as the file has them.
  package var parameters: JSONValue
  package var directory: String?

  package init(trial: Trial, parameters: JSONValue, directory: String?) {
    self.trial = trial
    self.parameters = parameters
    self.directory = directory
  }

  /// What it is ranked by: what its sweep looks for, else the best of its validation loss.
  var best: Double? { trial.objective ?? trial.findings?.validation?.best }

  /// Seconds.
  private var seconds: Double? {
    guard let start = trial.startedAt, let end = trial.endedAt else { return nil }
    return max(0, end - start)
  }

  fileprivate func members(name: String) -> JSONObject {
    let findings = trial.findings
    var members: JSONObject = [
      "experiment_name": .string(name), "run_id": .string(trial.run.rawValue),
      "trial": .int(Int64(trial.number)), "state": .string(trial.state.rawValue),
      "hyperparameters": parameters, "best_val_loss": JSONValue(best),
      "early_stopped": .bool(trial.state == .pruned || findings?.isEarlyStopped == true),
      "epochs_trained": JSONValue(findings?.epochs), "total_time": JSONValue(seconds),
      "attempts": .int(Int64(trial.attempts)), "issues": JSONValue(findings?.issues ?? []),
      "results_dir": JSONValue(directory),
    ]
    if let training = findings?.training { members["final_train_loss"] = .double(training.final) }
    if let validation = findings?.validation { members["final_val_loss"] = .double(validation.final) }
    if let reason = trial.reason { members["error"] = .string(reason) }
    return members
  }

  /// The content of `experiment_results.json` in the run's directory.
  ///
  /// - Parameter series: of its metrics; of long ones the last value of each bucket is written.
  package func results(objective: Objective?, series: [Series]) -> JSONValue {
    var members = members(name: trial.runName)
    members["metric"] = objective?.json ?? .null
    var (all, steps): (JSONObject, JSONObject) = ([:], [:])
    for line in series {
      let values =
        switch line.points {
        case .raw(let values): values
        case .buckets(_, let last, _, _, _, _, _): last
        }
      all[line.key] = .array(values.map(JSONValue.double))
      steps[line.key] = .array(line.steps.map(JSONValue.int))
    }
    members["all_metrics"] = .object(all)
    members["steps"] = .object(steps)
    return .object(members)
  }
}

/// All experiments of a sweep that have ended, under names of which none is another's.
package struct OverallResults: Sendable {
  private let experiments: [(name: String, experiment: Experiment)]
  private let objective: Objective?

  /// - Parameter experiments: those that have ended, in any order.
  package init(_ experiments: [Experiment], objective: Objective?) {
    self.objective = objective
    let ranked = experiments.sorted { a, b in
      switch (a.best, b.best) {
      case (let x?, let y?) where !x.isNaN && !y.isNaN && x != y:
        return objective?.isBetter(x, than: y) ?? (x < y)
      case (let x, let y):
        let (isValue, isOther) = (x.map { !$0.isNaN } ?? false, y.map { !$0.isNaN } ?? false)
        return isValue != isOther ? isValue : a.trial.number < b.trial.number
      }
    }
    // Runs are renamed by people, who may give two of them one name.
    let counts = Dictionary(ranked.map { ($0.trial.runName, 1) }, uniquingKeysWith: +)
    var taken: Set<String> = Set(counts.filter { $0.value == 1 }.keys)
    self.experiments = ranked.map { experiment in
      var name = experiment.trial.runName
      if counts[name] != 1 {
        name += "_\(experiment.trial.number)"
        while !taken.insert(name).inserted { name += "_" }
      }
      return (name, experiment)
    }
  }

  private var succeeded: [(name: String, experiment: Experiment)] {
    experiments.filter { $0.experiment.trial.state != .failed }
  }

  private var failed: [(name: String, experiment: Experiment)] {
    experiments.filter { $0.experiment.trial.state == .failed }
  }

  /// The content of `overall_results.json`: successes best first, failures by number.
  ///
  /// - Parameter seconds: since the sweep began.
  package func json(name: String, seconds: Double?) -> JSONValue {
    let failures = failed.sorted { $0.experiment.trial.number < $1.experiment.trial.number }
    return [
      "experiment_name": .string(name), "total_time": JSONValue(seconds),
      "metric": objective?.json ?? .null, "num_experiments": .int(Int64(experiments.count)),
      "successful_experiments": .int(Int64(experiments.count - failures.count)),
      "failed_experiments": .int(Int64(failures.count)),
      "experiments": .array(succeeded.map { .object($0.experiment.members(name: $0.name)) }),
      "failed": .array(failures.map { .object($0.experiment.members(name: $0.name)) }),
    ]
  }

  /// The content of `experiments.csv`: successes, best first.
  package var csv: String {
    let isLoss = objective?.goal != .maximize
    let shown = isLoss ? "Val Loss" : objective?.metric ?? ""
    let header = [
      "Experiment", "Final Train Loss", "Final \(shown)", "Best \(shown)", "Epochs Trained", "Early Stopped",
      "Loss Decrease", "Issues",
    ]
    let rows = succeeded.map { name, experiment -> [String] in
      let findings = experiment.trial.findings
      let falling = findings?.training ?? (isLoss ? findings?.validation : nil)
      return [
        name, Self.cell(findings?.training?.final), Self.cell(findings?.validation?.final),
        Self.cell(experiment.best), findings?.epochs.map { String($0) } ?? "",
        experiment.trial.state == .pruned || findings?.isEarlyStopped == true ? "True" : "False",
        Self.cell(falling.map { $0.first - $0.final }), (findings?.issues ?? []).joined(separator: " "),
      ]
    }
    return ([header] + rows).map { $0.map(SweepSummary.quoted).joined(separator: ",") + "\n" }.joined()
  }

  private static func cell(_ value: Double?) -> String { value.map { PythonText.text($0) } ?? "" }
}
