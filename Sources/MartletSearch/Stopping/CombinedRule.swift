// Several rules at once.

import HashTreeCollections
import MartletModel

/// Asks every rule: the first that wants a trial to end is heard, else the first that wants it to pause.
struct CombinedRule: StoppingRule {
  private var rules: [any StoppingRule]
  /// Whether the rule that last wanted a trial to end would sacrifice the incumbent.
  private var sacrifices: TreeDictionary<Int, Bool> = [:]

  init(_ rules: [any StoppingRule]) { self.rules = rules }

  mutating func report(_ report: StoppingReport) -> StoppingDecision {
    var answer = StoppingDecision.goOn
    var isSacrifice = false
    for index in rules.indices {
      switch (rules[index].report(report), answer) {
      case (.stop(let reason), .goOn), (.stop(let reason), .pause):
        answer = .stop(reason)
        isSacrifice = rules[index].maySacrifice(trial: report.trial)
      case (.stop(let reason), .stop):
        // An incumbent is spared by the other one.
        guard !isSacrifice, rules[index].maySacrifice(trial: report.trial) else { continue }
        answer = .stop(reason)
        isSacrifice = true
      case (.pause(let reason), .goOn): answer = .pause(reason)
      case (.goOn, _), (.pause, _): continue
      }
    }
    sacrifices[report.trial] = isSacrifice
    return answer
  }

  mutating func settle(trial: Int, as state: TrialState) {
    for index in rules.indices { rules[index].settle(trial: trial, as: state) }
  }

  func resumable() -> Int? { rules.lazy.compactMap { $0.resumable() }.first }

  func maySacrifice(trial: Int) -> Bool { sacrifices[trial] == true }

  func memory(of trial: Int) -> JSONValue? { .array(rules.map { $0.memory(of: trial) ?? .null }) }

  mutating func restore(trial: Int, _ memory: JSONValue) throws(SearchError) {
    guard let memories = memory.array, memories.count == rules.count else { throw unusable(trial: trial) }
    for (index, memory) in memories.enumerated() where !memory.isNull {
      try rules[index].restore(trial: trial, memory)
    }
  }
}
