// The versions of the files that sweeps had.

import GRDB
package import MartletModel

extension StoreReader {
  /// All versions of a sweep's file whose text is kept, oldest first.
  ///
  /// - Throws: `Problem.notFound`.
  package func versions(ofSweep id: PublicID) throws -> [SweepVersion] {
    let sweep = try requireSweepRow(id)
    let first = try Row.fetchAll(
      db,
      sql: """
        SELECT 1 AS version, sweep.source, sweep.created_at AS since, principal.name AS changed_by
        FROM sweep JOIN principal ON principal.id = sweep.created_by WHERE sweep.id = ?
        """, arguments: [sweep])
    let later = try Row.fetchAll(
      db,
      sql: "SELECT version, source, since, changed_by FROM sweep_version WHERE sweep_id = ? ORDER BY version",
      arguments: [sweep])
    return (first + later).map { row in
      SweepVersion(
        version: row["version"], source: row["source"], since: Timestamp(microseconds: row["since"]),
        by: row["changed_by"])
    }
  }
}
