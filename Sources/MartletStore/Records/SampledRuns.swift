// Runs in the store of system metrics: rows under the ids of the runs that are sampled, with nothing but their series.

import GRDB
package import MartletModel

/// A file of system metrics is a `Store` of its own: samples are series like any others there, and no query of the runs
/// themselves can meet them.
extension StoreWriter {
  private static let project = "system"

  /// Makes the row that the samples of a run belong to where it is missing, and lets it be open or ended.
  ///
  /// - Parameter hasEnded: no more samples are awaited: what there is may be laid into chunks.
  package func keepSampled(_ id: PublicID, hasEnded: Bool, now: Timestamp) throws {
    let state: RunState = hasEnded ? .finished : .running
    let known = try Row.fetchOne(
      db, sql: "SELECT id, ended_at IS NOT NULL AS has_ended FROM run WHERE public_id = ?",
      arguments: [id.rawValue])
    if let known, known["has_ended"] == hasEnded { return }
    let sampler =
      try principal(kind: .system) ?? createPrincipal(kind: .system, name: "martlet", now: now)
    if let known { return try setRunState(known["id"], state, exit: nil, by: sampler, now: now) }
    try db.execute(
      sql: """
        INSERT INTO run (public_id, project_id, is_executed, name, state, created_at, started_at, ended_at, created_by)
        VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        id.rawValue, try projectRow(Self.project, by: sampler, now: now), id.rawValue, state.rawValue,
        now.microseconds, now.microseconds, hasEnded ? now.microseconds : nil, sampler.row,
      ])
  }

  /// Takes all samples of a run off the disk, in the background.
  package func dropSampled(_ id: PublicID, now: Timestamp) throws {
    guard try runRow(id) != nil else { return }
    let sampler =
      try principal(kind: .system) ?? createPrincipal(kind: .system, name: "martlet", now: now)
    // What is not awaited any more can be purged.
    try keepSampled(id, hasEnded: true, now: now)
    try purge(id, by: sampler, now: now)
  }
}

extension StoreReader {
  /// Runs of which samples are kept; those that are being removed are none.
  ///
  /// - Parameter isOpen: only those of which more are awaited.
  package func sampledRuns(isOpen: Bool = false) throws -> [PublicID] {
    try String.fetchAll(
      db, sql: "SELECT public_id FROM run WHERE purge IS NULL AND (ended_at IS NULL OR NOT ?)",
      arguments: [isOpen]
    ).compactMap(PublicID.init(rawValue:))
  }

  /// What was sampled of a run, in short; empty when nothing was.
  package func systemOverview(of id: PublicID) throws -> SystemOverview {
    guard let run = try runRow(id) else { return SystemOverview(metrics: [], from: nil, to: nil) }
    let steps = try Row.fetchOne(
      db,
      sql: """
        SELECT min(low) AS low, max(high) AS high FROM (
          SELECT min(min_step) AS low, max(max_step) AS high FROM row_chunk WHERE run_id = ?1
          UNION ALL SELECT min(min_step), max(max_step) FROM row_block WHERE run_id = ?1)
        """, arguments: [run])
    return SystemOverview(
      metrics: try summaries(of: [run])[run] ?? [], from: steps?["low"], to: steps?["high"])
  }

  /// As `series`; of a run that was never sampled there is none.
  package func sampledSeries(of id: PublicID, _ window: SeriesWindow, limit: Int) throws -> [Series] {
    try runRow(id) == nil ? [] : try series(run: id, window, limit: limit)
  }
}
