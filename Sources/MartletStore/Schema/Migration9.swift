// The schema of version 9: how attempts stand in line, and what sweeps remember beside their trials.

import GRDB

/// Columns of version 9.
enum Migration9 {
  static let name = "9"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: attempts)
    try db.execute(sql: sweeps)
    try db.execute(sql: findings)
    try db.execute(sql: pool)
    try db.execute(sql: control)
    try db.execute(sql: uses)
  }

  /// `ticket` is NULL for attempts from before: they stand in line by their row ids. `retries` is JSON: faults forgiven
  /// so far, by cause. `room_asked_at`: it was asked to make room for somebody else.
  private static let attempts = """
    ALTER TABLE attempt ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE attempt ADD COLUMN ticket INTEGER;
    ALTER TABLE attempt ADD COLUMN not_before INTEGER;
    ALTER TABLE attempt ADD COLUMN retries TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE attempt ADD COLUMN failed_starts INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE attempt ADD COLUMN room_asked_at INTEGER;
    """

  /// What an attempt came to: `peak_memory` in bytes of its whole tree, `cpu_seconds`, `limit_reached` (`memory`,
  /// `output`, `time`), `fault` (`infra`, `failure`, `oom`, `timeout`). `limits` is JSON: its limits, and what keeps them.
  private static let uses = """
    ALTER TABLE attempt ADD COLUMN peak_memory INTEGER;
    ALTER TABLE attempt ADD COLUMN cpu_seconds REAL;
    ALTER TABLE attempt ADD COLUMN limit_reached TEXT;
    ALTER TABLE attempt ADD COLUMN fault TEXT;
    ALTER TABLE attempt ADD COLUMN limits TEXT;
    """

  /// `progress` is JSON: failures in a row, and whether anything is left to ask for.
  private static let sweeps = """
    ALTER TABLE sweep ADD COLUMN progress TEXT NOT NULL DEFAULT '{}';
    """

  /// `findings` is JSON: what a look at the series of a trial that has ended found; NULL: nobody has looked yet.
  private static let findings = """
    ALTER TABLE trial ADD COLUMN findings TEXT;
    """

  /// `standing`: `cordoned` or `draining`; an open device has no row. `pool_setting`: what was changed while a server ran,
  /// as JSON, and what that server was started with. `found_devices`: JSON, what the last server of a machine found.
  private static let pool = """
    CREATE TABLE device_standing (
      host TEXT NOT NULL,
      device INTEGER NOT NULL,
      standing TEXT NOT NULL,
      reason TEXT NOT NULL,
      principal_id INTEGER NOT NULL REFERENCES principal(id),
      at INTEGER NOT NULL,
      PRIMARY KEY (host, device)) WITHOUT ROWID;
    CREATE TABLE pool_setting (
      name TEXT PRIMARY KEY,
      value TEXT NOT NULL,
      declared TEXT NOT NULL,
      principal_id INTEGER NOT NULL REFERENCES principal(id),
      at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE found_devices (
      host TEXT PRIMARY KEY,
      devices TEXT NOT NULL) WITHOUT ROWID;
    """

  /// `stop_requested_at` of an attempt stays when a new attempt follows; `kill_at`: when the grace after it, or after
  /// `room_asked_at`, is over.
  private static let control = """
    ALTER TABLE sweep ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE attempt ADD COLUMN stop_requested_at INTEGER;
    ALTER TABLE attempt ADD COLUMN kill_at INTEGER;
    """
}
