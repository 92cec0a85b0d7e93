// The second schema: sealed chunks and their levels, definitions of metrics, blobs, the trash, forks.

import GRDB

/// Tables of version 2.
///
/// What was `row_block` in version 1 is the tail now: rows that are not sealed yet. Rows below the end of a run's last
/// `row_chunk` are sealed; a block of the tail may still hold some of them, which are passed over.
///
/// Chunks begin at multiples of 4,096 rows and are full, but for a run's last. `series_level` has rows for full chunks only.
enum Migration2 {
  static let name = "2"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: runs)
    try db.execute(sql: chunks)
    try db.execute(sql: metrics)
    try db.execute(sql: blobs)
  }

  /// `purge`: 1 while a run is being removed, 2 when all but its row is gone, which a trial needs.
  /// `rewrites` counts how often rows that were stored have changed or gone: whoever prepared something from an older
  /// count drops it.
  private static let runs = """
    ALTER TABLE run ADD COLUMN deleted_at INTEGER;
    ALTER TABLE run ADD COLUMN purge INTEGER;
    ALTER TABLE run ADD COLUMN forked_from TEXT;
    ALTER TABLE run ADD COLUMN fork_step INTEGER;
    ALTER TABLE run ADD COLUMN rewrites INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX run_deleted ON run(project_id, deleted_at) WHERE deleted_at IS NOT NULL;
    CREATE INDEX run_purged ON run(purge) WHERE purge IS NOT NULL;
    """

  /// `row_block.origins`: set where a block holds rows of several clients; `client` is empty then.
  /// `series_chunk.kind`: 0 numbers, 1 texts. `is_ordered`: the steps of this key strictly increase in the chunk, and its
  /// first is above `high_step` of the chunk before; `high_step`: the highest step of this key so far. NULL for texts.
  /// `series_level` has row ids of its own: its payloads are longer than what a table without them keeps in its pages.
  private static let chunks = """
    ALTER TABLE row_block ADD COLUMN origins BLOB;

    CREATE TABLE row_chunk (
      id INTEGER PRIMARY KEY,
      run_id INTEGER NOT NULL REFERENCES run(id),
      first_row INTEGER NOT NULL,
      row_count INTEGER NOT NULL,
      min_step INTEGER NOT NULL,
      max_step INTEGER NOT NULL,
      received_at INTEGER NOT NULL,
      origins BLOB NOT NULL,
      steps BLOB NOT NULL,
      times BLOB NOT NULL);
    CREATE INDEX row_chunk_by_run ON row_chunk(run_id, first_row, row_count, min_step, max_step);

    CREATE TABLE series_chunk (
      id INTEGER PRIMARY KEY,
      run_id INTEGER NOT NULL REFERENCES run(id),
      key_id INTEGER NOT NULL REFERENCES metric_key(id),
      kind INTEGER NOT NULL,
      first_row INTEGER NOT NULL,
      count INTEGER NOT NULL,
      is_ordered INTEGER,
      high_step INTEGER,
      presence BLOB,
      payload BLOB NOT NULL);
    CREATE INDEX series_chunk_by_run
      ON series_chunk(run_id, key_id, kind, first_row, count, is_ordered, high_step);
    CREATE INDEX series_chunk_by_row ON series_chunk(run_id, first_row);

    CREATE TABLE series_level (
      id INTEGER PRIMARY KEY,
      run_id INTEGER NOT NULL REFERENCES run(id),
      key_id INTEGER NOT NULL REFERENCES metric_key(id),
      level INTEGER NOT NULL,
      first_row INTEGER NOT NULL,
      payload BLOB NOT NULL);
    CREATE UNIQUE INDEX series_level_by_run ON series_level(run_id, key_id, level, first_row);
    """

  private static let metrics = """
    CREATE TABLE metric_definition (
      run_id INTEGER NOT NULL REFERENCES run(id),
      name TEXT NOT NULL,
      summary TEXT,
      step_metric TEXT,
      goal TEXT,
      hidden INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (run_id, name)) WITHOUT ROWID;

    CREATE TABLE summary_value (
      run_id INTEGER NOT NULL REFERENCES run(id),
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      set_at INTEGER NOT NULL,
      PRIMARY KEY (run_id, name)) WITHOUT ROWID;
    """

  /// `hash` is the SHA-256 of the content.
  private static let blobs = """
    CREATE TABLE blob (
      id INTEGER PRIMARY KEY,
      hash BLOB NOT NULL UNIQUE,
      size INTEGER NOT NULL,
      created_at INTEGER NOT NULL);

    CREATE TABLE run_blob (
      run_id INTEGER NOT NULL REFERENCES run(id),
      blob_id INTEGER NOT NULL REFERENCES blob(id),
      created_at INTEGER NOT NULL,
      PRIMARY KEY (run_id, blob_id)) WITHOUT ROWID;
    CREATE INDEX run_blob_by_blob ON run_blob(blob_id);
    """
}
