// The schema of version 6: logs that the clients of runs from outside send.

import GRDB

/// Tables of version 6.
enum Migration6 {
  static let name = "6"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: logs)
  }

  /// The logs of a run from outside are numbered as attempts are, from 1: one for each client that sent some. They lie
  /// in the run's directory, `log-<number>/`.
  private static let logs = """
    CREATE TABLE run_log (
      run_id INTEGER NOT NULL REFERENCES run(id),
      number INTEGER NOT NULL,
      client TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (run_id, number)) WITHOUT ROWID;
    CREATE UNIQUE INDEX run_log_by_client ON run_log(run_id, client);
    """
}
