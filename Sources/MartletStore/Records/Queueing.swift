// How attempts stand in line, and what was asked of them.

import GRDB
package import MartletModel
import OrderedCollections

/// What is kept of a queued attempt, so that a server that starts puts it where it was.
package struct QueuedAttempt: Sendable, Hashable {
  package var priority: Int
  /// Nil: from a store of before, where the rows' order is the line's.
  package var ticket: Int?
  /// It waits until then.
  package var notBefore: Timestamp?
  /// Faults forgiven so far, by cause.
  package var retries: [String: Int]
  /// Supervisors in a row that started nothing.
  package var failedStarts: Int

  package init(
    priority: Int = 0, ticket: Int? = nil, notBefore: Timestamp? = nil, retries: [String: Int] = [:],
    failedStarts: Int = 0
  ) {
    self.priority = priority
    self.ticket = ticket
    self.notBefore = notBefore
    self.retries = retries
    self.failedStarts = failedStarts
  }

  var retriesText: String {
    guard !retries.isEmpty else { return "{}" }
    let members = retries.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.int(Int64($0.value))) }
    return JSONValue.object(JSONObject(uniqueKeysWithValues: members)).text
  }
}

extension StoreWriter {
  package func setPlace(
    of run: PublicID, number: Int, priority: Int, ticket: Int, by principal: Principal, now: Timestamp
  ) throws {
    let row = try requireRunRow(run)
    try db.executeCached(
      sql: "UPDATE attempt SET priority = ?, ticket = ? WHERE run_id = ? AND number = ?",
      arguments: [priority, ticket, row, number])
    try note(
      "place", subject: "run", row: row,
      payload: ["priority": .int(Int64(priority)), "ticket": .int(Int64(ticket))], by: principal, at: now)
  }

  /// Notes when an attempt that was asked to leave is killed; of several times the earliest counts.
  ///
  /// - Parameter isStop: it is asked to leave for good, not to make room.
  package func setKill(
    of run: PublicID, number: Int, at time: Timestamp, isStop: Bool, now: Timestamp
  ) throws {
    try db.executeCached(
      sql: """
        UPDATE attempt SET kill_at = min(coalesce(kill_at, ?1), ?1),
          stop_requested_at = CASE WHEN ?2 THEN coalesce(stop_requested_at, ?3) ELSE stop_requested_at END
        WHERE run_id = ?4 AND number = ?5
        """, arguments: [time.microseconds, isStop, now.microseconds, try requireRunRow(run), number])
  }

  /// How a run that has not begun is to be executed from now on.
  package func setExecution(of run: PublicID, _ execution: JSONValue) throws {
    try db.executeCached(
      sql: "UPDATE run SET execution = ? WHERE id = ?",
      arguments: [execution.text, try requireRunRow(run)])
  }

  package func askForRoom(of run: PublicID, number: Int, by principal: Principal, now: Timestamp) throws {
    let row = try requireRunRow(run)
    try db.executeCached(
      sql: """
        UPDATE attempt SET room_asked_at = coalesce(room_asked_at, ?) WHERE run_id = ? AND number = ?
        """, arguments: [now.microseconds, row, number])
    try note("roomRequested", subject: "run", row: row, by: principal, at: now)
  }
}
