// The schema of version 5: more of what is known of a run: environment, files, alerts, parents, locks.

import GRDB

/// Tables of version 5.
enum Migration5 {
  static let name = "5"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: environments)
    try db.execute(sql: runs)
    try db.execute(sql: files)
    try db.execute(sql: alerts)
  }

  /// Trials of a sweep share one environment: `hash` is the SHA-256 of `body`, which is JSON. `hardware` says the machine
  /// in a few words.
  private static let environments = """
    CREATE TABLE environment (
      id INTEGER PRIMARY KEY,
      hash BLOB NOT NULL UNIQUE,
      body TEXT NOT NULL,
      hardware TEXT);
    """

  /// Of an ended run that was corrected by hand, `ended_at` stays: a run ends once.
  private static let runs = """
    ALTER TABLE run ADD COLUMN archived_at INTEGER;
    ALTER TABLE run ADD COLUMN locked_at INTEGER;
    ALTER TABLE run ADD COLUMN parent_id INTEGER REFERENCES run(id);
    ALTER TABLE run ADD COLUMN environment_id INTEGER REFERENCES environment(id);
    ALTER TABLE sweep ADD COLUMN environment_id INTEGER REFERENCES environment(id);
    CREATE INDEX run_by_parent ON run(parent_id) WHERE parent_id IS NOT NULL;
    CREATE INDEX run_by_environment ON run(environment_id) WHERE environment_id IS NOT NULL;
    CREATE INDEX run_archived ON run(project_id, archived_at) WHERE archived_at IS NOT NULL;

    CREATE TABLE run_model (
      run_id INTEGER PRIMARY KEY REFERENCES run(id),
      body TEXT NOT NULL);
    """

  /// A path is a label, never a place on the disk. A run has its own files and those of its sweep, which are kept once.
  /// `run_blob.is_named`: the run has this blob for the sake of its named files alone, so it goes with the last of them.
  private static let files = """
    ALTER TABLE run_blob ADD COLUMN is_named INTEGER NOT NULL DEFAULT 0;

    CREATE TABLE run_file (
      run_id INTEGER NOT NULL REFERENCES run(id),
      path TEXT NOT NULL,
      blob_id INTEGER NOT NULL REFERENCES blob(id),
      media_type TEXT,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (run_id, path),
      FOREIGN KEY (run_id, blob_id) REFERENCES run_blob(run_id, blob_id)) WITHOUT ROWID;
    CREATE INDEX run_file_by_blob ON run_file(blob_id, run_id);

    CREATE TABLE sweep_file (
      sweep_id INTEGER NOT NULL REFERENCES sweep(id),
      path TEXT NOT NULL,
      blob_id INTEGER NOT NULL REFERENCES blob(id),
      media_type TEXT,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (sweep_id, path)) WITHOUT ROWID;
    CREATE INDEX sweep_file_by_blob ON sweep_file(blob_id);
    """

  /// `key`: what a client calls an alert that a run raises once at most. `sweep_id`: of alerts that the server raised for
  /// a trial, of which a sweep has one for each title.
  private static let alerts = """
    CREATE TABLE alert (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      run_id INTEGER NOT NULL REFERENCES run(id),
      sweep_id INTEGER REFERENCES sweep(id),
      at INTEGER NOT NULL,
      level TEXT NOT NULL,
      title TEXT NOT NULL,
      text TEXT NOT NULL DEFAULT '',
      key TEXT,
      created_by INTEGER NOT NULL REFERENCES principal(id));
    CREATE INDEX alert_by_run ON alert(run_id, id);
    CREATE UNIQUE INDEX alert_by_key ON alert(run_id, key) WHERE key IS NOT NULL;
    CREATE INDEX alert_by_sweep ON alert(sweep_id, title) WHERE sweep_id IS NOT NULL;
    """
}
