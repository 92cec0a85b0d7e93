// A sweep as a pure machine: what it asks for, and how it ends.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

@Suite struct SweepMachineTests {
  private static let loss = Objective(metric: "loss", goal: .minimize)

  private static func grid(_ count: Int) throws -> Search {
    let space = try Space([Parameter("x", .categorical((1...count).map { .int(Int64($0)) }))])
    return try Search(method: "grid", problem: SearchProblem(space: space, seed: 0))
  }

  /// The search of a machine as a restart makes it again.
  private func restored(_ machine: SweepMachine, points: Int) throws -> Search {
    var search = try Self.grid(points)
    try search.restore(machine.search.state, trials: machine.trials, objectives: machine.objectives)
    return search
  }

  private func machine(
    points: Int = 4, objective: Objective? = loss, target: Double? = nil, budget: Int? = nil,
    parallel: Int = 2
  ) throws -> SweepMachine {
    SweepMachine(
      search: try Self.grid(points), objective: objective, target: target, budget: budget,
      maxParallel: parallel)
  }

  /// The numbers of the trials that were asked for.
  private func created(_ actions: [SweepMachine.Action]) -> [Int] {
    actions.compactMap { if case .create(let trial, _, _) = $0 { trial } else { nil } }
  }

  private func states(_ actions: [SweepMachine.Action]) -> [SweepState] {
    actions.compactMap { if case .setState(let state, _) = $0 { state } else { nil } }
  }

  @Test func `it fills its window and goes on as trials end`() throws {
    var machine = try machine()
    let first = machine.handle(.start)
    #expect(first.first == .setState(.running, reason: nil))
    #expect(created(first) == [0, 1])
    #expect(machine.trials[1].point["x"] == 2)
    #expect(machine.handle(.trialRunning(0)) == [])
    #expect(machine.trials.map(\.state) == [.running, .waiting])

    let second = machine.handle(.trialEnded(1, .complete(objective: 0.5)))
    #expect(second.contains(.setBest(trial: 1)))
    #expect(created(second) == [2])
    #expect(machine.open == [0, 2])
  }

