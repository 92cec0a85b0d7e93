// Runs into the trash, out of it, and off the disk.

import GRDB
package import MartletModel

extension StoreReader {
  /// - Throws: `Problem.notFound` for a run in the trash.
  func refuseDeleted(_ id: PublicID, _ run: Int64) throws {
    let isDeleted = try Bool.fetchOne(
      db, sql: "SELECT deleted_at IS NOT NULL FROM run WHERE id = ?", arguments: [run])
    guard isDeleted == true else { return }
    throw Problem(
      .notFound, "Run '\(id)' is in the trash.",
      hint: "'martlet run restore \(id)' takes it out.")
  }
}

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
  /// Whether a run was put into the trash before a moment and is still there.
  package func isTrashOlder(than moment: Timestamp) throws -> Bool {
    try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM run WHERE deleted_at < ? AND purge IS NULL)",
      arguments: [moment.microseconds]) ?? false
  }

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
  /// Puts a run into the trash: lists leave it out, and it takes no points, until it is restored. A run that is there stays
  /// as it is.
  ///
  /// - Throws: `Problem`: `notFound`; `conflict` for a run that Martlet executes and that has not ended.
  package func trash(_ id: PublicID, by principal: Principal, now: Timestamp) throws {
    let run = try requireRunRow(id)
    try refuseExecuting(id, run)
    try db.execute(
      sql: "UPDATE run SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL",
      arguments: [now.microseconds, run])
    guard db.changesCount > 0 else { return }
    hot.forget(run)
    try note("trashed", subject: "run", row: run, by: principal, at: now)
  }

  /// Takes a run out of the trash; one that is not there stays as it is.
  ///
  /// - Throws: `Problem.notFound`, also when it is being purged.
  package func restore(_ id: PublicID, by principal: Principal, now: Timestamp) throws {
    let run = try requireRunRow(id)
    try db.execute(
      sql: "UPDATE run SET deleted_at = NULL WHERE id = ? AND deleted_at IS NOT NULL", arguments: [run])
    guard db.changesCount > 0 else { return }
    hot.forget(run)
    try note("restored", subject: "run", row: run, by: principal, at: now)
  }

  private func refuseExecuting(_ id: PublicID, _ run: Int64) throws {
    let isAlive = try Bool.fetchOne(
      db, sql: "SELECT is_executed AND ended_at IS NULL FROM run WHERE id = ?", arguments: [run])
    guard isAlive == true else { return }
    throw Problem(
      .conflict, "Run '\(id)' has not ended and cannot be deleted.",
      hint: "'martlet run stop \(id)' ends it.")
  }

  /// From now on there is no such run: whoever asks does not find it, and what it has is removed in the background.
  /// Its directory is for whoever asks for `purgedRuns` to remove.
  ///
  /// - Throws: `Problem`: `notFound`; `conflict` for a run that Martlet executes and that has not ended.
  package func purge(_ id: PublicID, by principal: Principal, now: Timestamp) throws {
    let run = try requireRunRow(id)
    try refuseExecuting(id, run)
    try db.execute(
      sql: "UPDATE run SET purge = ?, deleted_at = coalesce(deleted_at, ?) WHERE id = ?",
      arguments: [PurgeStage.points.rawValue, now.microseconds, run])
    for table in ["token", "run_file", "run_blob", "run_model", "alert"] {
      try db.execute(sql: "DELETE FROM \(table) WHERE run_id = ?", arguments: [run])
    }
    try dropEnvironment(of: run)
    try setChildrenFree(of: run, by: principal, now: now)
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

  /// Removes a part of what a purged run has. Returns false when there is nothing left to remove of any.
  func purgeStep() throws -> Bool {
    guard
      let run = try Int64.fetchOne(
        db, sql: "SELECT id FROM run WHERE purge = ? ORDER BY id LIMIT 1",
        arguments: [PurgeStage.points.rawValue])
    else { return false }
    for (table, limit) in [
      ("row_block", 16), ("series_chunk", 256), ("series_level", 1_024), ("row_chunk", 256),
    ] {
      try db.execute(
        sql: "DELETE FROM \(table) WHERE id IN (SELECT id FROM \(table) WHERE run_id = ? LIMIT \(limit))",
        arguments: [run])
      if db.changesCount > 0 { return true }
    }
    for table in [
      "metric_summary", "derived_summary", "logged_value", "client", "metric_definition", "summary_value",
      "config_value",
    ] {
      try db.execute(sql: "DELETE FROM \(table) WHERE run_id = ?", arguments: [run])
    }
    try db.execute(
      sql: "UPDATE run SET purge = ?, points = 0, rows = 0, last_step = NULL WHERE id = ?",
      arguments: [PurgeStage.directory.rawValue, run])
    return true
  }

  /// Removes what is left of purged runs whose directories are gone; those that have points yet wait for another call.
  package func endPurge(of ids: [PublicID]) throws {
    for id in ids {
      guard
        let run = try Int64.fetchOne(
          db, sql: "SELECT id FROM run WHERE public_id = ? AND purge = ?",
          arguments: [id.rawValue, PurgeStage.directory.rawValue])
      else { continue }
      let isTrial = try Bool.fetchOne(
        db, sql: "SELECT EXISTS (SELECT 1 FROM trial WHERE run_id = ?)", arguments: [run])
      if isTrial == true {
        // A sweep's account of its trials stays whole.
        try db.execute(
          sql: "UPDATE run SET purge = ? WHERE id = ?", arguments: [PurgeStage.trialsRow.rawValue, run])
      } else {
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

  /// Removes for good what was put into the trash before a moment, at most 1,000 runs. Returns which these are, and
  /// the names of their projects.
  package func purgeTrash(
    before: Timestamp, by principal: Principal, now: Timestamp
  ) async throws -> [(run: PublicID, project: String)] {
    try await write { writer in
      let ids = try String.fetchAll(
        writer.db,
        sql: "SELECT public_id FROM run WHERE deleted_at < ? AND purge IS NULL ORDER BY id LIMIT 1000",
        arguments: [before.microseconds]
      ).compactMap(PublicID.init(rawValue:))
      return try ids.compactMap { id in
        guard let place = try writer.place(of: id) else { return nil }
        try writer.purge(id, by: principal, now: now)
        return (id, place.project)
      }
    }
  }
}
