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

/// All experiments of a sweep that have ended, under names of which none is another's; written an experiment at a time.
package struct OverallResults: Sendable {
  /// Where an experiment's members are to be found, and what it is called.
  package struct Entry: Sendable, Hashable {
    package var number: Int
    package var name: String
  }

  /// Best first.
  package let succeeded: [Entry]
  /// By number.
  package let failed: [Entry]
  private let objective: Objective?

  /// - Parameter standings: of all trials, in any order.
  package init(_ standings: [TrialStanding], objective: Objective?) {
    self.objective = objective
    // Ranked by what the sweep looks for, else by the best of the validation loss.
    let ended = standings.filter(\.state.isEnd).map { ($0, best: $0.objective ?? $0.validation) }
    let ranked = ended.sorted { a, b in
      switch (a.best, b.best) {
      case (let x?, let y?) where !x.isNaN && !y.isNaN && x != y:
        return objective?.isBetter(x, than: y) ?? (x < y)
      case (let x, let y):
        let (isValue, isOther) = (x.map { !$0.isNaN } ?? false, y.map { !$0.isNaN } ?? false)
        return isValue != isOther ? isValue : a.0.number < b.0.number
      }
    }.map(\.0)
    // Runs are renamed by people, who may give two of them one name.
    let counts = Dictionary(ranked.map { ($0.runName, 1) }, uniquingKeysWith: +)
    var taken: Set<String> = Set(counts.filter { $0.value == 1 }.keys)
    var (succeeded, failed): ([Entry], [Entry]) = ([], [])
    for standing in ranked {
      var name = standing.runName
      if counts[name] != 1 {
        name += "_\(standing.number)"
        while !taken.insert(name).inserted { name += "_" }
      }
      let entry = Entry(number: standing.number, name: name)
      if standing.state == .failed { failed.append(entry) } else { succeeded.append(entry) }
    }
    self.succeeded = succeeded
    self.failed = failed.sorted { $0.number < $1.number }
  }

  // MARK: - overall_results.json: successes best first, failures by number

  /// The file up to the first success.
  ///
  /// - Parameter seconds: since the sweep began.
  package func opening(name: String, seconds: Double?) -> String {
    let members: JSONObject = [
      "experiment_name": .string(name), "total_time": JSONValue(seconds),
      "metric": objective?.json ?? .null,
      "num_experiments": .int(Int64(succeeded.count + failed.count)),
      "successful_experiments": .int(Int64(succeeded.count)),
      "failed_experiments": .int(Int64(failed.count)),
    ]
    let text = String(decoding: JSONValue.object(members).bytes(indented: true), as: UTF8.self)
    // Without the bracket that closes it.
    return text.dropLast(2) + ",\n  \"experiments\": ["
  }

  /// Between the last success and the first failure.
  package var middle: String { (succeeded.isEmpty ? "" : "\n  ") + "],\n  \"failed\": [" }

  /// Behind the last failure.
  package var ending: String { (failed.isEmpty ? "" : "\n  ") + "]\n}\n" }

  /// An element of either list.
  package func element(_ experiment: Experiment, _ entry: Entry, isFirst: Bool) -> [UInt8] {
    var out = Array((isFirst ? "\n    " : ",\n    ").utf8)
    JSONValue.object(experiment.members(name: entry.name)).write(to: &out, indent: 2)
    return out
  }

  // MARK: - experiments.csv: successes, best first

  package var header: String {
    let shown = isLoss ? "Val Loss" : objective?.metric ?? ""
    return SweepSummary.line([
      "Experiment", "Final Train Loss", "Final \(shown)", "Best \(shown)", "Epochs Trained", "Early Stopped",
      "Loss Decrease", "Issues",
    ])
  }

  package func line(_ experiment: Experiment, _ entry: Entry) -> String {
    let findings = experiment.trial.findings
    let falling = findings?.training ?? (isLoss ? findings?.validation : nil)
    return SweepSummary.line([
      entry.name, SweepSummary.cell(findings?.training?.final),
      SweepSummary.cell(findings?.validation?.final),
      SweepSummary.cell(experiment.best), findings?.epochs.map { String($0) } ?? "",
      experiment.trial.state == .pruned || findings?.isEarlyStopped == true ? "True" : "False",
      SweepSummary.cell(falling.map { $0.first - $0.final }),
      (findings?.issues ?? []).joined(separator: " "),
    ])
  }

  private var isLoss: Bool { objective?.goal != .maximize }
}
