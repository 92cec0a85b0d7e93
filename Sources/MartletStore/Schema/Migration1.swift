// The first schema. Landed migrations are never edited: what changes later is a migration of its own.

import GRDB

/// Tables of version 1.
///
/// Every object has a row id and a short public id. Times are microseconds. What a foreign client calls an object
/// is a row of `alias`. NaN, which SQLite stores as NULL, is NULL in `metric_summary.last` and `.sum` only.
enum Migration1 {
  static let name = "1"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: whoAndWhere)
    try db.execute(sql: sweepsAndRuns)
    try db.execute(sql: points)
  }

  private static let whoAndWhere = """
    CREATE TABLE principal (
      id INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL);

    CREATE TABLE project (
      id INTEGER PRIMARY KEY,
      public_id TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL UNIQUE,
      description TEXT NOT NULL DEFAULT '',
      created_at INTEGER NOT NULL,
      created_by INTEGER NOT NULL REFERENCES principal(id),
      last_activity_at INTEGER NOT NULL);

    CREATE TABLE token (
      id INTEGER PRIMARY KEY,
      public_id TEXT NOT NULL UNIQUE,
      principal_id INTEGER NOT NULL REFERENCES principal(id),
      name TEXT NOT NULL,
      hash BLOB NOT NULL UNIQUE,
      scopes TEXT NOT NULL,
      project_id INTEGER REFERENCES project(id),
      run_id INTEGER REFERENCES run(id),
      created_at INTEGER NOT NULL,
      created_by INTEGER NOT NULL REFERENCES principal(id),
      expires_at INTEGER,
      revoked_at INTEGER,
      last_used_at INTEGER);
    CREATE INDEX token_by_run ON token(run_id) WHERE run_id IS NOT NULL;

    CREATE TABLE alias (
      kind TEXT NOT NULL,
      scope TEXT NOT NULL,
      text TEXT NOT NULL,
      row_id INTEGER NOT NULL,
      PRIMARY KEY (kind, scope, text)) WITHOUT ROWID;
    CREATE INDEX alias_by_row ON alias(kind, row_id);

    CREATE TABLE event (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      subject TEXT NOT NULL,
      subject_id INTEGER NOT NULL,
      type TEXT NOT NULL,
      payload TEXT NOT NULL,
      principal_id INTEGER NOT NULL REFERENCES principal(id));
    CREATE INDEX event_by_subject ON event(subject, subject_id, id);
    """

  private static let sweepsAndRuns = """
    CREATE TABLE sweep (
      id INTEGER PRIMARY KEY,
      public_id TEXT NOT NULL UNIQUE,
      project_id INTEGER NOT NULL REFERENCES project(id),
      name TEXT NOT NULL,
      description TEXT NOT NULL,
      state TEXT NOT NULL,
      state_reason TEXT,
      method TEXT NOT NULL,
      metric TEXT,
      goal TEXT,
      parameters TEXT NOT NULL,
      max_parallel INTEGER NOT NULL,
      timeout REAL,
      command TEXT NOT NULL,
      workdir TEXT NOT NULL,
      output_dir TEXT NOT NULL,
      space_size INTEGER,
      budget INTEGER,
      seed INTEGER NOT NULL,
      sampler_state TEXT NOT NULL,
      source TEXT NOT NULL,
      filename TEXT,
      command_override TEXT,
      best_trial INTEGER,
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      ended_at INTEGER,
      created_by INTEGER NOT NULL REFERENCES principal(id));
    CREATE INDEX sweep_by_project ON sweep(project_id, id);

    CREATE TABLE run (
      id INTEGER PRIMARY KEY,
      public_id TEXT NOT NULL UNIQUE,
      project_id INTEGER NOT NULL REFERENCES project(id),
      sweep_id INTEGER REFERENCES sweep(id),
      trial INTEGER,
      is_executed INTEGER NOT NULL,
      name TEXT NOT NULL,
      state TEXT NOT NULL,
      config TEXT NOT NULL DEFAULT '{}',
      tags TEXT NOT NULL DEFAULT '[]',
      notes TEXT NOT NULL DEFAULT '',
      group_name TEXT,
      job_type TEXT,
      command TEXT,
      workdir TEXT,
      directory TEXT,
      host TEXT,
      pid INTEGER,
      git TEXT,
      python TEXT,
      execution TEXT,
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      ended_at INTEGER,
      last_seen_at INTEGER,
      stop_requested_at INTEGER,
      exit_code INTEGER,
      exit_signal INTEGER,
      exit_reason TEXT,
      said_reason TEXT,
      points INTEGER NOT NULL DEFAULT 0,
      rows INTEGER NOT NULL DEFAULT 0,
      last_step INTEGER,
      created_by INTEGER NOT NULL REFERENCES principal(id));
    CREATE INDEX run_by_project ON run(project_id, id);
    CREATE INDEX run_by_sweep ON run(sweep_id, trial) WHERE sweep_id IS NOT NULL;
    CREATE INDEX run_alive ON run(state) WHERE state IN ('queued', 'starting', 'running', 'lost');

    CREATE TABLE trial (
      id INTEGER PRIMARY KEY,
      sweep_id INTEGER NOT NULL REFERENCES sweep(id),
      number INTEGER NOT NULL,
      state TEXT NOT NULL,
      parameters TEXT NOT NULL,
      run_id INTEGER NOT NULL REFERENCES run(id),
      objective REAL,
      reason TEXT,
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      ended_at INTEGER,
      UNIQUE (sweep_id, number));
    CREATE UNIQUE INDEX trial_by_run ON trial(run_id);

    CREATE TABLE attempt (
      id INTEGER PRIMARY KEY,
      run_id INTEGER NOT NULL REFERENCES run(id),
      number INTEGER NOT NULL,
      state TEXT NOT NULL,
      directory TEXT NOT NULL,
      pid INTEGER,
      devices TEXT NOT NULL DEFAULT '[]',
      exit_code INTEGER,
      exit_signal INTEGER,
      exit_reason TEXT,
      created_at INTEGER NOT NULL,
      started_at INTEGER,
      ended_at INTEGER,
      UNIQUE (run_id, number));
    CREATE INDEX attempt_alive ON attempt(state) WHERE state IN ('queued', 'starting', 'running', 'lost');
    """

  private static let points = """
    CREATE TABLE metric_key (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE);

    CREATE TABLE client (
      run_id INTEGER NOT NULL REFERENCES run(id),
      client TEXT NOT NULL,
      next_seq INTEGER NOT NULL,
      PRIMARY KEY (run_id, client)) WITHOUT ROWID;

    CREATE TABLE row_block (
      id INTEGER PRIMARY KEY,
      run_id INTEGER NOT NULL REFERENCES run(id),
      first_row INTEGER NOT NULL,
      row_count INTEGER NOT NULL,
      client TEXT NOT NULL,
      first_seq INTEGER NOT NULL,
      min_step INTEGER NOT NULL,
      max_step INTEGER NOT NULL,
      received_at INTEGER NOT NULL,
      payload BLOB NOT NULL);
    CREATE INDEX row_block_by_run ON row_block(run_id, first_row);

    CREATE TABLE metric_summary (
      run_id INTEGER NOT NULL REFERENCES run(id),
      key_id INTEGER NOT NULL REFERENCES metric_key(id),
      last REAL,
      last_step INTEGER NOT NULL,
      last_at INTEGER NOT NULL,
      min REAL,
      min_step INTEGER,
      max REAL,
      max_step INTEGER,
      sum REAL,
      count INTEGER NOT NULL,
      nan_count INTEGER NOT NULL,
      PRIMARY KEY (run_id, key_id)) WITHOUT ROWID;
    CREATE INDEX metric_summary_last ON metric_summary(key_id, last);
    CREATE INDEX metric_summary_min ON metric_summary(key_id, min);
    CREATE INDEX metric_summary_max ON metric_summary(key_id, max);

    CREATE TABLE logged_value (
      run_id INTEGER NOT NULL REFERENCES run(id),
      key_id INTEGER NOT NULL REFERENCES metric_key(id),
      value TEXT NOT NULL,
      last_step INTEGER NOT NULL,
      PRIMARY KEY (run_id, key_id)) WITHOUT ROWID;
    """
}
