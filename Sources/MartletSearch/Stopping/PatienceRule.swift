// Patience: a trial that has not become better for a while.

import HashTreeCollections
import MartletModel

/// Stops a trial that went a number of reports without becoming better in any objective.
///
/// Prechelt, "Early Stopping — But When?" (1998), the criterion of unsuccessful strips. A report at a step that was
/// reported before counts for no time passed.
struct PatienceRule: StoppingRule {
  /// How many reports without a better one end a trial, 1 or more.
  let patience: Int
  /// By how much a loss must fall to be better, 0 or more.
  let leastGain: Double
  /// No trial is stopped before this step.
  let firstStep: Int64
  let wordings: [MetricWording]
  private var trials: TreeDictionary<Int, Memory> = [:]

  private struct Memory: Hashable, Sendable {
    var best: [Double]
    var bestStep: Int64
    var reach: Int64
    var fruitless = 0
  }

  init(patience: Int, leastGain: Double, firstStep: Int64, wordings: [MetricWording]) {
    (self.patience, self.leastGain) = (patience, leastGain)
    (self.firstStep, self.wordings) = (firstStep, wordings)
  }

  mutating func report(_ report: StoppingReport) -> StoppingDecision {
    guard var memory = trials[report.trial] else {
      trials[report.trial] = Memory(best: report.losses, bestStep: report.step, reach: report.step)
      return .goOn
    }
    defer { trials[report.trial] = memory }
    var isBetter = false
    for (index, loss) in report.losses.enumerated() where loss < memory.best[index] - leastGain {
      memory.best[index] = loss
      isBetter = true
    }
    if isBetter {
      memory.fruitless = 0
      memory.bestStep = report.step
    } else if report.step > memory.reach {
      memory.fruitless += 1
    }
    memory.reach = max(memory.reach, report.step)
    guard memory.fruitless >= patience, report.step >= firstStep else { return .goOn }
    let names = wordings.map(\.name).joined(separator: " and ")
    let best = memory.best.count == 1 ? " (\(wordings[0].text(memory.best[0])))" : ""
    return .stop(
      "Its \(names) became no better in \(memory.fruitless) reports since step \(memory.bestStep)\(best).")
  }

  mutating func settle(trial: Int, as state: TrialState) {}

  func memory(of trial: Int) -> JSONValue? {
    trials[trial].map {
      [
        "best": .array($0.best.map(JSONValue.double)), "at": .int($0.bestStep), "reach": .int($0.reach),
        "fruitless": .int(Int64($0.fruitless)),
      ]
    }
  }

  mutating func restore(trial: Int, _ memory: JSONValue) throws(SearchError) {
    guard let best = memory["best"]?.array?.compactMap(\.double), best.count == wordings.count,
      let bestStep = memory["at"]?.int, let reach = memory["reach"]?.int,
      let fruitless = memory["fruitless"]?.int
    else { throw unusable(trial: trial) }
    trials[trial] = Memory(best: best, bestStep: bestStep, reach: reach, fruitless: Int(fruitless))
  }
}
