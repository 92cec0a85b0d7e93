// Purged runs: gone at once for whoever asks, and off the disk in bounded transactions.

import GRDB
package import MartletModel

/// How far a run is on its way off the disk (`run.purge`); NULL: nobody asked for it.
enum PurgeStage: Int64 {
  /// Its points and all that belongs to them are removed.
  case points = 1
  /// All is gone but its row, which a trial needs.
  case trialsRow = 2
  /// Its rows are gone; its directory may still be there.
  case directory = 3
}

extension StoreReader {
  /// Whether there is a purged run of which not all points are removed yet.
  package func isPurging() throws -> Bool {
    try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM run WHERE purge = ?)",
      arguments: [PurgeStage.points.rawValue]) ?? false
  }

  /// Purged runs whose directories may still be there.
  ///
  /// - Parameter all: also those whose purge has ended and whose row a trial needs: a directory may have come back with
  ///   a copy of the data, or be left by an older server.
  package func purgedRuns(all: Bool) throws -> [PublicID] {
    try String.fetchAll(
      db, sql: "SELECT public_id FROM run WHERE purge IS NOT NULL AND (purge != ? OR ?) ORDER BY id",
      arguments: [PurgeStage.trialsRow.rawValue, all]
    ).compactMap(PublicID.init(rawValue:))
  }
}

extension StoreWriter {
  /// Rows of one table that one transaction removes of a purged run.
  static let purgedAtOnce = 1_000

  /// From now on there is no such run: whoever asks does not find it, and what it has is removed in the background.
  /// Its directory is for whoever asks for `purgedRuns` to remove.
  ///
  /// - Parameter freesChildren: what is nested in it is free at once, as far as one transaction takes that; else later.
  /// - Throws: `Problem`: `notFound`; `conflict` for a run that Martlet executes and that has not ended.
  package func purge(
    _ id: PublicID, freesChildren: Bool = true, by principal: Principal, now: Timestamp
  ) throws {
    let run = try requireRunRow(id)
    try refuseExecuting(id, run)
    try db.execute(
      sql: "UPDATE run SET purge = ?, deleted_at = coalesce(deleted_at, ?) WHERE id = ?",
      arguments: [PurgeStage.points.rawValue, now.microseconds, run])
    for table in ["token", "run_model"] {
      try db.execute(sql: "DELETE FROM \(table) WHERE run_id = ?", arguments: [run])
    }
    try dropEnvironment(of: run)
    // Of most runs that is all: their files are free at once.
    _ = try removeSomeFilesAndAlerts(of: run)
    if freesChildren { _ = try setChildrenFree(of: run, by: principal, now: now) }
    try db.execute(sql: "DELETE FROM alias WHERE kind = 'run' AND row_id = ?", arguments: [run])
    // Its own events go with it: that it went is the project's.
    if let project = try Int64.fetchOne(db, sql: "SELECT project_id FROM run WHERE id = ?", arguments: [run])
    {
      try note(
        "purged", subject: "project", row: project, payload: ["run": .string(id.rawValue)], by: principal,
        at: now)
    }
    hot.forget(run)
    hot.tell(.rewritten(run: run))
    hot.tell(.purge)
  }

  /// Removes some rows of a run. True: there may be more.
  ///
  /// - Parameter key: what tells the rows of one run apart.
  private func removeSome(from table: String, by key: String, of run: Int64) throws -> Bool {
    try db.execute(
      sql: """
        DELETE FROM \(table) WHERE run_id = ?1
          AND \(key) IN (SELECT \(key) FROM \(table) WHERE run_id = ?1 LIMIT \(Self.purgedAtOnce))
        """, arguments: [run])
    return db.changesCount >= Self.purgedAtOnce
  }

  /// True: there may be more. Names of files first: they refer to what the run has of blobs.
  private func removeSomeFilesAndAlerts(of run: Int64) throws -> Bool {
    for (table, key) in [("run_file", "path"), ("run_blob", "blob_id"), ("alert", "id")] {
      if try removeSome(from: table, by: key, of: run) { return true }
    }
    return false
  }

