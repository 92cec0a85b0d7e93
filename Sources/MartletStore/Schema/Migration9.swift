// The schema of version 9: how attempts stand in line, and what sweeps remember beside their trials.

import GRDB

/// Columns of version 9.
enum Migration9 {
  static let name = "9"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: attempts)
    try db.execute(sql: sweeps)
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
}
