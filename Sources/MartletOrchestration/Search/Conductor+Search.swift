// Searches that people help: trials of other sweeps to learn from, points by hand, another space while paused.

import MartletFormats
import MartletModel
import MartletScheduling
import MartletSearch
import MartletStore
import OrderedCollections

extension Conductor {
  /// The trials of the sweeps that a file names under `warm_start`.
  ///
  /// - Throws: `Problem.unprocessable` for a sweep that is not there.
  nonisolated func trialsToLearnFrom(
    _ specification: SweepSpecification, access: Access
  ) async throws -> ImportedTrials {
    guard !specification.warmStart.isEmpty else { return ImportedTrials() }
    let (names, objectives) = (specification.warmStart, specification.objectives)
    let constraints = specification.constraints
    guard !objectives.isEmpty else {
      throw Problem(
        .unprocessable, "'warm_start' needs 'metric': the search learns from the values of trials.",
        details: ["key": "warm_start"])
    }
    return try await store.read { reader in
      var items: [ImportedTrials.Item] = []
      for name in names {
        guard let sweep = try reader.sweep(called: name),
          // What a token may not see does not exist for it.
          try access.project == nil || reader.sweep(sweep)?.project == access.project
        else {
          throw Problem(
            .unprocessable, "There is no sweep '\(name)' to learn from.",
            hint: "'martlet sweep list' shows the sweeps there are.", details: ["key": "warm_start"])
        }
        for trial in try reader.trials(of: sweep) where trial.state == .complete {
          let run = try reader.run(trial.run)
          var values = objectives.compactMap { objective in
            run.flatMap { objective.value(of: $0.metric) }
          }
          guard values.count == objectives.count,
            let score = try? specification.score(values[0], in: { run?.metric($0) }).get()
          else { continue }
          values[0] = score
          items.append(
            ImportedTrials.Item(
              parameters: trial.parameters, losses: SweepMachine.losses(values, objectives),
              violations: constraints.map { $0.violation(in: run?.metric($0.metric)) }))
        }
      }
      return ImportedTrials(items: items)
    }
  }

  /// Puts a point at the end of those that are tried before the method is asked.
  func addPoint(_ parameters: JSONObject, to id: PublicID, by principal: Principal) async throws {
    try await add(to: id, by: principal) { (try Self.point(parameters, of: $0, id), repeats: 0) }
  }

  /// Has the point of a trial tried again, as so many trials with seeds of their own.
  func repeatTrial(_ number: Int, of id: PublicID, times: Int, by principal: Principal) async throws {
    try await add(to: id, by: principal) { machine in
      guard machine.trials.indices.contains(number) else {
        throw Problem(
          .notFound, "Sweep '\(id)' has no trial \(number).",
          hint: machine.trials.isEmpty ? nil : "Its trials are 0 to \(machine.trials.count - 1).",
          details: ["key": "trial"])
      }
      let point = machine.trials[number].point
      guard machine.search.problem.cube.coordinates(of: point) != nil else {
        throw Problem(
          .conflict, "Trial \(number) does not lie in the space of sweep '\(id)' any more.",
          hint: "Its file has changed since: add a point that lies in it."
        )
      }
      return (point, repeats: times)
    }
  }

  /// Takes up a sweep again where it has ended.
  ///
  /// - Parameter choose: the point, and as how many trials it is tried again; 0: it was not tried before.
  private func add(
    to id: PublicID, by principal: Principal,
    _ choose: (SweepMachine) throws -> (point: Point, repeats: Int)
  ) async throws {
    func choice(_ machine: SweepMachine) throws -> (point: Point, repeats: Int) {
      let chosen = try choose(machine)
      if let objection = machine.search.problem.space.objection(to: chosen.point) {
        throw Problem(.unprocessable, "The point is none that sweep '\(id)' may try: \(objection).")
      }
      return chosen
    }
    guard core.sweeps[id] != nil else {
      return try await reopen(id, by: principal) { machine in
        let (point, repeats) = try choice(machine)
        machine.enqueue(point, repeats: repeats)
      }
    }
    let machine = try openSweep(id).scheduled.machine
    guard machine.state != .draining else {
      throw Problem(.conflict, "Sweep '\(id)' is ending: it begins nothing more.")
    }
    let (point, repeats) = try choice(machine)
    try await transact { core, writer, effects, now in
      try core.decide(.sweep(id, .add(point, repeats: repeats)), writer, &effects, by: principal, now)
      if let sweep = core.sweeps[id] {
        try writer.setBudget(ofSweep: sweep.row, core.scheduler.sweeps[id]?.machine.limits.trials)
        effects.sweeps.append(id)
      }
    }
  }

