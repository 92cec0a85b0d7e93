// What a simulated server has and what it is given to do, drawn from the seed.

import MartletModel
import MartletScheduling
import MartletSearch

/// A sweep as its file would describe it.
struct SweepSetup {
  var method: String
  var space: Space
  var seed: UInt64
  var objective: Objective?
  var target: Double?
  var budget: Int?
  var maxParallel: Int
  var breaker: Int?
  var plan: TrialPlan
  /// How many of ten trials fail.
  var failures: Int
  /// Whether something goes before its first trial.
  var prepares: Bool
  /// When its trials stop or stand still because of their values; nil: never.
  var rule: StoppingRuleConfiguration?
  /// Whether it finds out itself how many trials it has at a time.
  var isAutomatic: Bool

  var objectives: [Objective] { objective.map { [$0] } ?? [] }

  var progress: SweepProgress {
    var progress = SweepProgress()
    progress.isAutomatic = isAutomatic
    return progress
  }

  /// Who looks at the values of its trials, having seen those.
  func stopping(
    _ trials: [SweepMachine.TrialRecord] = [], reports: (Int) -> [SweepMachine.Report] = { _ in [] }
  ) -> EarlyStopping? {
    guard let rule, let objective else { return nil }
    var watcher = EarlyStopping(rule, objectives: [objective], seed: seed)
    for (number, trial) in trials.enumerated() {
      for report in reports(number) {
        _ = watcher.report(
          trial: number, step: report.step, losses: SweepMachine.losses(report.values, [objective]))
      }
      if trial.state != .running { watcher.settle(trial: number, as: trial.state) }
    }
    return watcher
  }

  /// What failed trials count as for its search.
  var penalties: PenaltyRule {
    [PenaltyRule(), PenaltyRule(value: 10), .graded(.minimize)][Int(seed % 3)]
  }

  var preparation: TrialPlan { TrialPlan(retries: plan.retries) }

  /// The search at its beginning, or as it was kept.
  func search(
    state: JSONValue? = nil, trials: [SweepMachine.TrialRecord] = []
  ) throws -> Search {
    var search = try Search(
      method: method,
      problem: SearchProblem(space: space, budget: budget, parallelism: max(1, maxParallel), seed: seed))
    if let state {
      try search.restore(state, trials: trials, objectives: objective.map { [$0] } ?? [])
    }
    return search
  }

  private static let rules: [JSONValue?] = [
    nil, nil, ["type": "asha", "min_iter": 1, "eta": 2],
    ["type": "asha", "min_iter": 1, "eta": 2, "mode": "pause"],
  ]

  /// How many trials there are when nothing stops it.
  var size: Int { min(budget ?? .max, space.cardinality ?? .max) }

  static func random(devices: [Device], using numbers: inout SplitMix64) throws -> SweepSetup {
    func chance(_ part: Int, of whole: Int) -> Bool { Int.random(in: 0..<whole, using: &numbers) < part }
    let method = chance(1, of: 2) ? "grid" : "random"
    let space = try Space([
      Parameter("tp", .categorical(chance(1, of: 2) ? [1, 2] : [1, 2, 3])),
      Parameter("pp", .categorical(chance(1, of: 2) ? [1] : [1, 2])),
      Parameter("lr", .categorical([0.1, 0.01, 0.001])),
    ])
    let cap = Int.random(in: 1...16, using: &numbers)
    return SweepSetup(
      method: method, space: space, seed: numbers.next(),
      objective: chance(4, of: 5) ? Objective(metric: "loss", goal: .minimize) : nil,
      target: chance(1, of: 8) ? Double.random(in: 0..<0.3, using: &numbers) : nil,
      budget: method == "random" || chance(1, of: 3) ? cap : space.cardinality,
      maxParallel: Int.random(in: 0...6, using: &numbers),
      breaker: chance(1, of: 3) ? Int.random(in: 2...4, using: &numbers) : nil,
      plan: try .random(devices: devices, using: &numbers),
      failures: chance(1, of: 6) ? 9 : Int.random(in: 0...4, using: &numbers),
      prepares: chance(1, of: 3),
      rule: try (rules.randomElement(using: &numbers) ?? nil).map {
        try StoppingRuleConfiguration($0, objectives: [Objective(metric: "loss", goal: .minimize)])
      },
      isAutomatic: chance(1, of: 4))
  }
}

extension TrialPlan {
  static func random(devices: [Device], using numbers: inout SplitMix64) throws -> TrialPlan {
    func chance(_ part: Int, of whole: Int) -> Bool { Int.random(in: 0..<whole, using: &numbers) < part }
    var rule = NeedsRule()
    switch Int.random(in: 0..<6, using: &numbers) {
    case 0: rule.devices = .number(0)
    case 1: rule.devices = try NeedsRule.Amount(parsing: "tp * pp")
    default: rule.devices = .number(Int64.random(in: 0...max(1, Int64(devices.count)), using: &numbers))
    }
    if chance(1, of: 3) { rule.deviceMemory = .number(Int64.random(in: 1...30, using: &numbers) << 30) }
    if chance(1, of: 4) { rule.deviceSlots = .number(Int64.random(in: 1...3, using: &numbers)) }
    if chance(1, of: 4) { rule.memory = .number(Int64.random(in: 1...8, using: &numbers) << 30) }
    rule.sameHost = chance(2, of: 3)
    var limits: [Fault: Int] = [:]
    for fault in Fault.allCases where chance(1, of: 2) {
      limits[fault] = Int.random(in: 0...3, using: &numbers)
    }
    return TrialPlan(
      needs: rule,
      retries: RetryPolicy(limits: limits, pause: chance(1, of: 4) ? 0 : 2, longestPause: 20),
      priority: chance(1, of: 5) ? Int.random(in: -1...1, using: &numbers) : 0,
      timeout: chance(1, of: 2) ? 60 : nil)
  }
}

/// The machines of a simulated server.
func randomDevices(using numbers: inout SplitMix64) -> [Device] {
  let count = Int.random(in: 0...8, using: &numbers)
  let hosts = Int.random(in: 1...2, using: &numbers)
  let slots = Int.random(in: 0..<3, using: &numbers) == 0 ? 3 : 1
  let choices: [[Int64?]] = [[nil], [24 << 30], [24 << 30, 80 << 30]]
  let sizes = choices[Int.random(in: 0..<3, using: &numbers)]
  return (0..<count).map { index in
    Device(
      index: index, host: "host\(index % hosts)", memory: sizes[index % sizes.count], slots: slots)
  }
}

func randomPolicy(using numbers: inout SplitMix64) -> PoolPolicy {
  func chance(_ part: Int, of whole: Int) -> Bool { Int.random(in: 0..<whole, using: &numbers) < part }
  var policy = PoolPolicy()
  if chance(1, of: 4) { policy.backfill = Int.random(in: 1...3, using: &numbers) }
  policy.groupsEqualNeeds = chance(1, of: 5)
  if chance(1, of: 3) { policy.cpuSlots = Int.random(in: 1...4, using: &numbers) }
  if chance(1, of: 4) { policy.memory = Int64.random(in: 8...32, using: &numbers) << 30 }
  if chance(1, of: 6) { policy.deviceMemory = Int64.random(in: 40...160, using: &numbers) << 30 }
  if chance(1, of: 5) { policy.balance = 0 }
  return policy
}