  @Test func `it finishes when the grid is exhausted and the last trial has ended`() throws {
    var machine = try machine(points: 2)
    _ = machine.handle(.start)
    #expect(states(machine.handle(.trialEnded(0, .complete(objective: 1)))) == [])
    #expect(
      machine.handle(.trialEnded(1, .complete(objective: 2))) == [
        .setState(.finished, reason: "All 2 points of the space have been tried.")
      ])
    #expect(machine.best == 0)
    #expect(machine.handle(.start) == [])
    #expect(machine.handle(.stop(now: true, reason: "late")) == [])
  }

  @Test func `a budget ends it before the grid does`() throws {
    var machine = try machine(points: 100, budget: 3)
    #expect(created(machine.handle(.start)) == [0, 1])
    #expect(created(machine.handle(.trialEnded(0, .complete(objective: 1)))) == [2])
    #expect(created(machine.handle(.trialEnded(1, .complete(objective: 1)))) == [])
    #expect(states(machine.handle(.trialEnded(2, .complete(objective: 1)))) == [.finished])
  }

  @Test func `a trial ends once`() throws {
    var machine = try machine()
    _ = machine.handle(.start)
    _ = machine.handle(.trialEnded(0, .complete(objective: 1)))
    #expect(machine.handle(.trialEnded(0, .failed(reason: "again"))) == [])
    #expect(machine.trials[0].state == .complete)
    #expect(machine.handle(.trialEnded(77, .complete(objective: 1))) == [])
    #expect(machine.handle(.trialRunning(0)) == [])
    #expect(machine.trials[0].state == .complete)
  }

  @Test func `failed trials do not stop the others`() throws {
    var machine = try machine(points: 3, parallel: 1)
    _ = machine.handle(.start)
    #expect(created(machine.handle(.trialEnded(0, .failed(reason: "no memory")))) == [1])
    _ = machine.handle(.trialEnded(1, .complete(objective: 3)))
    #expect(
      machine.handle(.trialEnded(2, .failed(reason: "no"))) == [
        .setState(.finished, reason: "All 3 points of the space have been tried.")
      ])
    #expect(machine.best == 1)
  }

  @Test func `a sweep none of whose trials succeeded is failed, and says why first`() throws {
    var machine = try machine(points: 2, parallel: 1)
    _ = machine.handle(.start)
    _ = machine.handle(.trialEnded(0, .failed(reason: "Exited with code 1: no data")))
    #expect(
      machine.handle(.trialEnded(1, .failed(reason: "other"))) == [
        .setState(.failed, reason: "No trial succeeded. The first failure: Exited with code 1: no data")
      ])
  }

  @Test func `the best is the least or the largest, never NaN`() throws {
    for (goal, best) in [(Objective.Goal.minimize, 2), (.maximize, 3)] {
      var machine = try machine(points: 4, objective: Objective(metric: "m", goal: goal), parallel: 4)
      _ = machine.handle(.start)
      for (number, value) in [Double.nan, 0.5, -1, 7].enumerated() {
        let actions = machine.handle(.trialEnded(number, .complete(objective: value)))
        #expect(actions.contains(.setBest(trial: number)) == (machine.best == number))
      }
      #expect(machine.best == best)
    }
  }

  @Test func `without an objective there is no best`() throws {
    var machine = try machine(points: 1, objective: nil)
    _ = machine.handle(.start)
    #expect(
      machine.handle(.trialEnded(0, .complete(objective: nil))) == [
        .setState(.finished, reason: "All 1 points of the space have been tried.")
      ])
    #expect(machine.best == nil)
  }

  @Test func `a target ends the search and asks the others to leave`() throws {
    var machine = try machine(points: 10, target: 0.1, parallel: 3)
    _ = machine.handle(.start)
    _ = machine.handle(.trialRunning(0))
    let actions = machine.handle(.trialEnded(1, .complete(objective: 0.1)))
    #expect(created(actions) == [])
    let reason = "The target loss ≤ 0.1 was reached."
    // What runs is no failure; what waits never was.
    #expect(actions.contains(.judge(trial: 0, .prune(reason: reason))))
    #expect(actions.filter { if case .stop = $0 { true } else { false } } == [.stop(trial: 2)])
    #expect(actions.contains(.setState(.running, reason: reason)))
    #expect(machine.handle(.trialEnded(0, .pruned(objective: nil, reason: reason))) == [])
    #expect(
      machine.handle(.trialEnded(2, .failed(reason: "stopped"))) == [.setState(.finished, reason: reason)])
  }

  @Test func `a target that was reached before a restart stays reached`() throws {
    var machine = try machine(points: 10, target: 0.1, parallel: 2)
    _ = machine.handle(.start)
    _ = machine.handle(.trialEnded(0, .complete(objective: 0.05)))
    var again = SweepMachine(
      state: machine.state,
      search: try restored(machine, points: 10),
      trials: machine.trials, best: machine.best, objective: Self.loss, target: 0.1, budget: nil,
      maxParallel: 2)
    #expect(again.handle(.start) == [])
    #expect(
      again.handle(.trialEnded(1, .failed(reason: "stopped"))) == [
        .setState(.finished, reason: "The target loss ≤ 0.1 was reached.")
      ])
  }

  @Test func `a drain lets running trials end and makes no more`() throws {
    var machine = try machine()
    _ = machine.handle(.start)
    #expect(machine.handle(.stop(now: false, reason: "enough")) == [.setState(.draining, reason: "enough")])
    #expect(machine.handle(.trialEnded(0, .complete(objective: 1))) == [.setBest(trial: 0)])
    #expect(
      machine.handle(.trialEnded(1, .complete(objective: 2))) == [.setState(.stopped, reason: "enough")])
    #expect(machine.trials.count == 2)
  }

  @Test func `a stop asks all open trials to leave, also one that drains already`() throws {
    var machine = try machine()
    _ = machine.handle(.start)
    _ = machine.handle(.stop(now: false, reason: "enough"))
    #expect(machine.handle(.stop(now: true, reason: "now")) == [.stop(trial: 0), .stop(trial: 1)])
    _ = machine.handle(.trialEnded(0, .failed(reason: "stopped")))
    #expect(
      machine.handle(.trialEnded(1, .failed(reason: "stopped"))) == [.setState(.stopped, reason: "enough")])
  }

  @Test func `a stop before any trial cancels`() throws {
    var machine = try machine()
    #expect(
      machine.handle(.stop(now: true, reason: "no")) == [
        .setState(.draining, reason: "no"), .setState(.cancelled, reason: "no"),
      ])
  }

  @Test func `a restart in the last moment ends it the same way`() throws {
    for outcome in [SweepMachine.Outcome.complete(objective: 1), .failed(reason: "no")] {
      var machine = try machine(points: 1)
      _ = machine.handle(.start)
      let end = states(machine.handle(.trialEnded(0, outcome)))
      var again = SweepMachine(
        state: .running, search: try restored(machine, points: 1),
        trials: machine.trials, best: machine.best, objective: Self.loss, target: nil, budget: nil,
        maxParallel: 2)
      #expect(states(again.handle(.start)) == end)
    }
  }
}