  /// A point of a sweep's space that has not been tried.
  ///
  /// - Throws: `Problem`: `unprocessable`, `conflict`.
  private static func point(
    _ parameters: JSONObject, of machine: SweepMachine, _ id: PublicID
  ) throws -> Point {
    let (cube, values) = (machine.search.problem.cube, parameters)
    guard let coordinates = cube.coordinates(of: Point(values: values)),
      let point = cube.point(like: Point(values: values))
    else {
      let names = machine.search.problem.space.parameters.map(\.name)
      let unknown = values.keys.first { !names.contains($0) }
      let missing = names.first { values[$0] == nil }
      let words =
        unknown.map { name in
          "'\(name)' is no parameter of it\(nearest(to: name, in: names).map { "; did you mean '\($0)'?" } ?? "")"
        } ?? missing.map { "there is no value for '\($0)'" } ?? "a value is none that its parameter may have"
      throw Problem(
        .unprocessable, "The point does not lie in the space of sweep '\(id)': \(words).",
        hint: "Give a value for each of \(names.joined(separator: ", ")).")
    }
    guard !machine.search.history.contains(coordinates) else {
      throw Problem(.conflict, "Sweep '\(id)' has tried this point already, or is about to.")
    }
    return point
  }

  /// Another number of trials at most.
  func extendSweep(_ id: PublicID, to budget: Int?, by principal: Principal) async throws {
    func check(_ machine: SweepMachine) throws {
      guard let budget, budget < machine.trials.count else { return }
      throw Problem(
        .unprocessable,
        "Sweep '\(id)' has \(machine.trials.count) trials already: the budget cannot be \(budget).")
    }
    guard core.sweeps[id] != nil else {
      return try await reopen(id, by: principal) { machine in
        try check(machine)
        machine.extend(to: budget)
      }
    }
    let machine = try openSweep(id).scheduled.machine
    try check(machine)
    var limits = machine.limits
    let before = limits.trials
    limits.trials = budget
    let (changed, search, penalties) = (limits, machine.search, machine.penalties)
    try await transact { core, writer, effects, now in
      guard let row = core.sweeps[id]?.row else { return }
      try writer.setBudget(ofSweep: row, budget)
      try writer.noteLimits(
        ofSweep: row, ["budget": ["from": JSONValue(before), "to": JSONValue(budget)]], by: principal,
        now: now)
      try core.decide(
        .sweep(id, .change(search, limits: changed, penalties: penalties)), writer, &effects, by: principal,
        now)
      effects.sweeps.append(id)
    }
  }

  /// Another file for a paused sweep: its space, method and limits change for the trials to come.
  func changeSpace(of id: PublicID, source: String, by principal: Principal) async throws {
    let (sweep, scheduled) = try openSweep(id)
    guard scheduled.machine.state == .paused else {
      throw Problem(
        .conflict, "Sweep '\(id)' is not paused: its space can be changed only while it is.",
        hint: "'martlet sweep pause \(id)' pauses it.")
    }
    guard let stored = try await store.read({ try $0.storedSweep(id) }) else { return }
    let changed: SweepSpecification
    do {
      changed = try SweepSpecification.read(
        source: source, filename: stored.filename, command: stored.commandOverride)
    } catch {
      throw error.problem
    }
    guard changed.objectives == sweep.specification.objectives,
      changed.softBounds == sweep.specification.softBounds
    else {
      throw Problem(
        .unprocessable, "The new file looks for something else than sweep '\(id)' does.",
        hint: "What is looked for cannot change: begin another sweep with 'warm_start: \(id)'.",
        details: ["key": "metric"])
    }
    let machine = scheduled.machine
    let records = machine.trials.map { record in
      var record = record
      record.origin.coordinates = []
      return record
    }
    let imported = ImportedTrials(json: stored.imported)
    let search: Search
    do {
      search = try changed.search(
        seed: sweep.seed, added: machine.addedPoints, imported: imported, state: .null, trials: records)
    } catch {
      throw Problem(.unprocessable, "The new file cannot be searched: \(error).")
    }
    try await transact { core, writer, effects, now in
      try writer.setSpace(
        ofSweep: sweep.row, source: source, parameters: changed.space.json,
        spaceSize: changed.space.cardinality, budget: changed.budget, search: changed.searchJSON,
        by: principal, now: now)
      core.sweeps[id]?.specification = changed
      try core.decide(
        .sweep(
          id,
          .change(
            search, limits: changed.limits(budget: changed.budget), penalties: changed.penalties)),
        writer, &effects, by: principal, now)
      effects.sweeps.append(id)
    }
  }
}
