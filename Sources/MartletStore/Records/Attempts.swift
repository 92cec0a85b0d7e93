// Attempts: each start of a run's process, and its end.

import GRDB
package import MartletModel
import OrderedCollections

/// An attempt that has not ended, as the executor needs it after a restart.
package struct LiveAttempt: Sendable {
  package var run: PublicID
  package var runName: String
  package var number: Int
  package var state: AttemptState
  package var directory: String
  package var devices: [Int]
  /// Of the run: timeout, grace, stop signal, device count, environment file.
  package var execution: JSONValue
  package var command: [String]
  package var workdir: String
  package var runDirectory: String
  package var project: String
  package var sweep: PublicID?
  package var trial: Int?
  package var config: JSONValue
  package var stopRequested: Bool
  package var queueing: QueuedAttempt
  /// It was asked to make room.
  package var roomRequested: Bool
  package var createdAt: Timestamp
  /// When its command began.
  package var startedAt: Timestamp?
}

extension StoreReader {
  package func attempts(of run: PublicID) throws -> [Attempt] {
    try attempts("run_id = ? ORDER BY number", [try requireRunRow(run)])
  }

  /// One attempt; `number` nil: the newest. Nil: there is none.
  package func attempt(of run: PublicID, number: Int?) throws -> Attempt? {
    let row = try requireRunRow(run)
    guard let number else { return try attempts("run_id = ? ORDER BY number DESC LIMIT 1", [row]).first }
    return try attempts("run_id = ? AND number = ?", [row, number]).first
  }

  private func attempts(_ condition: String, _ arguments: StatementArguments) throws -> [Attempt] {
    try Row.fetchAll(db, sql: "SELECT * FROM attempt WHERE \(condition)", arguments: arguments).map { row in
      guard let state = AttemptState(rawValue: row["state"]) else {
        throw Problem(.internal, "A stored attempt has an unknown state.", hint: "Run 'martlet doctor'.")
      }
      var attempt = Attempt(
        number: row["number"], state: state, createdAt: Timestamp(microseconds: row["created_at"]),
        startedAt: row.time("started_at"), endedAt: row.time("ended_at"), exit: row.exitRecord(),
        pid: row["pid"],
        devices: try row.devices(), directory: row["directory"])
      attempt.stopRequestedAt = row.time("stop_requested_at")
      attempt.roomRequestedAt = row.time("room_asked_at")
      attempt.killAt = row.time("kill_at")
      attempt.use = row.attemptUse()
      attempt.limits = try row.json("limits")
      return attempt
    }
  }

  /// All attempts that have not ended, oldest first: the order in which they queue.
  package func liveAttempts() throws -> [LiveAttempt] {
    try recordedAttempts("attempt.state IN ('queued', 'starting', 'running', 'lost') ORDER BY attempt.id", [])
  }

  /// The newest attempt of a trial with all that another one needs; nil: there is none.
  package func lastAttempt(ofSweep row: Int64, trial: Int) throws -> LiveAttempt? {
    try recordedAttempts(
      "run.sweep_id = ? AND run.trial = ? ORDER BY attempt.number DESC LIMIT 1", [row, trial]
    ).first
  }

