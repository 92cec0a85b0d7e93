// The schema of version 12: how many trials of a sweep are in which state.

import GRDB

/// Counts of trials, which are asked for whenever a sweep is looked at: counting ten thousand trials takes milliseconds.
enum Migration12 {
  static let name = "12"

  static func migrate(_ db: Database) throws {
    try db.execute(sql: counts)
    try db.execute(sql: triggers)
  }

  private static let counts = """
    CREATE TABLE trial_count (
      sweep_id INTEGER NOT NULL REFERENCES sweep(id),
      state TEXT NOT NULL,
      trials INTEGER NOT NULL,
      PRIMARY KEY (sweep_id, state)) WITHOUT ROWID;
    INSERT INTO trial_count SELECT sweep_id, state, count(*) FROM trial GROUP BY sweep_id, state;
    """

  /// Whoever writes trials keeps the table true. A trial stays in its sweep.
  private static let triggers = """
    CREATE TRIGGER trial_added AFTER INSERT ON trial BEGIN
      INSERT INTO trial_count VALUES (new.sweep_id, new.state, 1) ON CONFLICT DO UPDATE SET trials = trials + 1;
    END;
    CREATE TRIGGER trial_removed AFTER DELETE ON trial BEGIN
      UPDATE trial_count SET trials = trials - 1 WHERE sweep_id = old.sweep_id AND state = old.state;
    END;
    CREATE TRIGGER trial_changed AFTER UPDATE OF state ON trial WHEN new.state != old.state BEGIN
      UPDATE trial_count SET trials = trials - 1 WHERE sweep_id = old.sweep_id AND state = old.state;
      INSERT INTO trial_count VALUES (new.sweep_id, new.state, 1) ON CONFLICT DO UPDATE SET trials = trials + 1;
    END;
    """
}
