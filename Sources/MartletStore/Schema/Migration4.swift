// The schema of version 4: derived metrics and their aggregates.

import GRDB

/// Tables of version 4.
enum Migration4 {
  static let name = "4"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: derived)
  }

  /// `derived_summary` holds of each run what `metric_summary` holds of a logged metric, as of `rows` rows and `rewrites`
  /// rewrites of the run (columns of `run`): where these differ, it is about to be computed anew. No row: not computed
  /// yet. `count` 0: the run has no point of it.
  private static let derived = """
    CREATE TABLE derived_metric (
      id INTEGER PRIMARY KEY,
      project_id INTEGER NOT NULL REFERENCES project(id),
      name TEXT NOT NULL,
      expression TEXT NOT NULL,
      description TEXT NOT NULL DEFAULT '',
      goal TEXT,
      created_at INTEGER NOT NULL,
      created_by INTEGER NOT NULL REFERENCES principal(id),
      UNIQUE (project_id, name));

    CREATE TABLE derived_summary (
      derived_id INTEGER NOT NULL REFERENCES derived_metric(id) ON DELETE CASCADE,
      run_id INTEGER NOT NULL REFERENCES run(id),
      rows INTEGER NOT NULL,
      rewrites INTEGER NOT NULL,
      last REAL,
      last_step INTEGER,
      last_at INTEGER,
      min REAL,
      min_step INTEGER,
      max REAL,
      max_step INTEGER,
      sum REAL,
      count INTEGER NOT NULL,
      nan_count INTEGER NOT NULL,
      PRIMARY KEY (derived_id, run_id)) WITHOUT ROWID;
    CREATE INDEX derived_summary_by_run ON derived_summary(run_id);
    CREATE INDEX derived_summary_last ON derived_summary(derived_id, last);
    CREATE INDEX derived_summary_min ON derived_summary(derived_id, min);
    CREATE INDEX derived_summary_max ON derived_summary(derived_id, max);
    """
}
