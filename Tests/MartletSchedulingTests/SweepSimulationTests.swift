// Sweeps under random ends, stops and restarts: nothing is lost, nothing runs twice, and all come to an end.

import MartletModel
import MartletScheduling
import MartletSearch
import OrderedCollections
import Testing

/// One sweep, driven at random; `store` is what would survive a crash.
private struct Simulation {
  struct Stored {
    var state = SweepState.pending
    var reason: String?
    var searchState: JSONValue
    var trials: [SweepMachine.TrialRecord] = []
    var best: Int?
  }

  let seed: UInt64
  let space: Space
  let method: String
  let objective: Objective
  let target: Double?
  let budget: Int?
  let maxParallel: Int
  var numbers: SplitMix64
  var machine: SweepMachine
  var stored: Stored
  var wasStopped = false
  var created: [Point] = []
  var open: Set<Int> = []
  var asked: Set<Int> = []
  var judged: Set<Int> = []
  var restarts = 0

  init(seed: UInt64) throws {
    self.seed = seed
    var numbers = SplitMix64(seed: seed)
    method = Bool.random(using: &numbers) ? "grid" : "random"
    space = try Space([
      Parameter("a", .integers(min: 1, max: Int64.random(in: 2...6, using: &numbers))),
      Parameter("b", .categorical(["x", "y", "z"])),
    ])
    objective = Objective(metric: "m", goal: Bool.random(using: &numbers) ? .minimize : .maximize)
    target = Int.random(in: 0..<4, using: &numbers) == 0 ? Double.random(in: 0..<1, using: &numbers) : nil
    let cap = Int.random(in: 0...20, using: &numbers)
    budget = method == "random" ? cap : Bool.random(using: &numbers) ? cap : nil
    maxParallel = Int.random(in: 1...5, using: &numbers)
    let search = try Search(method: method, problem: SearchProblem(space: space, seed: seed))
    machine = SweepMachine(
      search: search, objective: objective, target: target, budget: budget, maxParallel: maxParallel)
    stored = Stored(searchState: search.state)
    self.numbers = numbers
  }

  var limit: Int { min(budget ?? .max, space.cardinality ?? .max) }

  /// Runs it to its end, at most so many steps.
  mutating func run() throws {
    try send(.start)
    for _ in 0..<2_000 where !stored.state.isEnd {
      switch Int.random(in: 0..<20, using: &numbers) {
      case 0..<3: try restart()
      case 3: if Int.random(in: 0..<8, using: &numbers) == 0 { try stop() }
      case 4..<7:
        if let number = open.sorted().randomElement(using: &numbers) { try send(.trialRunning(number)) }
      default:
        if let number = open.sorted().randomElement(using: &numbers) {
          try send(.trialEnded(number, outcome(number)))
        }
      }
    }
    check(stored.state.isEnd, "it did not end: \(stored.state), open \(open)")
    checkEnd()
  }

  private mutating func outcome(_ number: Int) -> SweepMachine.Outcome {
    // Whoever was asked to leave mostly does.
    if asked.contains(number), Int.random(in: 0..<4, using: &numbers) > 0 {
      return judged.contains(number) ? .pruned(objective: nil, reason: "stopped") : .failed(reason: "stopped")
    }
    return switch Int.random(in: 0..<10, using: &numbers) {
    case 0..<3: .failed(reason: "no")
    case 3: .complete(objective: .nan)
    case 4: .pruned(objective: Double.random(in: 0..<1, using: &numbers))
    default: .complete(objective: Double.random(in: 0..<1, using: &numbers))
    }
  }

  private mutating func stop() throws {
    wasStopped = true
    try send(.stop(now: Bool.random(using: &numbers), reason: "stopped by the simulation"))
  }

