// Sweeps and trials written.

import GRDB
package import MartletModel
import OrderedCollections

extension StoreWriter {
  /// An id for a sweep that is about to be created: its directory bears it. Ids are not reserved; of two sweeps that
  /// drew the same one, the second is refused.
  package func freshSweepID() throws -> PublicID { try freshID(in: "sweep") }

  /// Inserts `sweep` as it is; `sweep.id` comes from `freshSweepID`. Returns its row.
  package func createSweep(
    _ sweep: Sweep, samplerState: JSONValue, filename: String?, commandOverride: [String]?,
    imported: JSONValue = .null, by principal: Principal, now: Timestamp
  ) throws -> Int64 {
    let projectRow = try projectRow(sweep.project, by: principal, now: now)
    try db.execute(
      sql: """
        INSERT INTO sweep (public_id, project_id, name, description, state, method, metric, goal, parameters,
          max_parallel, timeout, command, workdir, output_dir, space_size, budget, seed, sampler_state, source,
          filename, command_override, created_at, created_by, priority, search, imported)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        sweep.id.rawValue, projectRow, sweep.name.inNormalForm, sweep.description, sweep.state.rawValue,
        sweep.method,
        sweep.objective?.metric.inNormalForm, sweep.objective?.goal.rawValue, sweep.parameters.text,
        sweep.maxParallel,
        sweep.timeout, JSONValue(sweep.command).text, sweep.workdir, sweep.outputDirectory, sweep.spaceSize,
        sweep.budget, Int64(bitPattern: sweep.seed), samplerState.text, sweep.source, filename,
        commandOverride.map { JSONValue($0).text }, now.microseconds, principal.row, sweep.priority,
        JSONValue.object(sweep.search).text, imported.isNull ? nil : imported.text,
      ])
    let row = db.lastInsertedRowID
    try note(
      "created", subject: "sweep", row: row, payload: ["state": .string(sweep.state.rawValue)], by: principal,
      at: now)
    return row
  }

  package func setSweepState(
    _ row: Int64, _ state: SweepState, reason: String?, by principal: Principal, now: Timestamp
  ) throws {
    let old = try String.fetchOne(db, sql: "SELECT state FROM sweep WHERE id = ?", arguments: [row]) ?? ""
    try db.execute(
      sql: """
        UPDATE sweep SET state = ?, state_reason = ?, started_at = coalesce(started_at, ?), ended_at = ? WHERE id = ?
        """,
      arguments: [
        state.rawValue, reason, state == .running ? now.microseconds : nil,
        state.isEnd ? now.microseconds : nil, row,
      ])
    try note(
      "state", subject: "sweep", row: row,
      payload: ["from": .string(old), "to": .string(state.rawValue), "reason": JSONValue(reason)],
      by: principal, at: now)
  }

  /// What a sweep needs to go on beside its trials and its state.
  package func save(ofSweep row: Int64, sampler: JSONValue, progress: JSONValue, maxParallel: Int) throws {
    try db.executeCached(
      sql: "UPDATE sweep SET sampler_state = ?, progress = ?, max_parallel = ? WHERE id = ?",
      arguments: [sampler.text, progress.text, maxParallel, row])
  }

  /// Notes that a sweep has another number of trials at a time by its own decision.
  package func noteParallel(
    ofSweep row: Int64, _ count: Int, reason: String, by principal: Principal, now: Timestamp
  ) throws {
    try note(
      "parallel", subject: "sweep", row: row,
      payload: ["max_parallel": .int(Int64(count)), "reason": .string(reason)], by: principal, at: now)
  }

  /// Keeps what was found in trials of a sweep, by number. No event: nothing happened to them.
  package func setFindings(ofSweep row: Int64, _ findings: [Int: TrialFindings]) throws {
    for (number, found) in findings {
      try db.executeCached(
        sql: "UPDATE trial SET findings = ? WHERE sweep_id = ? AND number = ?",
        arguments: [found.json.text, row, number])
    }
  }

  /// What its trials are given that begin from now on.
  ///
  /// - Parameter timeout: seconds; nil: no limit.
  package func setPlan(ofSweep row: Int64, priority: Int, timeout: Double?) throws {
    try db.executeCached(
      sql: "UPDATE sweep SET priority = ?, timeout = ? WHERE id = ?", arguments: [priority, timeout, row])
  }

  /// Notes that somebody changed how a sweep runs: the members that are others now, each `{from, to}`.
  package func noteLimits(
    ofSweep row: Int64, _ changes: JSONObject, by principal: Principal, now: Timestamp
  ) throws {
    try note(
      "limits", subject: "sweep", row: row, payload: .object(changes), by: principal, at: now)
  }

  /// A trial has been asked to leave because of its values: `{prune: why}` or `{pause: why}`.
  package func setVerdict(
    ofSweep row: Int64, number: Int, _ verdict: JSONValue, by principal: Principal, now: Timestamp
  ) throws {
    try db.executeCached(
      sql: "UPDATE trial SET verdict = ? WHERE sweep_id = ? AND number = ?",
      arguments: [verdict.text, row, number])
    try note(
      "verdict", subject: "sweep", row: row,
      payload: ["number": .int(Int64(number)), "verdict": verdict], by: principal, at: now)
  }

  /// Another space for a sweep: the text of its file and what follows from it. Where trials lie in it, their points say.
  package func setSpace(
    ofSweep row: Int64, source: String, parameters: JSONValue, spaceSize: Int?, budget: Int?,
    search: JSONObject,
    by principal: Principal, now: Timestamp
  ) throws {
    try db.execute(
      sql: """
        UPDATE sweep SET source_override = ?, parameters = ?, space_size = ?, budget = ?, search = ?,
          space_version = space_version + 1 WHERE id = ?
        """,
      arguments: [source, parameters.text, spaceSize, budget, JSONValue.object(search).text, row])
    try db.execute(
      sql: """
        UPDATE trial SET origin = json_remove(origin, '$.at') WHERE sweep_id = ? AND origin IS NOT NULL
        """, arguments: [row])
    let version = try Int.fetchOne(db, sql: "SELECT space_version FROM sweep WHERE id = ?", arguments: [row])
    try db.execute(
      sql: "INSERT INTO sweep_version (sweep_id, version, source, since, changed_by) VALUES (?, ?, ?, ?, ?)",
      arguments: [row, version, source, now.microseconds, principal.name])
    try note(
      "space", subject: "sweep", row: row,
      payload: ["version": JSONValue(version), "parameters": parameters, "budget": JSONValue(budget)],
      by: principal, at: now)
  }

  /// How many trials a sweep makes at most.
  package func setBudget(ofSweep row: Int64, _ budget: Int?) throws {
    try db.executeCached(sql: "UPDATE sweep SET budget = ? WHERE id = ?", arguments: [budget, row])
  }

  package func setBest(ofSweep row: Int64, trial: Int?) throws {
    try db.executeCached(sql: "UPDATE sweep SET best_trial = ? WHERE id = ?", arguments: [trial, row])
  }

  package func createTrial(
    ofSweep row: Int64, number: Int, parameters: JSONObject, origin: JSONValue = .null, run: PublicID,
    by principal: Principal, now: Timestamp
  ) throws {
    try db.executeCached(
      sql: """
        INSERT INTO trial (sweep_id, number, state, parameters, origin, run_id, created_at, space_version)
        VALUES (?, ?, 'waiting', ?, ?, ?, ?, (SELECT space_version FROM sweep WHERE id = ?))
        """,
      arguments: [
        row, number, JSONValue.object(parameters).text, origin.isNull ? nil : origin.text,
        try requireRunRow(run), now.microseconds, row,
      ])
    try note(
      "trial", subject: "sweep", row: row, payload: ["number": .int(Int64(number)), "state": "waiting"],
      by: principal, at: now)
  }

  package func setTrialState(
    ofSweep row: Int64, number: Int, _ state: TrialState, objective: Double? = nil,
    measured: JSONValue = .null, reason: String? = nil,
    startedAt: Timestamp? = nil, by principal: Principal, now: Timestamp
  ) throws {
    try db.executeCached(
      sql: """
        UPDATE trial SET state = ?, objective = ?, measured = ?, reason = ?,
          started_at = coalesce(started_at, ?), ended_at = ?, verdict = CASE WHEN ? THEN NULL ELSE verdict END
        WHERE sweep_id = ? AND number = ?
        """,
      arguments: [
        state.rawValue, objective, measured.isNull ? nil : measured.text, reason,
        state == .running ? now.microseconds : startedAt?.microseconds,
        state.isEnd ? now.microseconds : nil, state != .running, row, number,
      ])
    try note(
      "trial", subject: "sweep", row: row,
      payload: [
        "number": .int(Int64(number)), "state": .string(state.rawValue), "objective": JSONValue(objective),
        "reason": JSONValue(reason),
      ], by: principal, at: now)
  }
}
