// Runs into the trash and out of it.

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

extension StoreReader {
  /// Whether a run was put into the trash before a moment and is still there.
  package func isTrashOlder(than moment: Timestamp) throws -> Bool {
    try Bool.fetchOne(
      db, sql: "SELECT EXISTS (SELECT 1 FROM run WHERE deleted_at < ? AND purge IS NULL)",
      arguments: [moment.microseconds]) ?? false
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

  func refuseExecuting(_ id: PublicID, _ run: Int64) throws {
    let isAlive = try Bool.fetchOne(
      db, sql: "SELECT is_executed AND ended_at IS NULL FROM run WHERE id = ?", arguments: [run])
    guard isAlive == true else { return }
    throw Problem(
      .conflict, "Run '\(id)' has not ended and cannot be deleted.",
      hint: "'martlet run stop \(id)' ends it.")
  }
}