  private mutating func send(_ event: SweepMachine.Event) throws {
    let actions = machine.handle(event)
    if case .trialEnded(let number, _, _, _) = event { open.remove(number) }
    var end: (SweepState, String?)?
    for action in actions {
      switch action {
      case .create(let number, let point, _):
        check(number == created.count, "trial \(number) after \(created.count) trials")
        created.append(point)
        open.insert(number)
      case .stop(let number):
        check(open.contains(number), "trial \(number) is not open and cannot be stopped")
        asked.insert(number)
      case .setState(let state, let reason):
        if state.isEnd {
          check(end == nil, "it ended twice")
          end = (state, reason)
        } else {
          (stored.state, stored.reason) = (state, reason)
        }
      case .setBest(let number): stored.best = number
      case .judge(let number, let verdict):
        // Only a target that was reached ends what runs: nobody looks at values here.
        check(open.contains(number), "trial \(number) is not open and cannot be judged")
        check(target != nil && verdict.reason.hasPrefix("The target m "), "nobody asked for \(action)")
        asked.insert(number)
        judged.insert(number)
      case .prepare, .stopPreparation, .setMaxParallel, .resume, .retire, .wake:
        check(false, "nobody asked for \(action)")
      }
    }
    stored.searchState = machine.search.state
    stored.trials = Array(machine.trials)
    check(open.count <= maxParallel, "\(open.count) at a time, \(maxParallel) are allowed")
    check(Set(machine.open) == open, "it thinks that \(machine.open) are open, not \(open)")
    check(created.count <= limit, "\(created.count) trials, at most \(limit) were asked for")
    guard let end else { return }
    check(open.isEmpty, "it ended with \(open) open")
    // The word that it ended is stored after the results, so a crash may come in between.
    if Int.random(in: 0..<3, using: &numbers) == 0 {
      let state = end.0
      try restart()
      check(stored.state == state, "ended \(state) before a restart and \(stored.state) after it")
    } else {
      (stored.state, stored.reason) = end
    }
  }

  /// What recovery does, and then what `begin` does.
  private mutating func restart() throws {
    restarts += 1
    var search = try Search(method: method, problem: SearchProblem(space: space, seed: seed))
    try search.restore(stored.searchState, trials: stored.trials, objectives: [objective])
    machine = SweepMachine(
      state: stored.state, search: search,
      trials: stored.trials, best: stored.best, objective: objective, target: target, budget: budget,
      maxParallel: maxParallel, stopReason: stored.state == .draining ? stored.reason : nil)
    try send(.start)
  }

  private func checkEnd() {
    let records = stored.trials
    let succeeded = records.count { $0.state == .complete || $0.state == .pruned }
    check(records.allSatisfy(\.state.isEnd), "a trial did not end")
    check(records.map(\.point) == created, "other points are stored than were asked for")
    let values = records.enumerated().compactMap { number, record -> (Int, Double)? in
      guard record.state == .complete, let value = record.objective, !value.isNaN else { return nil }
      return (number, value)
    }
    let best = values.reduce(nil as (Int, Double)?) { best, next in
      best.map { objective.isBetter(next.1, than: $0.1) } ?? true ? next : best
    }
    check(
      stored.best == best?.0,
      "the best is \(String(describing: best)), not \(String(describing: stored.best))")
    let wasReached = values.contains { value in
      target.map { value.1 == $0 || objective.isBetter(value.1, than: $0) } ?? false
    }
    if stored.state == .stopped || stored.state == .cancelled {
      check(wasStopped, "nobody stopped it")
      check(
        (stored.state == .cancelled) == created.isEmpty,
        "cancelled is a sweep that was stopped before it began")
    } else {
      check(!wasStopped, "a stopped sweep is \(stored.state)")
      check(
        wasReached || created.count == limit, "\(created.count) of \(limit) trials, and no target was reached"
      )
      check(
        stored.state == (succeeded > 0 || created.isEmpty ? .finished : .failed),
        "\(stored.state) with \(succeeded) successes of \(created.count)")
      check(wasReached == (stored.reason?.contains("target") ?? false), "reason: \(stored.reason ?? "none")")
    }
    // No point lost, none twice: the trials are the beginning of what one undisturbed sampler asks for.
    guard var undisturbed = try? Search(method: method, problem: SearchProblem(space: space, seed: seed))
    else {
      return
    }
    let asked = created.indices.compactMap { number -> Point? in
      guard case .trial(let suggestion) = undisturbed.ask(trial: number) else { return nil }
      return suggestion.point
    }
    check(created == asked, "not the points of the search")
    check(Set(created).count == created.count, "a point ran twice")
  }

  private func check(_ condition: Bool, _ words: @autoclosure () -> String) {
    if !condition { Issue.record("seed \(seed): \(words())") }
  }
}

@Suite struct SweepSimulationTests {
  @Test(arguments: 0..<8) func `random sweeps keep all laws`(part: Int) async throws {
    var restarts = 0
    var ends: Set<SweepState> = []
    for number in 0..<250 {
      var simulation = try Simulation(seed: UInt64(part * 1_000 + number))
      try simulation.run()
      restarts += simulation.restarts
      ends.insert(simulation.stored.state)
      // Whoever awaits something gets the thread.
      await Task.yield()
    }
    #expect(restarts > 500, "restarts were simulated")
    #expect(ends.isSuperset(of: [.finished, .failed, .stopped]), "\(ends)")
  }
}
