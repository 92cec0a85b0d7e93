// A sweep's search within its machine: judged trials, limits beside the number of trials, changes by hand, restarts.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@Suite struct SweepSearchTests {
  private static let loss = Objective(metric: "loss", goal: .minimize)

  private static func search(_ count: Int) throws -> Search {
    let space = try Space([Parameter("x", .categorical((1...count).map { .int(Int64($0)) }))])
    return try Search(method: "grid", problem: SearchProblem(space: space, seed: 0))
  }

  private static func watcher(_ rule: JSONValue) throws -> EarlyStopping {
    EarlyStopping(
      try StoppingRuleConfiguration(rule, objectives: [loss]), objectives: [loss], seed: 0)
  }

  private func machine(
    points: Int = 10, stopping rule: JSONValue? = nil, objectives: [Objective] = [loss],
    limits: SweepLimits = SweepLimits(), parallel: Int = 2
  ) throws -> SweepMachine {
    SweepMachine(
      search: try Self.search(points), stopping: try rule.map(Self.watcher), objectives: objectives,
      limits: limits, maxParallel: parallel)
  }

  private func created(_ actions: [SweepMachine.Action]) -> [Int] {
    actions.compactMap { if case .create(let trial, _, _) = $0 { trial } else { nil } }
  }

  private func resumed(_ actions: [SweepMachine.Action]) -> [Int] {
    actions.compactMap { if case .resume(let trial) = $0 { trial } else { nil } }
  }

  private func ends(_ actions: [SweepMachine.Action]) -> [String?] {
    actions.compactMap {
      if case .setState(let state, let reason) = $0, state.isEnd { .some(reason) } else { nil }
    }
  }

  @Test func `a trial whose values are worse is judged once and counted as pruned`() throws {
    var machine = try machine(stopping: ["type": "threshold", "upper": 5])
    _ = machine.handle(.start)
    _ = machine.handle(.trialRunning(0))
    #expect(machine.report(0, [.init(step: 1, values: [4])]) == nil)
    // The best so far goes on, whatever it says.
    #expect(machine.report(0, [.init(step: 1, values: [9])]) == nil)
    _ = machine.handle(.trialRunning(1))
    #expect(machine.report(1, [.init(step: 1, values: [2])]) == nil)
    let told = machine.report(0, [.init(step: 2, values: [9])])
    let verdict = try #require(told)
    #expect(machine.handle(.judge(0, verdict)) == [.judge(trial: 0, verdict)])
    #expect(machine.handle(.judge(0, verdict)) == [])
    #expect(machine.report(0, [.init(step: 3, values: [9])]) == nil)
    let end = machine.handle(
      .trialEnded(0, .pruned(objective: 4, Measured(step: 2), reason: verdict.reason)))
    #expect(created(end) == [2])
    #expect(machine.trials[0].state == .pruned)
    #expect(machine.trials[0].reason == verdict.reason)
    #expect(machine.best == nil)
    #expect(machine.search.history.observations.map(\.state) == [.pruned])
    #expect(machine.search.history.observations.map(\.step) == [2])
  }

  @Test func `paused trials are gone on with when they are among the best, and pruned at the end`() throws {
    let rule: JSONValue = ["type": "asha", "min_iter": 1, "max_iter": 9, "eta": 2, "mode": "pause"]
    var machine = try machine(points: 4, stopping: rule, parallel: 1)
    var actions = machine.handle(.start)
    var attempts: [Int: Int] = [:]
    var resumptions = 0
    for _ in 0..<40 {
      guard let trial = (created(actions) + resumed(actions)).first else { break }
      resumptions += resumed(actions).count
      attempts[trial, default: 0] += 1
      _ = machine.handle(.trialRunning(trial))
      // The lower its number, the better it is.
      var verdict: Verdict?
      var step = Int64(machine.trials[trial].measured.step ?? 0)
      while verdict == nil, step < 9 {
        step += 1
        verdict = machine.report(trial, [.init(step: step, values: [Double(trial + 1)])])
      }
      guard let verdict else {
        actions = machine.handle(
          .trialEnded(trial, .complete(objective: Double(trial + 1)), attempts: attempts[trial] ?? 1))
        continue
      }
      _ = machine.handle(.judge(trial, verdict))
      actions = machine.handle(
        .trialEnded(
          trial, .paused(objective: Double(trial + 1), Measured(step: Int(step)), reason: verdict.reason),
          attempts: attempts[trial] ?? 1))
    }
    #expect(machine.state == .finished)
    #expect(resumptions > 0)
    #expect(machine.trials[0].state == .complete)
    #expect(machine.best == 0)
    #expect(machine.trials.dropFirst().contains { $0.state == .pruned })
    #expect(machine.trials.filter { !$0.state.isEnd }.isEmpty)
  }

  @Test func `limits end it when running trials have ended, and say so`() throws {
    var finished = try machine(limits: SweepLimits(finished: 3), parallel: 4)
    #expect(created(finished.handle(.start)) == [0, 1, 2])
    // A trial that failed is no result: another takes its place.
    #expect(created(finished.handle(.trialEnded(0, .failed(reason: "no")))) == [3])
    _ = finished.handle(.trialEnded(1, .complete(objective: 1)))
    _ = finished.handle(.trialEnded(2, .complete(objective: 1)))
    #expect(
      ends(finished.handle(.trialEnded(3, .complete(objective: 1)))) == [
        "3 trials ended with a result, as many as it was to have."
      ])

    var stale = try machine(limits: SweepLimits(withoutImprovement: 2), parallel: 1)
    _ = stale.handle(.start)
    for (number, value) in [3.0, 2, 2.5].enumerated() {
      #expect(ends(stale.handle(.trialEnded(number, .complete(objective: value)))).isEmpty)
    }
    #expect(
      ends(stale.handle(.trialEnded(3, .complete(objective: 2)))) == [
        "The last 2 trials brought no improvement."
      ])

    // With several objectives whatever joins the front is an improvement.
    let two = [Self.loss, Objective(metric: "speed", goal: .maximize)]
    var front = try machine(objectives: two, limits: SweepLimits(withoutImprovement: 2), parallel: 1)
    _ = front.handle(.start)
    let results: [(Double, Double, [Double])] = [
      (1, 1, []), (3, 5, []), (2, 3, []), (2, 2, []), (0.5, 9, [1]),
    ]
    for (number, (loss, speed, violations)) in results.enumerated() {
      let ended = front.handle(
        .trialEnded(number, .complete(objective: loss, Measured(others: [speed], violations: violations))))
      #expect(ends(ended).isEmpty, "\(number)")
    }
    // As good as one of the front is no improvement.
    #expect(
      ends(front.handle(.trialEnded(5, .complete(objective: 3, Measured(others: [5]))))) == [
        "The last 2 trials brought no improvement."
      ])

    var timed = try machine(limits: SweepLimits(seconds: 60), parallel: 1)
    #expect(timed.handle(.start, at: 1_000).contains(.wake(at: 1_060)))
    #expect(created(timed.handle(.trialEnded(0, .complete(objective: 1)), at: 1_059)) == [1])
    #expect(timed.handle(.tick, at: 1_060) == [])
    #expect(
      ends(timed.handle(.trialEnded(1, .complete(objective: 1)), at: 1_070)) == ["Its time of 60 s is over."])

    var busy = try machine(limits: SweepLimits(deviceSeconds: 7_200), parallel: 1)
    _ = busy.handle(.start)
    _ = busy.handle(.used(deviceSeconds: 7_200))
    #expect(ends(busy.handle(.trialEnded(0, .complete(objective: 1)))).count == 1)
  }

  @Test func `targets of several objectives are reached by one trial that meets them all`() throws {
    let two = [Self.loss, Objective(metric: "speed", goal: .maximize)]
    func machine(_ targets: [Double?], trials: [SweepMachine.TrialRecord] = []) throws -> SweepMachine {
      SweepMachine(
        state: trials.isEmpty ? .pending : .running, search: try Self.search(9), trials: trials,
        objectives: two,
        targets: targets, maxParallel: 1)
    }
    var both = try machine([0.5, 3])
    _ = both.handle(.start)
    #expect(ends(both.handle(.trialEnded(0, .complete(objective: 0.1, Measured(others: [1]))))).isEmpty)
    #expect(ends(both.handle(.trialEnded(1, .complete(objective: 0.9, Measured(others: [9]))))).isEmpty)
    let missed = Measured(others: [9], violations: [1])
    #expect(ends(both.handle(.trialEnded(2, .complete(objective: 0.1, missed)))).isEmpty)
    #expect(
      ends(both.handle(.trialEnded(3, .complete(objective: 0.5, Measured(others: [3]))))) == [
        "The targets loss ≤ 0.5 and speed ≥ 3.0 were reached."
      ])
    // A restart knows it.
    var again = try machine([0.5, 3], trials: Array(both.trials))
    #expect(ends(again.handle(.start)).count == 1)
    var one = try machine([nil, 3])
    _ = one.handle(.start)
    #expect(
      ends(one.handle(.trialEnded(0, .complete(objective: 7, Measured(others: [3]))))) == [
        "The target speed ≥ 3.0 was reached."
      ])
  }

  @Test func `what misses a constraint is never the best`() throws {
    var machine = try machine(parallel: 2)
    _ = machine.handle(.start)
    _ = machine.handle(.trialEnded(0, .complete(objective: 0.1, Measured(violations: [0.5]))))
    #expect(machine.best == nil)
    _ = machine.handle(.trialEnded(1, .complete(objective: 0.7, Measured(violations: [-0.5]))))
    #expect(machine.best == 1)
  }

  @Test func `losses are minimised, whatever the goals are`() throws {
    let objectives = [Objective(metric: "acc", goal: .maximize), Self.loss]
    let space = try Space([Parameter("x", .integers(min: 1, max: 9))])
    let search = try Search(
      method: "grid", problem: SearchProblem(space: space, objectiveCount: 2, constraintCount: 1, seed: 0))
    var machine = SweepMachine(search: search, objectives: objectives, maxParallel: 1)
    _ = machine.handle(.start)
    _ = machine.handle(.trialEnded(0, .complete(objective: 0.8, Measured(others: [3], violations: [-1]))))
    let told = try #require(machine.search.history.observations.first)
    #expect(told.losses == [-0.8, 3])
    #expect(told.violations == [-1])
    // The same after a restart.
    var again = try Search(method: "grid", problem: search.problem)
    try again.restore(machine.search.state, trials: machine.trials, objectives: objectives)
    #expect(again.history.observations == machine.search.history.observations)
    #expect(again.history.pending == machine.search.history.pending)
  }

  @Test func `the state of an earlier version is gone on from`() throws {
    var machine = try machine(points: 4, parallel: 1)
    _ = machine.handle(.start)
    _ = machine.handle(.trialEnded(0, .complete(objective: 1)))
    let records = machine.trials.map {
      SweepMachine.TrialRecord(point: $0.point, state: $0.state, objective: $0.objective)
    }
    var search = try Self.search(4)
    try search.restore(["method": "grid", "next": 2], trials: records, objectives: [Self.loss])
    guard case .trial(let suggestion) = search.ask(trial: 2) else {
      Issue.record("there are points left")
      return
    }
    #expect(suggestion.point["x"] == 3)
  }

  @Test func `points by hand come next, and one more trial is made for each`() throws {
    var machine = try machine(points: 6, limits: SweepLimits(trials: 2), parallel: 1)
    _ = machine.handle(.start)
    #expect(machine.handle(.add(Point(values: ["x": 5]))) == [])
    #expect(machine.limits.trials == 3)
    _ = machine.handle(.trialEnded(0, .complete(objective: 1)))
    #expect(machine.trials[1].point["x"] == 5)
    #expect(machine.progress.added == [AddedPoint(flat: ["x": 5])])
  }

  @Test func `a point is tried again as often as was asked for, and no more in another space`() throws {
    var machine = try machine(points: 6, limits: SweepLimits(trials: 2), parallel: 1)
    _ = machine.handle(.start)
    #expect(machine.handle(.add(Point(values: ["x": 1]))) == [])
    #expect(machine.handle(.add(Point(values: ["x": 1]), repeats: 2)) == [])
    #expect(machine.limits.trials == 5)
    // What was tried is passed over, what is tried again is not.
    #expect(created(machine.handle(.trialEnded(0, .complete(objective: 1)))) == [1])
    #expect((machine.trials[1].point["x"], machine.trials[1].origin.isRepeat) == (1, true))
    #expect(SweepProgress(json: machine.progress.json) == machine.progress)
    #expect(machine.progress.added.map(\.repeats) == [0, 2])
    _ = machine.handle(.pause(reason: "to change it"))
    var wider = try Self.search(8)
    for added in machine.addedPoints {
      for _ in 0..<added.places {
        try wider.enqueue(#require(added.point), isRepeat: added.isRepeat)
      }
    }
    try wider.restore(.null, trials: machine.trials, objectives: [Self.loss])
    #expect(machine.handle(.change(wider, limits: SweepLimits(trials: 4), penalties: PenaltyRule())) == [])
    #expect(machine.progress.added.map(\.repeats) == [0, 1, 1])
    #expect(machine.progress.added.map(\.isDone) == [false, true, false])
    #expect(SweepProgress(json: machine.progress.json) == machine.progress)
    #expect(created(machine.handle(.resume)) == [])
    #expect(created(machine.handle(.trialEnded(1, .complete(objective: 2)))) == [2])
    #expect((machine.trials[2].point["x"], machine.trials[2].origin.isRepeat) == (1, true))
    _ = machine.handle(.trialEnded(2, .complete(objective: 3)))
    #expect((machine.trials[3].point["x"], machine.trials[3].origin.isRepeat) == (2, false))
  }

  @Test func `another space is searched from where the old one was left`() throws {
    var machine = try machine(points: 3, limits: SweepLimits(trials: 2), parallel: 1)
    _ = machine.handle(.start)
    _ = machine.handle(.trialEnded(0, .complete(objective: 1)))
    _ = machine.handle(.pause(reason: "to change it"))
    _ = machine.handle(.trialEnded(1, .complete(objective: 2)))
    #expect(machine.state == .finished)

    machine = try self.machine(points: 3, limits: SweepLimits(trials: 3), parallel: 1)
    _ = machine.handle(.start)
    _ = machine.handle(.pause(reason: "to change it"))
    _ = machine.handle(.trialEnded(0, .complete(objective: 1)))
    var wider = try Self.search(8)
    try wider.restore(["method": "grid", "next": 0], trials: machine.trials, objectives: [Self.loss])
    #expect(machine.handle(.change(wider, limits: SweepLimits(trials: 8), penalties: PenaltyRule())) == [])
    #expect(created(machine.handle(.resume)) == [1])
    #expect(machine.trials[1].point["x"] == 2)
    #expect(machine.limits.trials == 8)
  }

  @Test func `trials of an older version of the space are where they lie in this one`() throws {
    func record(_ x: Int64, _ mode: String, at coordinates: [Double], loss: Double)
      -> SweepMachine.TrialRecord
    {
      SweepMachine.TrialRecord(
        point: Point(values: ["x": .int(x), "mode": .string(mode)]),
        origin: TrialOrigin(coordinates: coordinates, note: "of then"), state: .complete, objective: loss)
    }
    // Of the choices 1, 3, 5, 8 when `mode` was not searched.
    let records = [
      record(1, "a", at: [0], loss: 1), record(8, "a", at: [3], loss: 2), record(5, "b", at: [2], loss: 3),
    ]
    let space = try Space([
      Parameter("x", .categorical([.int(8), .int(1), .int(5)])), Parameter("mode", .constant("a")),
    ])
    var search = try Search(method: "random", problem: SearchProblem(space: space, seed: 0))
    try search.restore(.null, trials: records, objectives: [Self.loss])
    // What is a constant now says nothing of other values.
    #expect(search.history.observations.map(\.coordinates) == [[1], [0]])
    #expect(search.history.observations.map(\.losses) == [[1], [2]])
    #expect(search.history.observations.allSatisfy { $0.note == nil })
    #expect(search.history.cube.point(at: search.history.observations[1].coordinates)["x"] == 8)
  }

  @Test func `points that were added keep their turn where only the limits change`() throws {
    var machine = try machine(points: 6, limits: SweepLimits(trials: 1), parallel: 1)
    _ = machine.handle(.start)
    _ = machine.handle(.add(Point(values: ["x": 1]), repeats: 2))
    _ = machine.handle(.add(Point(values: ["x": 5])))
    for trial in 0..<2 { _ = machine.handle(.trialEnded(trial, .complete(objective: 1))) }
    #expect(machine.trials.map { $0.point["x"] } == [1, 1, 1])
    let limits = SweepLimits(trials: 9)
    _ = machine.handle(.change(machine.search, limits: limits, penalties: PenaltyRule()))
    // As a restart makes it from what is kept.
    var search = try Self.search(6)
    for added in machine.progress.added {
      for _ in 0..<added.places { try search.enqueue(#require(added.point), isRepeat: added.isRepeat) }
    }
    try search.restore(machine.search.state, trials: machine.trials, objectives: [Self.loss])
    #expect(search.waitingCount == 1)
    guard case .trial(let next) = search.ask(trial: 3) else { return #expect(Bool(false), "nothing to try") }
    #expect((next.point["x"], next.isRepeat) == (5, false))
  }
}
