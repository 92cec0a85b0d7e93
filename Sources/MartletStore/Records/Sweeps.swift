// Sweeps and trials read back.

import GRDB
package import MartletModel
import OrderedCollections

/// What the orchestrator needs to go on with a sweep after a restart.
package struct StoredSweep: Sendable {
  package var row: Int64
  package var sweep: Sweep
  package var samplerState: JSONValue
  package var filename: String?
  package var commandOverride: [String]?
  package var creator: Principal
  /// What its machine remembers.
  package var progress: JSONValue
  /// Trials of elsewhere that it learned from; null: there were none.
  package var imported: JSONValue
}

extension StoreReader {
  func sweepRow(_ id: PublicID) throws -> Int64? {
    try Int64.fetchOne(db, sql: "SELECT id FROM sweep WHERE public_id = ?", arguments: [id.rawValue])
  }

  func requireSweepRow(_ id: PublicID) throws -> Int64 {
    guard let row = try sweepRow(id) else {
      throw Problem(
        .notFound, "There is no sweep '\(id)'.", hint: "'martlet sweep list' shows the sweeps there are.")
    }
    return row
  }

  package func sweep(_ id: PublicID) throws -> Sweep? {
    try sweeps("WHERE sweep.public_id = ?", [id.rawValue]).first?.sweep
  }

  package func storedSweep(_ id: PublicID) throws -> StoredSweep? {
    try sweeps("WHERE sweep.public_id = ?", [id.rawValue]).first
  }

  /// The sweep with this id, or the newest of this name; nil: there is none.
  package func sweep(called name: String) throws -> PublicID? {
    if let id = PublicID(rawValue: name), try sweepRow(id) != nil { return id }
    return try String.fetchOne(
      db, sql: "SELECT public_id FROM sweep WHERE name = ? ORDER BY id DESC LIMIT 1",
      arguments: [name.inNormalForm]
    ).flatMap(PublicID.init(rawValue:))
  }

  /// The newest sweep of this name in a project that has a complete trial; nil: there is none.
  package func newestSweep(called name: String, inProject project: String) throws -> PublicID? {
    guard let project = try projectRowID(project) else { return nil }
    return try String.fetchOne(
      db,
      sql: """
        SELECT public_id FROM sweep WHERE name = ? AND project_id = ?
          AND EXISTS (SELECT 1 FROM trial WHERE sweep_id = sweep.id AND state = 'complete')
        ORDER BY id DESC LIMIT 1
        """, arguments: [name.inNormalForm, project]
    ).flatMap(PublicID.init(rawValue:))
  }

  /// How long the complete trials of a sweep took, the median of the newest hundred, in seconds; nil: there are none.
  package func usualTrialSeconds(ofSweep id: PublicID) throws -> Double? {
    let seconds = try Double.fetchAll(
      db,
      sql: """
        SELECT (ended_at - started_at) / 1e6 FROM trial
        WHERE sweep_id = ? AND state = 'complete' AND started_at IS NOT NULL AND ended_at IS NOT NULL
        ORDER BY number DESC LIMIT 100
        """, arguments: [try requireSweepRow(id)]
    ).sorted()
    return seconds.isEmpty ? nil : seconds[seconds.count / 2]
  }

  package func sweeps(_ query: SweepQuery, _ page: PageRequest) throws -> Page<Sweep> {
    var conditions: [String] = []
    var arguments = StatementArguments()
    if let project = query.project {
      guard let row = try projectRowID(project) else {
        let hint = nearest(to: project, in: try projectNames()).map { "Did you mean '\($0)'?" }
        throw Problem(.notFound, "There is no project '\(project)'.", hint: hint)
      }
      conditions.append("sweep.project_id = ?")
      arguments += [row]
    }
    if let states = query.states {
      conditions.append("sweep.state IN (\(states.map { _ in "?" }.joined(separator: ", ")))")
      arguments += StatementArguments(states.map(\.rawValue).sorted())
    }
    if let row = try Cursor.last(page.cursor) {
      conditions.append("sweep.id < ?")
      arguments += [row]
    }
    arguments += [page.limit + 1]
    let filter = conditions.isEmpty ? "" : "WHERE \(conditions.joined(separator: " AND "))"
    let found = try sweeps("\(filter) ORDER BY sweep.id DESC LIMIT ?", arguments).map(\.sweep)
    return try Cursor.page(found, page) { try requireSweepRow($0.id) }
  }

