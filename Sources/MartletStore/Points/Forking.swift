// A run that begins where another one was.

import GRDB
package import MartletModel
import MartletSeries

extension StoreWriter {
  /// Makes a run from outside, `running`, with another one's configuration, definitions, blobs and history.
  ///
  /// Its rows are those of the other run as they are now; it has none of that run's clients.
  ///
  /// - Parameters:
  ///   - step: rows above it are left out; nil: none are.
  ///   - name: of the new run.
  /// - Throws: `Problem.notFound`, also for a run in the trash.
  package func fork(
    _ id: PublicID, step: Int64?, name: String, by principal: Principal, now: Timestamp
  ) throws -> PublicID {
    let parent = try requireRunRow(id)
    try refuseDeleted(id, parent)
    let new = try freshID(in: "run")
    try db.execute(
      sql: """
        INSERT INTO run (public_id, project_id, is_executed, name, state, config, tags, notes, group_name, job_type,
          command, workdir, git, python, environment_id, created_at, started_at, last_seen_at, created_by,
          forked_from, fork_step)
        SELECT ?1, project_id, 0, ?2, 'running', config, tags, notes, group_name, job_type, command, workdir, git,
          python, environment_id, ?3, ?3, ?3, ?4, public_id, ?5 FROM run WHERE id = ?6
        """, arguments: [new.rawValue, name.inNormalForm, now.microseconds, principal.row, step, parent])
    let run = db.lastInsertedRowID
    if let config = try Row.fetchOne(db, sql: "SELECT config FROM run WHERE id = ?", arguments: [run]) {
      try indexConfig(try config.json("config"), of: run)
    }
    for statement in Self.copies { try db.execute(sql: statement, arguments: [run, parent]) }
    try copyRows(of: parent, to: run, upTo: step ?? .max)
    try sumUp(run)
    try note(
      "forked", subject: "run", row: run, payload: ["from": .string(id.rawValue), "step": JSONValue(step)],
      by: principal, at: now)
    return new
  }

  private static let copies = [
    """
    INSERT INTO metric_definition (run_id, name, summary, step_metric, goal, hidden)
    SELECT ?, name, summary, step_metric, goal, hidden FROM metric_definition WHERE run_id = ?
    """,
    """
    INSERT INTO run_blob (run_id, blob_id, created_at, is_named)
    SELECT ?, blob_id, created_at, is_named FROM run_blob WHERE run_id = ?
    """,
    // Of a trial, also what it has from its sweep.
    """
    INSERT INTO run_blob (run_id, blob_id, created_at, is_named)
    SELECT ?1, blob_id, min(created_at), 1 FROM sweep_file
    WHERE sweep_id = (SELECT sweep_id FROM run WHERE id = ?2) GROUP BY blob_id
    ON CONFLICT (run_id, blob_id) DO NOTHING
    """,
    """
    INSERT INTO run_file (run_id, path, blob_id, media_type, created_at)
    SELECT ?, path, blob_id, media_type, created_at FROM run_file WHERE run_id = ?
    """,
    """
    INSERT INTO run_file (run_id, path, blob_id, media_type, created_at)
    SELECT ?1, path, blob_id, media_type, created_at FROM sweep_file
    WHERE sweep_id = (SELECT sweep_id FROM run WHERE id = ?2)
    ON CONFLICT (run_id, path) DO NOTHING
    """,
    "INSERT INTO run_model (run_id, body) SELECT ?, body FROM run_model WHERE run_id = ?",
  ]

  private func copyRows(of parent: Int64, to run: Int64, upTo step: Int64) throws {
    let chunks = try chunks(of: parent)
    // Chunks that are taken over whole are copied as they are.
    let whole = chunks.prefix { $0.isFull && $0.maxStep <= step }.count
    let start = Int64(whole * SealedChunk.length)
    if whole > 0 { try copyChunks(of: parent, to: run, before: start) }
    var layer = ChunkLayer(self, run: run, from: start)
    for chunk in chunks[whole...] {
      let (origins, receivedAt) = try origins(of: chunk)
      try layer.add(
        try block(of: chunk, run: parent), origins: origins, receivedAt: receivedAt, upTo: step)
    }
    try readTail(of: parent) { tail in
      try layer.add(
        tail.block, origins: tail.origins, receivedAt: tail.receivedAt, skipping: tail.sealed, upTo: step)
      return true
    }
    try layer.finish()
  }

  /// Copies a run's chunks below `end`, where one begins, and all levels that cover nothing else.
  private func copyChunks(of parent: Int64, to run: Int64, before end: Int64) throws {
    try db.execute(
      sql: """
        INSERT INTO row_chunk (run_id, first_row, row_count, min_step, max_step, received_at, origins, steps, times)
        SELECT ?, first_row, row_count, min_step, max_step, received_at, origins, steps, times
        FROM row_chunk WHERE run_id = ? AND first_row < ? ORDER BY first_row
        """, arguments: [run, parent, end])
    try db.execute(
      sql: """
        INSERT INTO series_chunk (run_id, key_id, kind, first_row, count, is_ordered, high_step, presence, payload)
        SELECT ?, key_id, kind, first_row, count, is_ordered, high_step, presence, payload
        FROM series_chunk INDEXED BY series_chunk_by_row WHERE run_id = ? AND first_row < ? ORDER BY first_row
        """, arguments: [run, parent, end])
    var (level, span) = (0, Int64(SealedChunk.length))
    while span <= end {
      try db.execute(
        sql: """
          INSERT INTO series_level (run_id, key_id, level, first_row, payload)
          SELECT ?1, key_id, level, first_row, payload FROM series_level
          WHERE run_id = ?2 AND key_id IN (SELECT key_id FROM metric_summary WHERE run_id = ?2)
            AND level = ?3 AND first_row + ?4 <= ?5
          """, arguments: [run, parent, level, span, end])
      level += 1
      span *= Int64(Levels.fanout)
    }
  }
}