  private func recordedAttempts(
    _ condition: String, _ arguments: StatementArguments
  ) throws -> [LiveAttempt] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT attempt.number, attempt.state, attempt.directory, attempt.devices, attempt.priority, attempt.ticket,
          attempt.not_before, attempt.retries, attempt.failed_starts, attempt.created_at, attempt.started_at,
          attempt.room_asked_at IS NOT NULL AS room_requested, run.public_id, run.name AS run_name, run.execution,
          run.command, run.workdir, run.directory AS run_directory, run.trial, run.config,
          run.stop_requested_at IS NOT NULL AS stop_requested, project.name AS project, sweep.public_id AS sweep
        FROM attempt JOIN run ON run.id = attempt.run_id JOIN project ON project.id = run.project_id
          LEFT JOIN sweep ON sweep.id = run.sweep_id
        WHERE \(condition)
        """, arguments: arguments
    ).map { row in
      guard let run = PublicID(rawValue: row["public_id"]), let state = AttemptState(rawValue: row["state"])
      else {
        throw Problem(
          .internal, "A stored attempt has an unknown id or state.", hint: "Run 'martlet doctor'.")
      }
      return LiveAttempt(
        run: run, runName: row["run_name"], number: row["number"], state: state, directory: row["directory"],
        devices: try row.devices(),
        execution: try row.json("execution"), command: try row.strings("command") ?? [],
        workdir: row["workdir"] ?? "/", runDirectory: row["run_directory"] ?? "/", project: row["project"],
        sweep: (row["sweep"] as String?).flatMap(PublicID.init(rawValue:)), trial: row["trial"],
        config: try row.json("config"), stopRequested: row["stop_requested"],
        queueing: QueuedAttempt(
          priority: row["priority"], ticket: row["ticket"], notBefore: row.time("not_before"),
          retries: (try row.json("retries").object ?? [:]).reduce(into: [:]) { retries, member in
            retries[member.key] = member.value.int.map(Int.init)
          }, failedStarts: row["failed_starts"]), roomRequested: row["room_requested"],
        createdAt: Timestamp(microseconds: row["created_at"]), startedAt: row.time("started_at"))
    }
  }
}

extension StoreWriter {
  /// A new attempt of a run, `queued`; the run shows its state from here on. Returns its number, from 1.
  package func createAttempt(
    of run: PublicID, _ queueing: QueuedAttempt = QueuedAttempt(), directory: (Int) -> String,
    by principal: Principal,
    now: Timestamp
  ) throws -> Int {
    let row = try requireRunRow(run)
    let number =
      1
      + (try Int.fetchOne(
        db.cachedStatement(sql: "SELECT max(number) FROM attempt WHERE run_id = ?"), arguments: [row]) ?? 0)
    try db.executeCached(
      sql: """
        INSERT INTO attempt (run_id, number, state, directory, created_at, priority, ticket, not_before, retries,
          failed_starts) VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        row, number, directory(number), now.microseconds, queueing.priority, queueing.ticket,
        queueing.notBefore?.microseconds, queueing.retriesText, queueing.failedStarts,
      ])
    try note(
      "attempt", subject: "run", row: row, payload: ["number": .int(Int64(number))], by: principal, at: now)
    if number > 1 {
      // What was asked of the attempt before, and what its process said, is not this one's.
      try db.execute(
        sql: "UPDATE run SET stop_requested_at = NULL, said_reason = NULL WHERE id = ?", arguments: [row])
      try setRunState(row, .queued, exit: nil, by: principal, now: now)
    }
    return number
  }

  /// Moves an attempt, and its run with it.
  ///
  /// - Throws: `Problem.internal` for a move that `AttemptState.mayBecome` does not know.
  package func setAttemptState(
    of run: PublicID, number: Int, _ state: AttemptState, exit: ExitRecord? = nil, pid: Int? = nil,
    devices: [Int]? = nil, startedAt: Timestamp? = nil, by principal: Principal, now: Timestamp
  ) throws {
    let row = try requireRunRow(run)
    guard
      let old = try Row.fetchOne(
        db.cachedStatement(sql: "SELECT id, state FROM attempt WHERE run_id = ? AND number = ?"),
        arguments: [row, number]),
      let oldState = AttemptState(rawValue: old["state"])
    else { throw Problem(.internal, "Run '\(run)' has no attempt \(number).") }
    guard oldState.mayBecome(state) else {
      throw Problem(
        .internal,
        "Attempt \(number) of run '\(run)' cannot go from \(oldState.rawValue) to \(state.rawValue).")
    }
    let list = devices.map { JSONValue.array($0.map { .int(Int64($0)) }).text }
    let startedAt = state == .running ? now.microseconds : startedAt?.microseconds
    let endedAt = state.isEnd ? now.microseconds : nil
    try db.executeCached(
      sql: """
        UPDATE attempt SET state = ?, exit_code = ?, exit_signal = ?, exit_reason = ?, pid = coalesce(?, pid),
          devices = coalesce(?, devices), started_at = coalesce(started_at, ?), ended_at = ? WHERE id = ?
        """,
      arguments: [
        state.rawValue, exit?.code, exit?.signal, exit?.reason, pid, list, startedAt, endedAt,
        old["id"] as Int64,
      ])
    if let pid { try db.executeCached(sql: "UPDATE run SET pid = ? WHERE id = ?", arguments: [pid, row]) }
    try setRunState(row, state, exit: exit, startedAt: startedAt, by: principal, now: now)
    if state.isEnd { try revokeTokens(ofRun: row, now: now) }
  }
}
