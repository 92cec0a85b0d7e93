// Runs written: made, changed, moved from state to state.

import GRDB
package import MartletModel
import OrderedCollections

/// A run that Martlet is to execute.
package struct ExecutedRun: Sendable {
  package var project: String
  package var name: String
  package var sweepRow: Int64?
  package var trial: Int?
  package var config: JSONValue
  package var command: [String]
  package var workdir: String
  package var directory: String
  /// What the executor needs beside: timeout, grace, stop signal, devices.
  package var execution: JSONValue

  package init(
    project: String, name: String, sweepRow: Int64?, trial: Int?, config: JSONValue, command: [String],
    workdir: String, directory: String, execution: JSONValue
  ) {
    self.project = project
    self.name = name
    self.sweepRow = sweepRow
    self.trial = trial
    self.config = config
    self.command = command
    self.workdir = workdir
    self.directory = directory
    self.execution = execution
  }
}

extension StoreWriter {
  /// A run from outside: it begins in `running`.
  package func createExternalRun(
    project: String, name: String, _ details: RunPatch, by principal: Principal, now: Timestamp
  ) throws -> Run {
    let projectRow = try projectRow(project, by: principal, now: now)
    try db.execute(
      sql: """
        INSERT INTO run (public_id, project_id, is_executed, name, state, created_at, started_at, last_seen_at,
          created_by) VALUES (?, ?, 0, ?, 'running', ?, ?, ?, ?)
        """,
      arguments: [
        try freshID(in: "run").rawValue, projectRow, name.inNormalForm, now.microseconds, now.microseconds,
        now.microseconds,
        principal.row,
      ])
    let row = db.lastInsertedRowID
    try note("created", subject: "run", row: row, payload: ["state": "running"], by: principal, at: now)
    var rest = details
    rest.name = nil
    try change(row, rest, now: now)
    let new = try run(row: row)
    guard let parent = details.parent ?? nil else { return new }
    try nest(row, new.id, in: parent, by: principal, now: now)
    return try run(row: row)
  }

  /// An id for a run that is about to be created: its directories bear it. Ids are not reserved; of two runs that drew
  /// the same one, the second is refused.
  package func freshRunID() throws -> PublicID { try freshID(in: "run") }

