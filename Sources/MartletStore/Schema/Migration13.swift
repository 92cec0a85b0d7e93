// The schema of version 13: the files that a sweep had, and which of them each trial is of.

import GRDB

/// Texts of changed sweep files. What a sweep began with is in its own row, version 1; each later version has a row here.
enum Migration13 {
  static let name = "13"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: tables)
    try db.execute(sql: rows)
  }

  private static let tables = """
    CREATE TABLE sweep_version (
      sweep_id INTEGER NOT NULL REFERENCES sweep(id),
      version INTEGER NOT NULL,
      source TEXT NOT NULL,
      since INTEGER NOT NULL,
      changed_by TEXT NOT NULL,
      PRIMARY KEY (sweep_id, version)) WITHOUT ROWID;
    ALTER TABLE trial ADD COLUMN space_version INTEGER NOT NULL DEFAULT 1;
    """

  /// Until now only the newest text was kept; when it changed, the events tell.
  private static let rows = """
    INSERT INTO sweep_version
      SELECT sweep.id, sweep.space_version, sweep.source_override, event.at, principal.name
      FROM sweep
        JOIN event ON event.id = (SELECT max(id) FROM event WHERE subject = 'sweep' AND subject_id = sweep.id
          AND type = 'space')
        JOIN principal ON principal.id = event.principal_id
      WHERE sweep.source_override IS NOT NULL;
    UPDATE trial SET space_version = 1 + (SELECT count(*) FROM event
        WHERE subject = 'sweep' AND subject_id = trial.sweep_id AND type = 'space' AND at <= trial.created_at)
      WHERE sweep_id IN (SELECT id FROM sweep WHERE space_version > 1);
    """
}