  /// Sweeps that have not ended, oldest first.
  package func liveSweeps() throws -> [StoredSweep] {
    try sweeps(
      "WHERE sweep.state NOT IN ('finished', 'stopped', 'failed', 'cancelled') ORDER BY sweep.id", [])
  }

  private func sweeps(_ sql: String, _ arguments: StatementArguments) throws -> [StoredSweep] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT sweep.*, project.name AS project_name, principal.name AS creator_name, principal.kind AS creator_kind,
          trial.objective AS best_objective, run.public_id AS best_run, run.name AS best_run_name
        FROM sweep JOIN project ON project.id = sweep.project_id JOIN principal ON principal.id = sweep.created_by
          LEFT JOIN trial ON trial.sweep_id = sweep.id AND trial.number = sweep.best_trial
          LEFT JOIN run ON run.id = trial.run_id
        \(sql)
        """, arguments: arguments
    ).map { row in
      guard let id = PublicID(rawValue: row["public_id"]), let state = SweepState(rawValue: row["state"]),
        let creatorKind = Principal.Kind(rawValue: row["creator_kind"])
      else {
        throw Problem(.internal, "A stored sweep has an unknown id or state.", hint: "Run 'martlet doctor'.")
      }
      var objective: Objective?
      if let metric = row["metric"] as String?,
        let goal = (row["goal"] as String?).flatMap(Objective.Goal.init(rawValue:))
      {
        objective = Objective(metric: metric, goal: goal)
      }
      var sweep = Sweep(
        id: id, project: row["project_name"], name: row["name"], description: row["description"],
        state: state,
        method: row["method"], objective: objective, parameters: try row.json("parameters"),
        maxParallel: row["max_parallel"], timeout: row["timeout"], command: try row.strings("command") ?? [],
        workdir: row["workdir"], outputDirectory: row["output_dir"], spaceSize: row["space_size"],
        budget: row["budget"], createdAt: Timestamp(microseconds: row["created_at"]),
        createdBy: row["creator_name"], seed: UInt64(bitPattern: row["seed"] as Int64),
        source: row["source_override"] ?? row["source"])
      sweep.search = try row.json("search").object ?? [:]
      if let first = sweep.search["objectives"]?.array?.first.flatMap(Objective.init(json:)) {
        sweep.objective?.statistic = first.statistic
        sweep.objective?.fallback = first.fallback
      }
      sweep.spaceVersion = row["space_version"]
      sweep.stateReason = row["state_reason"]
      sweep.priority = row["priority"]
      sweep.startedAt = row.time("started_at")
      sweep.endedAt = row.time("ended_at")
      sweep.counts = try counts(ofSweep: row["id"])
      let progress = try row.json("progress")
      sweep.isAutomatic = progress["automatic"]?.bool ?? false
      sweep.parallelReason = progress["window_reason"]?.string
      sweep.preparation = try preparation(ofSweep: row["id"])
      if let number = row["best_trial"] as Int?,
        let run = (row["best_run"] as String?).flatMap(PublicID.init(rawValue:)),
        let objective = row["best_objective"] as Double?
      {
        sweep.best = Sweep.Best(trial: number, run: run, runName: row["best_run_name"], objective: objective)
      }
      return StoredSweep(
        row: row["id"], sweep: sweep, samplerState: try row.json("sampler_state"), filename: row["filename"],
        commandOverride: try row.strings("command_override"),
        creator: Principal(row: row["created_by"], kind: creatorKind, name: row["creator_name"]),
        progress: progress, imported: try row.json("imported"))
    }
  }

  /// The run of a sweep that is no trial.
  private func preparation(ofSweep row: Int64) throws -> Sweep.Preparation? {
    let found = try Row.fetchOne(
      db.cachedStatement(
        sql: "SELECT public_id, state FROM run WHERE sweep_id = ? AND trial IS NULL AND purge IS NULL"),
      arguments: [row])
    guard let found, let run = PublicID(rawValue: found["public_id"]),
      let state = RunState(rawValue: found["state"])
    else { return nil }
    return Sweep.Preparation(run: run, state: state)
  }

  private func counts(ofSweep row: Int64) throws -> OrderedDictionary<TrialState, Int> {
    var counts: OrderedDictionary<TrialState, Int> = [:]
    let rows = try Row.fetchAll(
      db.cachedStatement(
        sql: "SELECT state, trials FROM trial_count WHERE sweep_id = ? AND trials > 0 ORDER BY state"),
      arguments: [row])
    for row in rows {
      if let state = TrialState(rawValue: row["state"]) { counts[state] = row["trials"] }
    }
    return counts
  }

  /// All trials of a sweep, by number.
  package func trials(of id: PublicID) throws -> [Trial] {
    try trials("trial.sweep_id = ?", [try requireSweepRow(id)])
  }

  /// Trials of a sweep by number, from one on; at most `limit`.
  ///
  /// - Parameter time: only those that ended then or later; nil: also those that have not ended.
  package func trials(
    of id: PublicID, from number: Int, limit: Int = .max, endedSince time: Timestamp? = nil
  ) throws -> [Trial] {
    let sweep = try requireSweepRow(id)
    guard let time else {
      return try trials("trial.sweep_id = ? AND trial.number >= ?", [sweep, number], limit: limit)
    }
    return try trials(
      "trial.sweep_id = ? AND trial.number >= ? AND trial.ended_at >= ?", [sweep, number, time.microseconds],
      limit: limit)
  }

  package func trial(of id: PublicID, number: Int) throws -> Trial? {
    try trials("trial.sweep_id = ? AND trial.number = ?", [try requireSweepRow(id), number]).first
  }

  /// - Parameter condition: on `trial`, `run` and `sweep`; one of few texts.
  func trials(
    _ condition: String, _ arguments: StatementArguments, limit: Int = .max
  ) throws -> [Trial] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT trial.*, run.public_id AS run_public_id, run.name AS run_name, run.state AS run_state,
          (SELECT count(*) FROM attempt WHERE run_id = run.id) AS attempts,
          coalesce(metric_summary.last, derived_summary.last) AS final,
          coalesce(metric_summary.min, derived_summary.min) AS min,
          coalesce(metric_summary.max, derived_summary.max) AS max,
          coalesce(metric_summary.count, nullif(derived_summary.count, 0)) AS count
        FROM trial JOIN run ON run.id = trial.run_id JOIN sweep ON sweep.id = trial.sweep_id
          LEFT JOIN metric_summary ON metric_summary.run_id = run.id
            AND metric_summary.key_id = (SELECT id FROM metric_key WHERE name = sweep.metric)
          LEFT JOIN derived_summary ON metric_summary.run_id IS NULL
            AND derived_summary.run_id = run.id AND derived_summary.derived_id =
              (SELECT id FROM derived_metric WHERE project_id = run.project_id AND name = sweep.metric)
        WHERE \(condition) ORDER BY trial.number LIMIT ?
        """, arguments: arguments + [limit]
    ).map { row in
      guard let run = PublicID(rawValue: row["run_public_id"]),
        let state = TrialState(rawValue: row["state"]),
        let runState = RunState(rawValue: row["run_state"])
      else { throw Problem(.internal, "A stored trial has an unknown state.", hint: "Run 'martlet doctor'.") }
      var trial = Trial(
        number: row["number"], state: state, run: run, runName: row["run_name"], runState: runState,
        parameters: try row.json("parameters").object ?? [:],
        createdAt: Timestamp(microseconds: row["created_at"]))
      trial.objective = row["objective"]
      (trial.origin, trial.measured) = (try row.json("origin"), try row.json("measured"))
      trial.verdict = try row.json("verdict")
      trial.reason = row["reason"]
      trial.startedAt = row.time("started_at")
      trial.endedAt = row.time("ended_at")
      trial.attempts = row["attempts"]
      trial.spaceVersion = row["space_version"]
      if row["findings"] as String? != nil { trial.findings = TrialFindings(json: try row.json("findings")) }
      if row["count"] as Int64? != nil {
        trial.metrics = Trial.Metrics(final: row["final"] ?? .nan, min: row["min"], max: row["max"])
      }
      return trial
    }
  }
}