  /// Removes a part of what a purged run has. Returns false when there is nothing left to remove of any.
  func purgeStep() throws -> Bool {
    guard
      let run = try Int64.fetchOne(
        db, sql: "SELECT id FROM run WHERE purge = ? ORDER BY id LIMIT 1",
        arguments: [PurgeStage.points.rawValue])
    else { return false }
    if try removeSomeFilesAndAlerts(of: run) { return true }
    if let owner = try owner(ofPurged: run),
      try setChildrenFree(of: run, by: owner, now: try timeOfNewestEvent())
    {
      return true
    }
    for (table, limit) in [
      ("row_block", 16), ("series_chunk", 256), ("series_level", 1_024), ("row_chunk", 256),
    ] {
      try db.execute(
        sql: "DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) WHERE run_id = ? LIMIT \(limit))",
        arguments: [run])
      if db.changesCount > 0 { return true }
    }
    for (table, key) in [
      ("metric_summary", "key_id"), ("derived_summary", "derived_id"), ("logged_value", "key_id"),
      ("client", "client"), ("metric_definition", "name"), ("summary_value", "name"),
      ("config_value", "key_id"), ("run_log", "number"),
    ] {
      if try removeSome(from: table, by: key, of: run) { return true }
    }
    if try !isTrials(run) {
      try db.execute(
        sql: """
          DELETE FROM event WHERE id IN (
            SELECT id FROM event WHERE subject = 'run' AND subject_id = ? LIMIT \(Self.purgedAtOnce))
          """, arguments: [run])
      if db.changesCount >= Self.purgedAtOnce { return true }
    }
    try db.execute(
      sql: "UPDATE run SET purge = ?, points = 0, rows = 0, last_step = NULL WHERE id = ?",
      arguments: [PurgeStage.directory.rawValue, run])
    return true
  }

  /// In whose name the rest of a purge is done: the server's.
  private func owner(ofPurged run: Int64) throws -> Principal? {
    if let system = try principal(kind: .system) { return system }
    return try Int64.fetchOne(db, sql: "SELECT created_by FROM run WHERE id = ?", arguments: [run])
      .flatMap(principal(row:))
  }

  /// What happens in the background has no time of its own: that of the newest event, which may be the purge itself.
  private func timeOfNewestEvent() throws -> Timestamp {
    Timestamp(
      microseconds: try Int64.fetchOne(db, sql: "SELECT at FROM event ORDER BY id DESC LIMIT 1") ?? 0)
  }

  /// Whether a trial needs the run's row.
  private func isTrials(_ run: Int64) throws -> Bool {
    try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM trial WHERE run_id = ?)", arguments: [run]) ?? false
  }

  /// Removes what is left of purged runs whose directories are gone; those that have points yet wait for another call.
  package func endPurge(of ids: [PublicID]) throws {
    for id in ids {
      guard
        let run = try Int64.fetchOne(
          db, sql: "SELECT id FROM run WHERE public_id = ? AND purge = ?",
          arguments: [id.rawValue, PurgeStage.directory.rawValue])
      else { continue }
      if try isTrials(run) {
        // A sweep's account of its trials stays whole.
        try db.execute(
          sql: "UPDATE run SET purge = ? WHERE id = ?", arguments: [PurgeStage.trialsRow.rawValue, run])
      } else {
        // Few, or none: `purgeStep` has removed them.
        try db.execute(sql: "DELETE FROM event WHERE subject = 'run' AND subject_id = ?", arguments: [run])
        try db.execute(sql: "DELETE FROM attempt WHERE run_id = ?", arguments: [run])
        try db.execute(sql: "DELETE FROM run WHERE id = ?", arguments: [run])
      }
    }
  }
}

extension Store {
  /// Removes a run for good: at once for whoever asks, in bounded transactions on the disk. A later start goes on with them.
  ///
  /// Of a trial's run only the row that the trial needs is left, which nobody finds. Directories of the run are the
  /// caller's (`purgedRuns`, `endPurge`).
  ///
  /// - Throws: `Problem`: `notFound`; `conflict` for a run that Martlet executes and that has not ended.
  package func purge(_ id: PublicID, by principal: Principal, now: Timestamp) async throws {
    try await write { try $0.purge(id, by: principal, now: now) }
  }

  /// Removes for good what was put into the trash before a moment, some runs in each transaction.
  ///
  /// - Parameter limit: runs at most.
  /// - Returns: which these are, and the names of their projects.
  package func purgeTrash(
    before: Timestamp, limit: Int = 1_000, by principal: Principal, now: Timestamp
  ) async throws -> [(run: PublicID, project: String)] {
    var gone: [(run: PublicID, project: String)] = []
    while gone.count < limit {
      let some = try await write { writer in
        let ids = try String.fetchAll(
          writer.db,
          sql: "SELECT public_id FROM run WHERE deleted_at < ? AND purge IS NULL ORDER BY id LIMIT 50",
          arguments: [before.microseconds]
        ).compactMap(PublicID.init(rawValue:))
        return try ids.compactMap { id -> (run: PublicID, project: String)? in
          guard let place = try writer.place(of: id) else { return nil }
          try writer.purge(id, freesChildren: false, by: principal, now: now)
          return (id, place.project)
        }
      }
      if some.isEmpty { break }
      gone += some
    }
    return gone
  }

  /// Calls `body` with runs whose rows changed because the one they were nested in is removed in the background.
  package func onFreed(_ body: @escaping @Sendable ([PublicID]) -> Void) { sealer.onFreed(body) }
}