  /// A run that Martlet executes: it begins in `queued`. `id` comes from `freshRunID`.
  package func createExecutedRun(
    _ new: ExecutedRun, id: PublicID, by principal: Principal, now: Timestamp
  ) throws {
    let projectRow = try projectRow(new.project, by: principal, now: now)
    try db.executeCached(
      sql: """
        INSERT INTO run (public_id, project_id, sweep_id, trial, is_executed, name, state, environment_id, config,
          command, workdir, directory, execution, created_at, created_by)
        VALUES (?, ?, ?, ?, 1, ?, 'queued', (SELECT environment_id FROM sweep WHERE id = ?), ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        id.rawValue, projectRow, new.sweepRow, new.trial, new.name.inNormalForm, new.sweepRow,
        new.config.text,
        JSONValue(new.command).text, new.workdir, new.directory, new.execution.text, now.microseconds,
        principal.row,
      ])
    let row = db.lastInsertedRowID
    try indexConfig(new.config, of: row)
    try note("created", subject: "run", row: row, payload: ["state": "queued"], by: principal, at: now)
  }

  /// Applies `patch` but for its state, which is `setRunState`'s business.
  ///
  /// What is executed, and where, is settled when an executed run is created: of such a run, command and workdir stay.
  package func patchRun(_ id: PublicID, _ patch: RunPatch, now: Timestamp) throws {
    var patch = patch
    if try isExecuted(id) { (patch.command, patch.workdir) = (nil, nil) }
    try change(try requireRunRow(id), patch, now: now)
  }

  private func change(_ row: Int64, _ patch: RunPatch, now: Timestamp) throws {
    let patch = patch.inNormalForm
    if let metrics = patch.metrics { try define(metrics, of: row) }
    if let summary = patch.summary { try setSummary(summary, of: row, now: now) }
    var columns: [String] = []
    var arguments = StatementArguments()
    func set(_ column: String, _ value: (any DatabaseValueConvertible)?) {
      guard let value else { return }
      columns.append("\(column) = ?")
      arguments += [value]
    }
    set("name", patch.name)
    set("notes", patch.notes)
    set("tags", patch.tags.map { JSONValue(Self.unique($0)).text })
    // An empty text takes it away.
    for (column, text) in [("group_name", patch.group), ("job_type", patch.jobType)] {
      if text?.isEmpty == true { columns.append("\(column) = NULL") } else { set(column, text) }
    }
    if let config = patch.config {
      let old = try Row.fetchOne(db, sql: "SELECT config FROM run WHERE id = ?", arguments: [row])?.json(
        "config")
      let new = (old ?? [:]).merging(config)
      // Programs tell their configuration again and again.
      if new.text != old?.text {
        set("config", new.text)
        try indexConfig(new, of: row)
        try outdateDerived(of: row)
      }
    }
    set("host", patch.host)
    set("pid", patch.pid)
    set("command", patch.command.map { JSONValue($0).text })
    set("workdir", patch.workdir)
    set("git", patch.git?.json.text)
    set("python", patch.python)
    if let environment = patch.environment { try addEnvironment(environment, to: row) }
    if let model = patch.model { try setModel(model, of: row) }
    guard !columns.isEmpty else { return }
    arguments += [row]
    // There are few kinds of changes.
    try db.executeCached(
      sql: "UPDATE run SET \(columns.joined(separator: ", ")) WHERE id = ?", arguments: arguments)
  }

  /// Moves a run to a state and notes the move; the table of legal moves binds attempts, not runs.
  ///
  /// - Parameters:
  ///   - endedAt: when it ended, where that was earlier than now.
  ///   - isByHand: somebody corrects it, so nobody has to be told by an alert.
  package func setRunState(
    _ row: Int64, _ state: RunState, exit: ExitRecord?, startedAt: Int64? = nil, endedAt: Timestamp? = nil,
    isByHand: Bool = false, by principal: Principal, now: Timestamp
  ) throws {
    let old =
      try String.fetchOne(db.cachedStatement(sql: "SELECT state FROM run WHERE id = ?"), arguments: [row])
      ?? ""
    let startedAt = state == .running ? now.microseconds : startedAt
    let endedAt = state.isEnd ? (endedAt ?? now).microseconds : nil
    try db.executeCached(
      sql: """
        UPDATE run SET state = ?1, started_at = coalesce(started_at, ?2), ended_at = ?3,
          exit_code = ?4, exit_signal = ?5, exit_reason = ?6 WHERE id = ?7
        """,
      arguments: [state.rawValue, startedAt, endedAt, exit?.code, exit?.signal, exit?.reason, row])
    hot.forget(row)
    hot.tell(.ended(run: row, state.isEnd))
    try note(
      "state", subject: "run", row: row,
      payload: ["from": .string(old), "to": .string(state.rawValue), "reason": JSONValue(exit?.reason)],
      by: principal, at: now)
    if !isByHand, state.isAlarming, let exit {
      try alertOfEnd(of: row, state, reason: exit.reason, by: principal, now: now)
    }
  }

  package func setRunState(
    _ id: PublicID, _ state: RunState, exit: ExitRecord?, endedAt: Timestamp? = nil, isByHand: Bool = false,
    by principal: Principal, now: Timestamp
  ) throws {
    try setRunState(
      try requireRunRow(id), state, exit: exit, endedAt: endedAt, isByHand: isByHand, by: principal, now: now)
  }

  /// Notes a sign of life; a `lost` run is running again, and so is the attempt that it shows.
  package func seen(_ id: PublicID, by principal: Principal, now: Timestamp) throws {
    let row = try requireRunRow(id)
    try db.execute(sql: "UPDATE run SET last_seen_at = ? WHERE id = ?", arguments: [now.microseconds, row])
    let isLost = try Bool.fetchOne(db, sql: "SELECT state = 'lost' FROM run WHERE id = ?", arguments: [row])
    guard isLost == true else { return }
    try db.execute(
      sql: """
        UPDATE attempt SET state = 'running', exit_code = NULL, exit_signal = NULL, exit_reason = NULL
        WHERE run_id = ? AND state = 'lost'
        """, arguments: [row])
    try setRunState(row, .running, exit: nil, by: principal, now: now)
  }

  /// Words that an executed run's process left for its end; once that has come, they change nothing.
  package func setReason(_ id: PublicID, _ reason: String) throws {
    guard let state = try place(of: id)?.state, !state.isEnd else { return }
    try db.execute(
      sql: "UPDATE run SET said_reason = ? WHERE public_id = ?", arguments: [reason, id.rawValue])
  }

  /// Forgets that the run was asked to stop: what is running again was not.
  package func withdrawStop(_ id: PublicID) throws {
    try db.execute(
      sql: "UPDATE run SET stop_requested_at = NULL WHERE public_id = ?", arguments: [id.rawValue])
  }

  package func requestStop(_ id: PublicID, by principal: Principal, now: Timestamp) throws {
    let row = try requireRunRow(id)
    try db.execute(
      sql: "UPDATE run SET stop_requested_at = coalesce(stop_requested_at, ?) WHERE id = ?",
      arguments: [now.microseconds, row])
    try note("stopRequested", subject: "run", row: row, by: principal, at: now)
  }
}

extension StoreReader {
  package func isStopRequested(_ id: PublicID) throws -> Bool {
    try Bool.fetchOne(
      db, sql: "SELECT stop_requested_at IS NOT NULL FROM run WHERE public_id = ?", arguments: [id.rawValue])
      ?? false
  }

  package func isExecuted(_ id: PublicID) throws -> Bool {
    try Bool.fetchOne(
      db.cachedStatement(sql: "SELECT is_executed FROM run WHERE public_id = ?"), arguments: [id.rawValue])
      ?? false
  }

  /// Words that an executed run's process left for its end (`setReason`), until it ends.
  package func saidReason(of id: PublicID) throws -> String? {
    let found = try Row.fetchOne(
      db.cachedStatement(
        sql: "SELECT state, said_reason FROM run WHERE public_id = ? AND is_executed AND purge IS NULL"),
      arguments: [id.rawValue])
    guard let found, RunState(rawValue: found["state"])?.isEnd == false else { return nil }
    return found["said_reason"]
  }

  /// What an access is checked against: one row, without the run's metrics. Nil: there is no such run.
  package func place(
    of id: PublicID
  ) throws -> (project: String, state: RunState, isExecuted: Bool, isDeleted: Bool, isLocked: Bool)? {
    guard
      let row = try Row.fetchOne(
        db.cachedStatement(
          sql: """
            SELECT project.name AS project_name, run.state, run.is_executed, run.deleted_at IS NOT NULL AS is_deleted,
              run.locked_at IS NOT NULL AS is_locked
            FROM run JOIN project ON project.id = run.project_id WHERE run.public_id = ? AND run.purge IS NULL
            """), arguments: [id.rawValue])
    else { return nil }
    guard let state = RunState(rawValue: row["state"]) else {
      throw Problem(.internal, "A stored run has an unknown state.", hint: "Run 'martlet doctor'.")
    }
    return (row["project_name"], state, row["is_executed"], row["is_deleted"], row["is_locked"])
  }

  /// When a run last gave a sign of life; nil: it never did.
  package func lastSign(of id: PublicID) throws -> Timestamp? {
    try Int64.fetchOne(db, sql: "SELECT last_seen_at FROM run WHERE public_id = ?", arguments: [id.rawValue])
      .map(Timestamp.init(microseconds:))
  }

  /// When a run ended; nil: it has not.
  package func end(of id: PublicID) throws -> Timestamp? {
    try Int64.fetchOne(db, sql: "SELECT ended_at FROM run WHERE public_id = ?", arguments: [id.rawValue])
      .map(Timestamp.init(microseconds:))
  }

  /// Runs from outside in `state`, which is no end, that gave no sign of life since `before`.
  package func silentRuns(state: RunState, before: Timestamp) throws -> [PublicID] {
    try String.fetchAll(
      db,
      sql: """
        SELECT public_id FROM run
        WHERE \(Self.isAlive) AND is_executed = 0 AND state = ? AND last_seen_at < ? AND purge IS NULL
        """,
      arguments: [state.rawValue, before.microseconds]
    ).compactMap(PublicID.init(rawValue:))
  }

  /// The condition of the index `run_alive`, word for word: SQLite uses a partial index only where it is repeated.
  static let isAlive = "state IN ('queued', 'starting', 'running', 'lost')"
}
